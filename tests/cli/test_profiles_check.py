"""`taxietl profiles check`: each thing that can be wrong with a connection has its own words."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import psycopg2
import pytest
from command import Taxietl
from documents import check
from months import GREEN_JANUARY
from months import Postgres as Warehouse
from postgres import Server
from postgres_binaries import binaries
from psycopg2.extensions import parse_dsn


def _profile(kind: str, **values: object) -> None:
    """Configure one profile named `it`; text values only."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    Path("taxietl.toml").write_text("\n".join(["[profiles.it]", f'type = "{kind}"', *lines]))
    Path("taxietl.toml").chmod(0o600)


def _postgres(url: str, **changed: object) -> None:
    given = parse_dsn(url)
    _profile(
        "postgres",
        **{
            "host": given["host"],
            "port": int(given["port"]),
            "database": given["dbname"],
            "user": given["user"],
            "password": given["password"],
            **changed,
        },
    )


def _execute(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def _schemas(url: str) -> list[str]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def stranger(warehouse: str) -> Iterator[str]:
    """A user who may connect to the database, and create nothing in it."""
    name = f"stranger_{uuid.uuid4().hex[:8]}"
    _execute(
        warehouse,
        f"CREATE ROLE {name} LOGIN PASSWORD 'no-secret'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    )
    yield name
    _execute(warehouse, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@contextmanager
def _answering(reply: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of something that is not our server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    return
                with caller:
                    reply(caller)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _as_postgres_13(caller: socket.socket) -> None:
    """Let the caller in as that server would. Source: PostgreSQL, "Message Formats"."""
    caller.recv(4096)
    said = b"R" + (8).to_bytes(4, "big") + (0).to_bytes(4, "big")
    for name, value in (
        ("server_version", "13.9"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("standard_conforming_strings", "on"),
    ):
        body = f"{name}\0{value}\0".encode()
        said += b"S" + (4 + len(body)).to_bytes(4, "big") + body
    caller.sendall(said + b"Z" + (5).to_bytes(4, "big") + b"I")
    caller.recv(4096)


def test_a_good_server_is_named_with_version_address_database_and_user(
    taxietl: Taxietl, warehouse: str, postgres: Server
) -> None:
    _postgres(warehouse)
    before = _schemas(warehouse)

    done = taxietl("profiles", "check", "it")

    given = parse_dsn(warehouse)
    assert done.code == 0, done.out
    (line,) = done.out.splitlines()
    assert line.startswith("ok ")
    for word in ("PostgreSQL 1", given["dbname"], "user taxietl", f"127.0.0.1:{postgres.port}"):
        assert word in line
    assert _schemas(warehouse) == before


def test_no_server_at_that_port(taxietl: Taxietl, warehouse: str) -> None:
    _postgres(warehouse, port=1)

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "No server answers" in done.out
    assert "`port`" in done.out


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param(
            {"password": "wrong"}, ("wrong user or password", "another server"), id="password"
        ),
        pytest.param({"database": "nowhere"}, ("nowhere", "createdb"), id="database"),
        pytest.param(
            {"schema": "elsewhere"}, ("no schema elsewhere", "CREATE SCHEMA"), id="schema"
        ),
        pytest.param({"sslmode": "require"}, ("SSL", "`sslmode`"), id="server without TLS"),
    ],
)
def test_what_is_wrong_has_its_own_words(
    taxietl: Taxietl, warehouse: str, changed: dict[str, str], words: tuple[str, ...]
) -> None:
    _postgres(warehouse, **changed)

    done = taxietl("profiles", "check", "it")

    assert done.code == 5, done.out
    assert done.out.startswith("failed ")
    for word in words:
        assert word in done.out
    assert parse_dsn(warehouse)["password"] not in done.out + done.err


def test_a_secret_that_is_not_at_hand_is_a_matter_of_the_configuration(
    taxietl: Taxietl, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAXI_PASSWORD", raising=False)
    Path("taxietl.toml").write_text(
        '[profiles.it]\ntype = "postgres"\npassword = { env = "TAXI_PASSWORD" }\n'
    )

    done = taxietl("profiles", "check", "it")

    assert done.code == 2
    assert "TAXI_PASSWORD is not set" in done.out


def test_missing_rights_come_with_the_grants_that_mend_them(
    taxietl: Taxietl, warehouse: str, stranger: str
) -> None:
    _postgres(warehouse, user=stranger, password="no-secret")

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    grants = [f"{each};" for each in done.out.strip().split("allow it: ")[1].split(";") if each]
    assert len(grants) == 2
    _execute(warehouse, *grants)
    assert taxietl("profiles", "check", "it").code == 0


@pytest.mark.parametrize(
    ("made", "hint"),
    [("yellow_trips", "--table NAME"), ("taxietl_loads", "the ledger needs that name")],
)
def test_a_table_that_taxietl_did_not_make_is_found(
    taxietl: Taxietl, warehouse: str, made: str, hint: str
) -> None:
    _execute(warehouse, f"CREATE TABLE {made} (a int)")
    _postgres(warehouse)

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert f"a table or view {made} that taxietl did not make" in done.out
    assert hint in done.out


def test_the_trips_that_are_there_are_named(taxietl: Taxietl, warehouse: str) -> None:
    _postgres(warehouse)
    empty = taxietl("profiles", "check", "it")
    Warehouse(warehouse).load(3)
    Warehouse(warehouse).load(3, GREEN_JANUARY)

    done = taxietl("profiles", "check", "it")

    assert "schema public: no trips yet." in empty.out
    assert "schema public: trips lie in yellow_trips, green_trips." in done.out


def test_tables_of_another_user_come_with_the_grant_that_mends_it(
    taxietl: Taxietl, warehouse: str, stranger: str
) -> None:
    Warehouse(warehouse).load(3)
    _execute(
        warehouse,
        f"GRANT CREATE, USAGE ON SCHEMA public TO {stranger}",
        f"GRANT CREATE, USAGE ON SCHEMA taxietl_parts TO {stranger}",
    )
    _postgres(warehouse, user=stranger, password="no-secret")

    done = taxietl("profiles", "check", "it")
    _execute(warehouse, done.out.strip().split("share its rights: ")[1])

    assert done.code == 5
    assert "taxietl_loads, taxietl_months, taxietl_rejects, yellow_trips" in done.out
    assert "belong to taxietl" in done.out
    assert taxietl("profiles", "check", "it").code == 0
    theirs = warehouse.replace(warehouse.split("//")[1].split("@")[0], f"{stranger}:no-secret")
    assert Warehouse(theirs).load(4, force=True).action == "replaced"


def test_rights_in_the_partitions_schema_are_asked_where_it_is_there(
    taxietl: Taxietl, warehouse: str, stranger: str
) -> None:
    _execute(
        warehouse,
        "CREATE SCHEMA taxietl_parts",
        f"GRANT CREATE, USAGE ON SCHEMA public TO {stranger}",
    )
    _postgres(warehouse, user=stranger, password="no-secret")

    refused = taxietl("profiles", "check", "it")
    _execute(warehouse, f"GRANT CREATE, USAGE ON SCHEMA taxietl_parts TO {stranger}")

    assert refused.code == 5
    assert "ON SCHEMA taxietl_parts" in refused.out
    assert "ON DATABASE" not in refused.out
    assert taxietl("profiles", "check", "it").code == 0


def test_no_right_to_connect_is_not_taken_for_a_missing_database(
    taxietl: Taxietl, warehouse: str, stranger: str
) -> None:
    database = parse_dsn(warehouse)["dbname"]
    _execute(warehouse, f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC")
    _postgres(warehouse, user=stranger, password="no-secret")

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "may not connect" in done.out


def test_a_user_that_does_not_exist_is_told(taxietl: Taxietl, home: Path, postgres: Server) -> None:
    _profile("postgres", host=str(postgres.folder), port=postgres.port, user="nobody_here")

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "there is no such user" in done.out


def test_a_read_only_server_takes_no_loads(taxietl: Taxietl, warehouse: str) -> None:
    database = parse_dsn(warehouse)["dbname"]
    _execute(warehouse, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    _postgres(warehouse)

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "read-only" in done.out


def test_a_server_that_wants_tls_is_not_taken_for_one_without_the_database(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    with Server(binaries(), tmp_path / "postgres.log") as server:
        rules = server.data / "pg_hba.conf"
        rules.write_text("hostssl all all all scram-sha-256\nlocal all all trust\n")
        _execute(server.socket_url(), "SELECT pg_reload_conf()")
        _postgres(server.url(), sslmode="disable")

        done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "does not let this connection in" in done.out
    assert "`sslmode`" in done.out


def test_a_server_that_is_too_old_is_told_with_the_oldest_that_works(
    taxietl: Taxietl, home: Path
) -> None:
    with _answering(_as_postgres_13) as port:
        _profile("postgres", host="127.0.0.1", port=port, user="me", sslmode="disable")
        done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "PostgreSQL 13, which is too old" in done.out
    assert "14 is the oldest that works" in done.out


def test_what_is_no_postgresql_at_all_is_told(taxietl: Taxietl, home: Path) -> None:
    def refuse(caller: socket.socket) -> None:
        caller.recv(4096)
        caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with _answering(refuse) as port:
        _profile("postgres", host="127.0.0.1", port=port, user="me")
        done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "not PostgreSQL" in done.out


def test_a_duckdb_file_that_is_not_there_will_be_made_and_is_not(
    taxietl: Taxietl, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "taxi.duckdb"
    _profile("duckdb", path=str(path))

    done = taxietl("profiles", "check", "it")

    assert done.code == 0
    assert "first load makes it" in done.out
    assert not path.parent.exists()


def test_a_duckdb_file_opens(taxietl: Taxietl, tmp_path: Path) -> None:
    path = tmp_path / "taxi.duckdb"
    duckdb.connect(str(path)).close()
    before = path.read_bytes()
    _profile("duckdb", path=str(path))

    done = taxietl("profiles", "check", "it")

    assert done.code == 0
    assert f"{path} opens" in done.out
    assert path.read_bytes() == before


@pytest.mark.parametrize("named", ["it", "it/taxi.duckdb"], ids=["another file", "below a file"])
def test_what_is_no_duckdb_file_is_told(taxietl: Taxietl, tmp_path: Path, named: str) -> None:
    (tmp_path / "it").write_text("a letter to somebody")
    _profile("duckdb", path=str(tmp_path / named))

    done = taxietl("profiles", "check", "it")

    assert done.code == 5
    assert "not a" in done.out


@pytest.mark.usefixtures("impatient")
def test_a_duckdb_file_in_use_is_for_later(taxietl: Taxietl, tmp_path: Path) -> None:
    path = tmp_path / "taxi.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        _profile("duckdb", path=str(path))

        done = taxietl("profiles", "check", "it")

    assert done.code == 75
    assert f"process {holder.pid}" in done.out


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        pytest.param(None, 2, "cannot be read", id="no file"),
        pytest.param("{}", 2, "not a service account's key", id="another kind of JSON"),
        pytest.param("key", 2, "is not JSON", id="not JSON"),
    ],
)
def test_a_google_key_is_read_without_a_network(
    taxietl: Taxietl, tmp_path: Path, text: str | None, code: int, words: str
) -> None:
    key = tmp_path / "key.json"
    if text is not None:
        key.write_text(text)
    _profile("gcp-credentials", service_account_file=str(key))

    done = taxietl("profiles", "check", "it")

    assert done.code == code
    assert words in done.out


def test_a_folder_need_not_be_there_but_must_be_one(taxietl: Taxietl, tmp_path: Path) -> None:
    _profile("folder", path=str(tmp_path / "on" / "lake"))

    missing = taxietl("profiles", "check", "it")
    (tmp_path / "on" / "lake").mkdir(parents=True)
    there = taxietl("profiles", "check", "it")
    (tmp_path / "on" / "lake").rmdir()
    (tmp_path / "on" / "lake").touch()
    no_folder = taxietl("profiles", "check", "it")
    (tmp_path / "on" / "lake").unlink()
    (tmp_path / "on").rmdir()
    (tmp_path / "on").touch()
    not_to_be_made = taxietl("profiles", "check", "it")

    assert (missing.code, there.code) == (0, 0), missing.out
    assert "the first upload makes it" in missing.out
    assert (no_folder.code, not_to_be_made.code) == (5, 5)
    assert "lake is not a folder" in no_folder.out
    assert "on is not a folder" in not_to_be_made.out


def test_all_profiles_are_checked_and_the_worst_code_counts(taxietl: Taxietl, home: Path) -> None:
    _profile("postgres", host="127.0.0.1", port=1, user="me")

    done = taxietl("profiles", "check", "--json")

    check(done.document, "profile_check")
    states = {each["name"]: each["state"] for each in done.document["checks"]}
    assert states == {"it": "failed", "warehouse": "ok"}
    assert done.code == done.document["exit_code"] == 5


def test_an_unknown_profile_is_refused_before_any_is_asked(taxietl: Taxietl, home: Path) -> None:
    done = taxietl("profiles", "check", "warehouse", "warehous")

    assert done.code == 2
    assert done.out == ""
    assert "Did you mean 'warehouse'?" in done.err
