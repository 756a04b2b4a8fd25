"""PgBouncer in transaction mode, the pooler that many servers can only be reached through.

A Debian package, in no package index: where it is not installed, its tests skip, saying so.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from ports import free_port
from postgres import Server
from postgres_binaries import NoServerError, account

TO_INSTALL = "there is no pgbouncer: apt-get install pgbouncer"

# Debian's folder for it is on root's PATH only.
_PATH = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"


def program() -> Path | None:
    """Where it is installed, if it is."""
    found = shutil.which("pgbouncer", path=_PATH)
    return Path(found) if found else None


class Pooler:
    """One PgBouncer before all databases of a server, from `with` to its end."""

    def __init__(self, pgbouncer: Path, server: Server, log: Path, *, connections: int) -> None:
        """Write its files.

        Args:
            pgbouncer: the program.
            server: what it hands on to; it runs.
            log: what it prints.
            connections: to the server, at most so many a database.
        """
        self._account = account()
        self._pgbouncer = pgbouncer
        self._log = log
        self._folder = Path(tempfile.mkdtemp(prefix="taxietl-pgbouncer-", dir=server.folder))
        self.port = free_port()
        known = urlsplit(server.url())
        users = self._folder / "users"
        users.write_text(f'"{known.username}" "{known.password}"\n')
        self._settings = self._folder / "pgbouncer.ini"
        self._settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {users}\n"
            f"pool_mode = transaction\ndefault_pool_size = {connections}\n"
        )
        for path in (self._folder, users, self._settings):
            self._account.own(path)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Pooler:
        command = self._account.command(self._pgbouncer, "-q", self._settings)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        end = time.monotonic() + 30
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                self._stop()
                raise NoServerError(f"pgbouncer did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def url(self, url: str) -> str:
        """The way through the pooler to what `url` of the server leads to."""
        known = urlsplit(url)
        return known._replace(
            netloc=f"{known.username}:{known.password}@127.0.0.1:{self.port}"
        ).geturl()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)
        shutil.rmtree(self._folder, ignore_errors=True)
