"""A database's URL where a profile's name is expected: it works, and its password stays unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest
from command import Done, Taxietl, check_refused
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from taxietl.config import load_settings
from taxietl.errors import ConfigError
from taxietl.extract.synthetic import write
from taxietl.load.postgres.profile import PostgresProfile

MONTH = ("--color", "green", "--year", "2021", "--month", "1")
PLANTED = "p@ss/w:rd %41?#"
"""Of a role; a URL has to have it percent-encoded."""


@pytest.fixture
def url(warehouse: str) -> Iterator[str]:
    """A URL of an empty database whose user has that password."""
    role = sql.Identifier(f"role_{parse_dsn(warehouse)['dbname']}")
    database = sql.Identifier(parse_dsn(warehouse)["dbname"])
    with closing(psycopg2.connect(warehouse)) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PLANTED))
            )
            cursor.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, role))
            cursor.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(role))
            given = parse_dsn(warehouse)
            yield (
                f"postgresql+psycopg2://{role.string}:{quote(PLANTED, safe='')}"
                f"@{given['host']}:{given['port']}/{given['dbname']}"
            )
            cursor.execute(sql.SQL("DROP OWNED BY {}").format(role))
            cursor.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    found = tmp_path / "green_tripdata_2021-01.csv"
    write(found, "green", 2021, 1, rows=20)
    return found


def has_no_password(home: Path, *dones: Done) -> bool:
    files = (each.read_bytes() for each in home.rglob("*") if each.is_file())
    texts = [each.out + each.err for each in dones] + [each.decode("latin-1") for each in files]
    return not any(each in text for text in texts for each in (PLANTED, quote(PLANTED, safe="")))


def test_a_url_is_taken_by_every_command_and_its_password_seen_nowhere(
    taxietl: Taxietl, home: Path, url: str, source: Path
) -> None:
    done = [
        taxietl("ingest", *MONTH, "--source", source, "--to", url, "--debug"),
        taxietl("sql", "SELECT count(*) AS n FROM green_trips", "--on", url),
        taxietl("verify", "--color", "green", "--on", url),
        taxietl("inspect", *MONTH, "--on", url),
        taxietl("rejects", "ls", "--on", url),
        taxietl("zones", "--source", _zones(source.parent), "--to", url),
        taxietl("profiles", "check", url),
        taxietl("runs", "ls", "--json"),
        *(taxietl("runs", what, name) for what in ("show", "logs") for name in ("green-2021-01",)),
    ]

    assert [each.code for each in done] == [0] * len(done), [each.err for each in done]
    assert done[1].out.split() == ["n", "20"]
    assert has_no_password(home, *done)
    (run, *_) = [each for each in done[7].document["runs"] if each["flow"] == "Ingest data"]
    named = url.replace(quote(PLANTED, safe=""), "***")
    assert run["parameters"]["options"]["to"] == named
    assert named in done[6].out


def _zones(folder: Path) -> Path:
    path = folder / "taxi_zone_lookup.csv"
    rows = "".join(f'{each},"Queens","Zone {each}","Boro Zone"\n' for each in range(1, 266))
    path.write_text(f'"LocationID","Borough","Zone","service_zone"\n{rows}')
    return path


def test_a_variable_with_a_url_is_a_name_that_can_be_resumed(
    taxietl: Taxietl, home: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_DATABASE", url)
    source = _cut(tmp_path)

    failed = taxietl("ingest", *MONTH, "--source", source, "--to", "env:MY_DATABASE")
    write(source, "green", 2021, 1, rows=20)
    resumed = taxietl("runs", "resume", "green-2021-01")

    assert failed.code == 4, failed.err
    assert resumed.code == 0, resumed.err
    assert has_no_password(home, failed, resumed)


def test_a_run_with_a_typed_url_is_resumed_once_that_is_given_again(
    taxietl: Taxietl, home: Path, url: str, tmp_path: Path
) -> None:
    source = _cut(tmp_path)
    failed = taxietl("ingest", *MONTH, "--source", source, "--to", url)
    write(source, "green", 2021, 1, rows=20)

    without = taxietl("runs", "resume", "green-2021-01")
    other = taxietl(
        "runs", "resume", "green-2021-01", "--to", url.replace("127.0.0.1", "127.0.0.2")
    )
    again = taxietl("runs", "resume", "green-2021-01", "--to", url)

    assert failed.code == 4, failed.err
    check_refused(without, 2, "--to 'postgresql://…'", "env:NAME", "password is kept nowhere")
    check_refused(other, 2, "127.0.0.2")
    assert again.code == 0, again.err
    assert has_no_password(home, failed, without, other, again)


def _cut(folder: Path) -> Path:
    """A month that is refused."""
    path = folder / "green_tripdata_2021-01.csv"
    write(path, "green", 2021, 1, rows=20)
    path.write_text(path.read_text() + '1,2,"3\n')
    return path


def test_a_duckdb_file_has_a_url_too(taxietl: Taxietl, source: Path) -> None:
    loaded = taxietl("ingest", *MONTH, "--source", source, "--to", "duckdb:///mine.duckdb")
    asked = taxietl(
        *("sql", "SELECT count(*) AS n FROM green_trips"),
        *("--on", f"duckdb:///{Path('mine.duckdb').resolve()}"),
    )

    assert loaded.code == 0, loaded.err
    assert asked.out.split() == ["n", "20"]
    assert taxietl("runs", "resume", "green-2021-01").code == 0


def test_a_flow_names_a_database_by_its_url_too(
    home: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_DATABASE", url)
    settings = load_settings(home=home)

    for name in (url, "env:MY_DATABASE"):
        found = settings.profile(name, PostgresProfile)
        with found.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        shown = f"{found!r} {found} {found.name} {found.describe()} {connection.engine.url}"
        assert quote(PLANTED, safe="") not in shown
        assert PLANTED not in shown


def test_a_url_may_stand_in_the_configuration(
    taxietl: Taxietl, home: Path, url: str, source: Path
) -> None:
    Path("taxietl.toml").write_text(f"[ingest]\nto = {json.dumps(url)}\n")

    loaded = taxietl("ingest", *MONTH, "--source", source)
    asked = taxietl("sql", "SELECT count(*) AS n FROM green_trips")

    assert (loaded.code, asked.code) == (0, 0), loaded.err
    assert "taxietl.toml: ingest.to is a secret written out" in loaded.err
    assert has_no_password(home, loaded, asked)


WRONG = {
    "another database": "mysql://root:hunter2@127.0.0.1/db",
    "no port": "postgresql://root:hunter2@127.0.0.1:x/db",
    "unescaped": "postgresql://root:hunter2@hunter2/w@127.0.0.1/db",
    "blanks": "postgresql://root:hunter2 x@127.0.0.1:a b/db",
    "an unknown keyword": "postgresql://root@127.0.0.1/db?passwort=1&password=hunter2",
    "a bad escape": "postgresql://root:hunter2%zz@127.0.0.1/db",
    "a connection string": "host=127.0.0.1 password=hunter2 dbname=db",
    "a quoted one": "host=127.0.0.1 password='hunter2 hunter2'",
    "no scheme": "root:hunter2@127.0.0.1",
    "a bucket": "gs://bucket/x?token=hunter2",
    "no file": "duckdb://u:hunter2@",
    "in memory": "duckdb:///:memory:",
    "a variable": "env:HUNTER",
    "no variable": "env:NOT_SET",
    "a masked one": "postgresql://root:***@127.0.0.1/db",
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize(
    "command",
    [
        ("ingest", *MONTH, "--source", "synthetic", "--to"),
        ("sql", "SELECT 1", "--on"),
        ("zones", "--to"),
        ("upload-gcs", *MONTH, "--source", "synthetic", "--to"),
    ],
    ids=lambda command: command[0],
)
def test_what_is_no_url_of_a_database_is_refused_without_being_shown(
    taxietl: Taxietl,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    given: str,
) -> None:
    monkeypatch.setenv("HUNTER", "hunter2")

    done = taxietl(*command, given, "--debug")

    assert done.code == 2, done.err
    assert done.err.count("error: ") == done.err.count("hint: ") == 1
    assert "hunter2" not in done.out + done.err
    assert b"hunter2" not in b"".join(each.read_bytes() for each in home.rglob("*.db*"))


@pytest.mark.parametrize("key", ["host", "database", "user", "schema", "sslrootcert"])
@pytest.mark.parametrize(
    "value",
    [
        "postgresql://u:hunter2@127.0.0.1/db",
        "u:hunter2@127.0.0.1",
        "host=h password=hunter2",
        "postgresql://u@127.0.0.1/?sslpassword=hunter2",
    ],
    ids=["URL", "no scheme", "connection string", "in the query"],
)
def test_no_value_that_is_shown_may_hold_a_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    text = f"[profiles.pg]\ntype = 'postgres'\n{key} = \"{value}\"\n"
    Path("taxietl.toml").write_text(text)
    with pytest.raises(ConfigError) as in_file:
        load_settings(home=home)
    Path("taxietl.toml").write_text("[profiles.pg]\ntype = 'postgres'\n")
    monkeypatch.setenv(f"TAXIETL_PROFILES__PG__{key.upper()}", value)
    with pytest.raises(ConfigError) as in_variable:
        load_settings(home=home)

    assert f"profiles.pg.{key}: must hold no password" in in_file.value.message
    assert f"TAXIETL_PROFILES__PG__{key.upper()}: must hold" in in_variable.value.message
    assert "hunter2" not in f"{in_file.value} {in_variable.value}"


def test_an_address_in_the_place_of_a_host_belongs_in_url(home: Path) -> None:
    Path("taxietl.toml").write_text("[profiles.pg]\ntype = 'postgres'\nhost = 'postgresql://h'\n")

    with pytest.raises(ConfigError, match="must not be an address"):
        load_settings(home=home)
