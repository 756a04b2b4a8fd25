"""PostgreSQL over TLS: every `sslmode` loads where it should, and says what is wrong elsewhere.

The wheel's server has no TLS, so this takes the machine's; where there is none it skips.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from certificates import certificate_for
from command import Done, Taxietl, check_refused
from postgres import Server
from postgres_binaries import machine_binaries

from taxietl.extract.synthetic import write
from taxietl.load.postgres.errors import meant

NAME = "localhost"
"""In the certificate; the server is at 127.0.0.1, too, which is another name."""


@dataclass(frozen=True)
class Encrypted:
    """A server with TLS, the certificate that signed its own, and another."""

    server: Server
    root: Path
    other_root: Path

    def answer(self, statement: str) -> object:
        """One value, asked without TLS."""
        connection = psycopg2.connect(self.server.socket_url())
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()[0][0]


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """A server that notes each connection's encryption in its log."""
    bindir = machine_binaries()
    if bindir is None or shutil.which("openssl") is None:
        pytest.skip("no PostgreSQL with TLS: apt-get install postgresql openssl")
    folder = tmp_path_factory.mktemp("tls")
    ours, other = (certificate_for(NAME, folder / name) for name in ("ours", "other"))
    server = Server(bindir, folder / "log", settings={"ssl": "on", "log_connections": "on"})
    ours.show(server)
    with server:
        yield Encrypted(server, ours.certificate, other.certificate)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with one small month."""
    (tmp_path / "files").mkdir()
    write(tmp_path / "files" / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=20)
    return tmp_path / "files"


def ingest(taxietl: Taxietl, files: Path) -> Done:
    """Load the month, whatever is there."""
    month = ("--color", "green", "--year", "2021", "--month", "1")
    return taxietl("ingest", *month, "--source", files, "--force")


def configure(server: Server, **values: object) -> None:
    """A profile of its parts."""
    url = urlsplit(server.url())
    given = {
        "type": "postgres",
        "host": "127.0.0.1",
        "port": server.port,
        "database": "postgres",
        "user": url.username,
        "password": url.password,
        **values,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    Path("taxietl.toml").write_text("\n".join(["[profiles.warehouse]", *lines]))


@pytest.mark.parametrize(
    ("sslmode", "host", "has_root"),
    [
        ("prefer", "127.0.0.1", False),
        ("require", "127.0.0.1", False),
        ("verify-ca", "127.0.0.1", True),
        ("verify-full", NAME, True),
    ],
)
def test_a_month_is_loaded_over_tls(
    taxietl: Taxietl, encrypted: Encrypted, files: Path, sslmode: str, host: str, has_root: bool
) -> None:
    root = {"sslrootcert": str(encrypted.root)} if has_root else {}
    configure(encrypted.server, sslmode=sslmode, host=host, **root)
    before = len(encrypted.server.log.read_text())

    checked = taxietl("profiles", "check", "warehouse")
    loaded = ingest(taxietl, files)

    assert (checked.code, loaded.code) == (0, 0), checked.out + loaded.err
    assert encrypted.answer("SELECT rows_loaded <= 20 FROM taxietl_months") is True
    log = encrypted.server.log.read_text()[before:]
    ours = [line for line in log.splitlines() if "authorized: user=taxietl database=" in line]
    over_tcp = [line for line in ours if "application_name=taxietl" in line]
    assert over_tcp
    assert all("SSL enabled" in line for line in over_tcp)


@pytest.mark.parametrize(
    ("sslmode", "host", "root", "words"),
    [
        pytest.param(
            *("verify-ca", "127.0.0.1", "other_root"),
            ("not signed by whom the profile trusts", "certificate verify failed", "`sslrootcert`"),
            id="another root",
        ),
        pytest.param(
            *("verify-full", NAME, "other_root"),
            ("not signed by whom the profile trusts", "PGSSLROOTCERT"),
            id="another root, and the name",
        ),
        pytest.param(
            *("verify-full", "127.0.0.1", "root"),
            ("a certificate for another host", 'does not match host name "127.0.0.1"', "`host`"),
            id="another name",
        ),
        pytest.param(
            *("verify-ca", "127.0.0.1", None),
            ("no root certificates", "root.crt", "`sslrootcert`"),
            id="no root",
        ),
    ],
)
def test_a_certificate_that_is_not_trusted_is_told_by_check_and_ingest(
    taxietl: Taxietl,
    encrypted: Encrypted,
    files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sslmode: str,
    host: str,
    root: str | None,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # libpq looks for a root certificate there, too
    given = {"sslrootcert": str(getattr(encrypted, root))} if root else {}
    configure(encrypted.server, sslmode=sslmode, host=host, **given)

    checked = taxietl("profiles", "check", "warehouse")
    refused = ingest(taxietl, files)

    assert checked.code == 5
    for word in words:
        assert word in checked.out
    check_refused(refused, 5, *words)


def test_a_root_certificate_may_come_from_the_environment(
    taxietl: Taxietl, encrypted: Encrypted, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGSSLROOTCERT", str(encrypted.root))
    configure(encrypted.server, sslmode="verify-full", host=NAME)

    assert ingest(taxietl, files).code == 0


def test_a_server_without_tls_is_told_by_check_and_ingest(
    taxietl: Taxietl, postgres: Server, files: Path
) -> None:
    configure(postgres, sslmode="require")

    checked = taxietl("profiles", "check", "warehouse")
    refused = ingest(taxietl, files)

    assert checked.code == 5
    assert "has no TLS, which the profile demands" in checked.out
    check_refused(refused, 5, "has no TLS, which the profile demands", "`sslmode`")


def test_a_connection_over_tls_that_is_cut_is_told_as_lost(encrypted: Encrypted) -> None:
    url = f"{encrypted.server.url()}?sslmode=require"
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        with socket.socket(fileno=os.dup(connection.fileno())) as cut:
            cut.shutdown(socket.SHUT_RDWR)
        with pytest.raises(psycopg2.Error) as lost:
            cursor.execute("SELECT 1")

    error = meant(lost.value, "the database")

    assert "SSL" in error.message
    assert "the connection to the database was lost" in error.message.lower()
    assert "sslmode" not in error.hint
