"""`taxietl profiles add`: a table more in the configuration, and nothing else changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Done, Taxietl, check_refused
from documents import check
from psycopg2.extensions import parse_dsn

from taxietl.config import load_settings

CONFIG = Path("taxietl.toml")
BEFORE = '# mine\n[ingest]\nto = "other"  # why\n\n[profiles.other]\ntype = "duckdb"'


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """These commands have nobody to ask, whoever runs the tests."""
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield


def _answered(home: Path, lines: str, *arguments: str) -> Done:
    """The command at a terminal of its own, where somebody types these lines."""
    ours, theirs = os.openpty()
    try:
        os.write(ours, lines.encode())
        done = subprocess.run(
            [sys.executable, "-m", "taxietl", "--home", home, "profiles", "add", *arguments],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return Done(done.returncode, done.stdout, done.stderr)


def test_what_was_added_connects(
    taxietl: Taxietl, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = parse_dsn(warehouse)
    monkeypatch.setenv("TAXI_PASSWORD", given["password"])

    done = taxietl(
        *("profiles", "add", "db", "--type", "postgres", "--json"),
        *(f"--set={key}={given[key]}" for key in ("host", "port", "user")),
        *("--set", f"database={given['dbname']}", "--set", "password=env:TAXI_PASSWORD"),
    )

    assert done.code == 0, done.err
    check(done.document, "profile_add")
    assert done.document["path"] == str(CONFIG.resolve())
    assert f"port = {given['port']}\n" in CONFIG.read_text()
    assert given["password"] not in CONFIG.read_text()
    assert taxietl("profiles", "check", "db").code == 0


def test_a_new_file_is_its_owners_alone(taxietl: Taxietl) -> None:
    done = taxietl("profiles", "add", "lake", "--type", "gcs", "--set", "bucket=trips")

    assert done.code == 0, done.err
    assert str(CONFIG.resolve()) in done.out
    assert CONFIG.read_text() == '[profiles.lake]\ntype = "gcs"\nbucket = "trips"\n'
    assert CONFIG.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_rest_of_the_file_and_its_mode_stay_as_they_were(
    taxietl: Taxietl, newline: str
) -> None:
    before = BEFORE.replace("\n", newline).encode()
    CONFIG.write_bytes(before)
    CONFIG.chmod(0o640)

    done = taxietl("profiles", "add", "second", "--type", "duckdb", "--set", "path=b.duckdb")

    assert done.code == 0, done.err
    added = '\n\n[profiles.second]\ntype = "duckdb"\npath = "b.duckdb"\n'
    assert CONFIG.read_bytes() == before + added.replace("\n", newline).encode()
    assert CONFIG.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in Path.cwd().iterdir()] == [CONFIG.name]


def test_a_linked_file_stays_a_link(taxietl: Taxietl, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(BEFORE)
    CONFIG.symlink_to(real)

    done = taxietl("profiles", "add", "second", "--type", "duckdb")

    assert done.code == 0, done.err
    assert CONFIG.is_symlink()
    assert "[profiles.second]" in real.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("other", "--type", "duckdb"), "already", id="name taken"),
        pytest.param(("new", "--type", "postgrs"), "Did you mean 'postgres'?", id="type"),
        pytest.param(("a b", "--type", "duckdb"), "letters, digits", id="name"),
        pytest.param(
            ("new", "--type", "postgres", "--set", "prot=1"), "Did you mean 'port'?", id="key"
        ),
        pytest.param(
            ("new", "--type", "postgres", "--set", "port=x"),
            "taxietl.toml: profiles.new.port: must be a whole number",
            id="value",
        ),
        pytest.param(("new", "--type", "gcs"), "bucket: is missing", id="missing value"),
        pytest.param(("new", "--type", "gcs", "--set", "bucket"), "KEY=VALUE", id="no value"),
        pytest.param(
            ("new", "--type", "gcs", "--set", "bucket=a", "--set", "bucket=b"), "twice", id="twice"
        ),
    ],
)
def test_what_is_wrong_is_refused_and_the_file_stays(
    taxietl: Taxietl, arguments: tuple[str, ...], words: str
) -> None:
    CONFIG.write_text(BEFORE)

    done = taxietl("profiles", "add", *arguments)

    check_refused(done, 2, words)
    assert CONFIG.read_text() == BEFORE
    assert [each.name for each in Path.cwd().iterdir()] == [CONFIG.name]


def test_a_secret_is_not_taken_literally_nor_repeated(taxietl: Taxietl) -> None:
    secret = "hunter2"

    done = taxietl("profiles", "add", "db", "--type", "postgres", "--set", f"password={secret}")

    check_refused(done, 2, "password is a secret", "env:PGPASSWORD")
    assert secret not in done.out + done.err
    assert not CONFIG.exists()


def test_a_value_with_quotes_and_line_breaks_stays_one_value(taxietl: Taxietl) -> None:
    path = 'a"\\\n[ingest]\x7f\nto = "b'

    done = taxietl("profiles", "add", "new", "--type", "duckdb", "--set", f"path={path}", "--json")

    assert done.code == 0, done.err
    assert done.document["values"]["path"] == str(Path.cwd() / path)


def test_the_built_in_warehouse_can_be_put_in_ones_own_words(taxietl: Taxietl) -> None:
    done = taxietl("profiles", "add", "warehouse", "--type", "duckdb", "--set", "path=my.duckdb")

    assert done.code == 0, done.err
    assert "my.duckdb" in taxietl("profiles", "show", "warehouse").out


def test_at_a_terminal_the_keys_are_asked_for(home: Path) -> None:
    typed = "\nexample.org\n5433\ntaxi\n\nme\nnot a name\nTAXI_PASSWORD\n\n\n"

    done = _answered(home, typed, "db", "--type", "postgres")

    assert done.code == 0, done.err
    assert CONFIG.read_text() == (
        '[profiles.db]\ntype = "postgres"\nhost = "example.org"\nport = 5433\n'
        'database = "taxi"\nuser = "me"\npassword = { env = "TAXI_PASSWORD" }\n'
    )
    assert "NAME of the environment variable" in done.err


def test_a_url_makes_its_parts_needless_at_a_terminal(home: Path) -> None:
    done = _answered(home, "DATABASE_URL\n\n", "db", "--type", "postgres")

    assert done.code == 0, done.err
    assert CONFIG.read_text() == (
        '[profiles.db]\ntype = "postgres"\nurl = { env = "DATABASE_URL" }\n'
    )


def test_leaving_at_a_question_adds_nothing(home: Path) -> None:
    done = _answered(home, "\x04", "db", "--type", "postgres")

    assert done.code == 130
    assert "Traceback" not in done.err
    assert not CONFIG.exists()


def test_profiles_that_are_added_at_once_are_all_kept(home: Path) -> None:
    names = [f"lake-{number}" for number in range(6)]
    command = (sys.executable, "-m", "taxietl", "--home", str(home), "profiles", "add")

    added = [
        subprocess.Popen(
            [*command, name, "--type", "folder", "--set", f"path={name}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        for name in names
    ]

    assert [each.wait() for each in added] == [0] * len(names)
    assert set(load_settings(home=home).profiles) == {"warehouse", *names}
