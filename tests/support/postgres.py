"""A PostgreSQL server of the tests' own, gone with the process that began it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from ports import free_port
from postgres_binaries import NoServerError, account

USER = "taxietl"


class Server:
    """One server with its own data, from `start` (or `with`) to `close`; may stop in between."""

    def __init__(
        self,
        bindir: Path,
        log: Path,
        *,
        is_durable: bool = False,
        settings: Mapping[str, str] | None = None,
        disk: Path | None = None,
    ) -> None:
        """Make its data folder.

        Args:
            bindir: where `initdb` and `postgres` are.
            log: what the server prints; kept when it is gone.
            is_durable: wait for the disk, as real servers do, so that a crash loses nothing.
            settings: more lines of postgresql.conf.
            disk: where its folder is made; a path as short as a socket's has to be.
        """
        self._bindir = bindir
        self._account = account()
        self.log = log
        self._settings = {**({} if is_durable else _FAST), **(settings or {})}
        self._password = secrets.token_hex(8)
        # Not under pytest's own folder: the account could not enter it, and a socket's path
        # has at most 107 bytes.
        short = disk or ("/tmp" if Path("/tmp").is_dir() else None)
        self.folder = Path(tempfile.mkdtemp(prefix=f"taxietl-pg-{os.getpid()}-", dir=short))
        self.data = self.folder / "data"
        self._account.own(self.folder)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._make_data()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The postmaster's."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """How users connect: TCP, with a password."""
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """Over the socket, without a password."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def start(self, timeout_seconds: float = 60) -> None:
        """Start it, and wait until it answers.

        Call it from the main thread: a server ends with the thread that began it.

        Raises:
            NoServerError: it did not start; the log's end is in the message.
        """
        self.port = self.port or free_port()
        places = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        options = [f"--{name}={value}" for name, value in {**places, **self._settings}.items()]
        postgres = self._bindir / "postgres"
        command = self._account.command(postgres, "-D", self.data, *options)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_plain(), cwd="/"
            )
        end = time.monotonic() + timeout_seconds
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop("immediate")
                said = self.log.read_text(errors="replace")[-2000:]
                raise NoServerError(f"{postgres} did not start. {self.log}:\n{said}")
            time.sleep(0.01)

    def stop(self, mode: str = "fast") -> None:
        """Stop it as `pg_ctl stop -m fast` or `immediate` would; its data stay."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(_SIGNALS[mode])
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
        self._process = None

    def close(self) -> None:
        """Stop it and remove its data; the log stays."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_data(self) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        self._account.own(password)
        command = self._account.command(
            self._bindir / "initdb",
            *("-D", self.data, "-U", USER, "--encoding=UTF8", "--locale=C", "--no-sync"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
        )
        made = subprocess.run(
            command, capture_output=True, text=True, env=_plain(), cwd="/", check=False
        )
        password.unlink()
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise NoServerError(f"{command[-8:]} failed:\n{made.stderr}")

    def _is_ready(self) -> bool:
        """Whether the server says so: in line 8 of its own file, with its own pid in line 1."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready" and int(lines[0]) == self.pid


_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


def remove_leftovers() -> None:
    """Remove the data of servers whose process was killed before it could."""
    for folder in Path("/tmp").glob("taxietl-pg-*-*"):
        owner = re.fullmatch(r"taxietl-pg-(\d+)-\w+", folder.name)
        if owner and not _is_alive(int(owner[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _plain() -> dict[str, str]:
    """Our environment without what would change the server's ways or its words."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
