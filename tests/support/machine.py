"""An empty machine: a root folder of its own, with this one's programs and nothing else of it.

Debian's programs (`/usr`, read-only), a copy of `/etc`, Python as `/usr/local/bin/python3`; no
home, no configuration, nothing installed. The network is this machine's, so that servers of the
test's own are there on loopback, but pip is cut off from it: it finds this environment's packages
installed already, and so checks that a lock holds just their versions.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

# The first process of a namespace takes all others with it when it ends.
_NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLACES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_EMPTY = ("dev", "home", "opt", "proc", "root", "run", "srv", "tmp", "usr", "var/lib", "var/log")


@dataclass(frozen=True)
class Machine:
    """Its root folder, and what else of this machine is seen there."""

    root: Path
    seen: list[Path] = field(default_factory=list)
    """Folders at the same path as here, read-only."""

    @property
    def variables(self) -> dict[str, str]:
        """What a command finds in its environment, unless it is given something else."""
        return {
            "PATH": PATH,
            "HOME": "/root",
            "PYTHONPATH": sysconfig.get_path("purelib"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }

    def see(self, folder: Path) -> None:
        """Show a folder of this machine there."""
        self.path(str(folder)).mkdir(parents=True, exist_ok=True)
        self.seen.append(folder)

    def see_programs(self, folder: Path) -> None:
        """Show a folder of programs there, with what they are linked with beside it."""
        known = any(folder.is_relative_to(each) for each in ("/usr", *self.seen))
        if not known:
            self.see(folder.parents[2] if len(folder.parts) > 4 else folder.parent)

    def path(self, inside: str) -> Path:
        """A path of that machine, as it is from here."""
        return self.root / inside.lstrip("/")

    def run(
        self,
        *command: str,
        user: str = "0:0",
        folder: str = "/",
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        inside = self._line(command, user, folder, variables)
        # The shell stays the first process, which ends with us and takes all others with it.
        return subprocess.run(
            self._alone(f"{inside} || exit $?"),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )

    @contextmanager
    def running(
        self,
        *command: str,
        user: str = "0:0",
        folder: str = "/",
        variables: Mapping[str, str] | None = None,
    ) -> Iterator[Running]:
        """Run a command, the first process of the machine, as long as the block does."""
        inside = self._line(command, user, folder, variables)
        process = subprocess.Popen(
            self._alone(f"exec {inside}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield Running(process)
        finally:
            # A process whose user was changed is told no more of its parent's end.
            for child in _children(process):
                child.kill()
            process.communicate()

    def _line(
        self,
        command: tuple[str, ...],
        user: str,
        folder: str,
        variables: Mapping[str, str] | None,
    ) -> str:
        found = {**self.variables, **(variables or {})}
        words = ["env", "-i", "-C", folder, *(f"{k}={v}" for k, v in found.items()), *command]
        return shlex.join(["chroot", f"--userspec={user}", str(self.root), *words])

    def _alone(self, script: str) -> list[str]:
        """A shell that runs a script where that machine's folders are in place."""
        return [*_NAMESPACES, "sh", "-ec", f"{self._mounts()}\n{script}"]

    def _mounts(self) -> str:
        root = shlex.quote(str(self.root))
        lines = [f"mount --rbind /dev {root}/dev", f"mount -t proc proc {root}/proc"]
        # faketime keeps the time there under its process id, and those of a namespace come again.
        lines.append(f"mount -t tmpfs none {root}/dev/shm")
        for source in (Path("/usr"), *self.seen):
            place = shlex.quote(str(self.path(str(source))))
            lines.append(f"mount --bind {shlex.quote(str(source))} {place}")
            lines.append(f"mount -o remount,bind,ro {place}")
        lines.append(f"mount --bind {root}/.local {root}/usr/local")
        return "\n".join(lines)


@dataclass(frozen=True)
class Running:
    """A command that runs."""

    process: subprocess.Popen[str]

    def read_line(self) -> str:
        """The next line that it writes."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def terminate(self) -> None:
        """Send it SIGTERM until it ends: the first process of all misses what it does not await."""
        for _ in range(60):
            for child in _children(self.process):
                child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.5)
                return


def _children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The first process of a namespace; none once it has ended."""
    return [] if process.poll() is not None else psutil.Process(process.pid).children()


def empty_machine(folder: Path) -> Machine:
    """A machine whose root is that folder.

    Skips the test where its namespaces are not permitted, or this is no Debian.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("useradd") is None:
        pytest.skip("only root of a Linux machine can make another machine of it")
    site = Path(sysconfig.get_path("purelib"))
    if Path(sys.base_prefix) == Path("/usr/local"):
        pytest.skip("Python lies in /usr/local, which another machine has for itself")
    machine = Machine(folder)
    for each in _EMPTY:
        (folder / each).mkdir(parents=True, exist_ok=True)
    machine.see(Path(sys.base_prefix))
    machine.see(site)
    (folder / "var" / "run").symlink_to("/run")
    folder.chmod(0o755)
    (folder / "tmp").chmod(0o1777)
    for each in _PLACES:
        here = Path("/") / each
        if here.is_symlink():
            (folder / each).symlink_to(here.readlink())
        elif here.is_dir():
            pytest.skip(f"{here} is a folder of its own: this is an old Debian")
    shutil.copytree("/etc", folder / "etc", symlinks=True, ignore_dangling_symlinks=True)
    _put_python(folder / ".local")
    done = machine.run("python3", "-c", "print(1)")
    if done.returncode:
        pytest.skip(f"namespaces are not permitted here: {done.stderr.strip()}")
    return machine


def _put_python(local: Path) -> None:
    """As the one of `/usr/local`, that of an image, which a virtual environment can be made of."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    base = Path(sys.base_prefix)
    for name in ("bin", "lib", "sbin"):
        (local / name).mkdir(parents=True)
    (local / "lib" / version).symlink_to(base / "lib" / version)
    for name in ("python", "python3", version):
        (local / "bin" / name).symlink_to(base / "bin" / version)
    pip = local / "bin" / "pip"
    pip.write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    pip.chmod(0o755)
