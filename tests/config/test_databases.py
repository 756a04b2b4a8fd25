"""Profiles of databases: what they take, what they refuse, what they show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from taxietl.config import load_settings
from taxietl.errors import ConfigError
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.postgres.profile import PostgresProfile

Write = Callable[[str], Path]
PLANTED = "hunter2-planted"


def postgres(write: Write, lines: str) -> PostgresProfile:
    text = f'[profiles.pg]\ntype = "postgres"\n{lines}\n'
    return load_settings(config=write(text)).profile("pg", PostgresProfile)


def duckdb(write: Write, lines: str) -> DuckDBProfile:
    text = f'[profiles.local]\ntype = "duckdb"\n{lines}\n'
    return load_settings(config=write(text)).profile("local", DuckDBProfile)


def test_postgres_has_libpqs_defaults(write: Write) -> None:
    found = postgres(write, "")

    assert found.libpq_parameters() == {"host": "localhost", "port": "5432", "sslmode": "prefer"}
    assert found.schema_name == "public"


def test_parts_left_out_are_libpqs_from_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "db")
    monkeypatch.setenv("PGPORT", "5433")
    monkeypatch.setenv("PGSSLMODE", "require")

    found = postgres(write, 'host = "other"')

    assert found.libpq_parameters() == {"host": "other", "port": "5433", "sslmode": "require"}
    assert postgres(write, "").libpq_parameters()["host"] == "db"
    assert postgres(write, 'url = "postgresql:///ny"').libpq_parameters() == {"dbname": "ny"}

    monkeypatch.setenv("PGPORT", "many")
    with pytest.raises(ConfigError, match=r"profiles\.pg\.port: "):
        postgres(write, "")


def test_postgres_hands_its_parts_to_libpq(write: Write) -> None:
    found = postgres(
        write,
        'host = "db"\nport = 5433\ndatabase = "ny_taxi"\nschema = "taxi"\nuser = "root"\n'
        f'password = "{PLANTED}"\nsslmode = "verify-full"',
    )

    assert found.libpq_parameters() == {
        "host": "db",
        "port": "5433",
        "dbname": "ny_taxi",
        "user": "root",
        "password": PLANTED,
        "sslmode": "verify-full",
    }
    assert found.describe() == {
        "type": "postgres",
        "host": "db",
        "port": 5433,
        "database": "ny_taxi",
        "schema": "taxi",
        "user": "root",
        "password": "**********",
        "sslmode": "verify-full",
    }


def test_a_root_certificate_is_looked_for_beside_the_configuration(write: Write) -> None:
    found = postgres(write, 'sslmode = "verify-full"\nsslrootcert = "certs/root.crt"')

    path = write("").parent / "certs" / "root.crt"
    assert found.libpq_parameters()["sslrootcert"] == str(path)
    assert found.describe()["sslrootcert"] == str(path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_a_url_is_taken_apart_when_it_is_used(
    write: Write, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = postgres(write, 'url = { env = "DATABASE_URL" }\nschema = "taxi"')
    assert found.describe() == {"type": "postgres", "url": "env:DATABASE_URL", "schema": "taxi"}

    monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p%40ss@db:5433/ny?sslmode=require\n")
    assert found.libpq_parameters() == {
        "host": "db",
        "port": "5433",
        "dbname": "ny",
        "user": "u",
        "password": "p@ss",
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:{}@db/ny",
        "host=db password={}",
        "postgresql://u:{}@db:port/ny",
        "postgresql://u:{}/x@db/ny",
        "postgresql://u:12/{}@db/ny",
        "postgresql://u@db/ny?pasword={}",
    ],
)
def test_a_url_that_is_none_is_refused_without_showing_it(
    write: Write, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url.format(PLANTED))
    found = postgres(write, 'url = { env = "DATABASE_URL" }')

    with pytest.raises(ConfigError) as caught:
        found.libpq_parameters()

    assert "profiles.pg.url" in str(caught.value)
    assert PLANTED not in str(caught.value) + caught.value.hint
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("port = 0", "profiles.pg.port: must be at least 1"),
        ("port = 65536", "profiles.pg.port: must be at most 65535"),
        ("port = 54.32", "profiles.pg.port: must be a whole number"),
        ('port = "five"', "profiles.pg.port: must be a whole number"),
        ("port = true", "profiles.pg.port: must be a number"),
        ("database = 2021", "profiles.pg.database: must be text in quotes"),
        ('host = ""', "profiles.pg.host: must not be empty"),
        ('schema = ""', "profiles.pg.schema: must not be empty"),
        (f'schema = "{"é" * 32}"', "profiles.pg.schema: is longer than PostgreSQL's 63 bytes"),
        ('sslmode = "on"', "profiles.pg.sslmode: must be 'disable', 'allow', 'prefer', 'require'"),
        ('url = "mysql://db"', "profiles.pg.url: must begin with postgresql://"),
        (
            'url = { env = "U" }\nhost = "db"\nport = 1',
            "profiles.pg: has both url and host, port: give one or the other",
        ),
        ('schema_name = "x"', "profiles.pg.schema_name: unknown key."),
        ('_name = "x"', "profiles.pg._name: unknown key."),
    ],
)
def test_a_wrong_postgres_profile_is_refused(write: Write, lines: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        postgres(write, lines)

    assert said in str(caught.value)


def test_a_duckdb_file_lies_beside_the_configuration(
    write: Write, tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = duckdb(write, 'path = "data/taxi.duckdb"\nmemory_limit = "400MB"')
    monkeypatch.chdir("/")

    assert found.path == tmp_path / "data" / "taxi.duckdb"
    assert found.describe() == {
        "type": "duckdb",
        "path": str(tmp_path / "data" / "taxi.duckdb"),
        "memory_limit": "400MB",
    }


def test_a_duckdb_path_may_begin_at_the_users_home(write: Write, tmp_path: Path) -> None:
    assert duckdb(write, 'path = "~/x.duckdb"').path == tmp_path / "user" / "x.duckdb"


def test_a_duckdb_path_left_out_lies_in_the_home_folder(write: Write, tmp_path: Path) -> None:
    file = write('[profiles.local]\ntype = "duckdb"\n')

    found = load_settings(config=file, home=tmp_path / "home").profile("local", DuckDBProfile)

    assert found.path == tmp_path / "home" / "taxi.duckdb"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('path = ""', "profiles.local.path: must not be empty"),
        ("path = 1", "profiles.local.path: must be a path in quotes"),
        ('path = ":memory:"', "profiles.local.path: must be a file"),
        ('path = "~nobody-of-that-name/x"', "profiles.local.path: names a user with ~"),
        ('path = "a\\u0000b"', "profiles.local.path: must be a path without a NUL"),
        ('memory_limit = "400"', 'profiles.local.memory_limit: must be a size like "400MB"'),
        ('memory_limit = "0MB"', 'profiles.local.memory_limit: must be a size like "400MB"'),
        ('memory_limit = "80%"', 'profiles.local.memory_limit: must be a size like "400MB"'),
        ("memory_limit = 400", "profiles.local.memory_limit: must be text in quotes"),
        ('password = "x"', "profiles.local.password: unknown key. Known: memory_limit, path, type"),
    ],
)
def test_a_wrong_duckdb_profile_is_refused(write: Write, lines: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        duckdb(write, lines)

    assert said in str(caught.value)


@pytest.mark.parametrize("wrong", [{"pasword": PLANTED}, {"port": PLANTED}, {"url": PLANTED}])
def test_a_profile_made_by_hand_hides_what_it_refuses(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        PostgresProfile(**wrong)

    assert PLANTED not in str(caught.value) + repr(caught.value)


def test_a_profile_made_by_hand_needs_no_configuration(bare: Path) -> None:
    by_hand = PostgresProfile(url="postgresql://u:p@db/ny", schema="taxi")

    assert by_hand.libpq_parameters()["host"] == "db"
    assert (by_hand.name, by_hand.schema_name) == ("postgres", "taxi")
    assert DuckDBProfile(path="x.duckdb").path == bare / "x.duckdb"


def test_a_profile_cannot_be_changed(write: Write) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        postgres(write, "").port = 1


def test_a_snippet_quotes_a_schema_that_needs_it(write: Write) -> None:
    plain, odd = (postgres(write, f"schema = '{name}'") for name in ("public", "Taxi"))

    assert 'text("SELECT count(*) FROM public.trips")' in plain.snippet("pg")
    assert """text('SELECT count(*) FROM "Taxi".trips')""" in odd.snippet("pg")
