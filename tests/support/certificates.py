"""Certificates that sign themselves, made by the machine's `openssl`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from postgres import Server
from postgres_binaries import account


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    certificate: Path
    key: Path

    def show(self, server: Server) -> None:
        """Have a server, which is not started yet, show it."""
        for source, name in ((self.certificate, "server.crt"), (self.key, "server.key")):
            copy = server.data / name
            shutil.copy(source, copy)
            copy.chmod(0o600)
            account().own(copy)


def certificate_for(host: str, folder: Path) -> Certificate:
    """A new one for that host name; whoever trusts it as a root trusts it as a server's."""
    made = Certificate(folder / "server.crt", folder / "server.key")
    folder.mkdir()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"),
            *("-out", made.certificate, "-keyout", made.key),
        ],
        check=True,
        capture_output=True,
    )
    return made
