"""`taxietl profiles` and `init`, and a planted secret that must appear nowhere."""

from __future__ import annotations

from pathlib import Path

from command import Taxietl, check_refused

PLANTED = "planted-s3cr3t-9f2c"

FLOW = """
from taxietl import flow, get_run_logger, profile, task

@task
def connect(name: str) -> int:
    get_run_logger().info("using %r", profile(name))
    with profile(name).connect() as connection:
        return 1

@flow
def use(name: str) -> int:
    return connect(name)
"""


def _configured(home: Path) -> None:
    Path("taxietl.toml").write_text(
        f"""
        [profiles.literal]
        type = "postgres"
        host = "127.0.0.1"
        port = 1
        user = "me"
        password = "{PLANTED}"

        [profiles.by-url]
        type = "postgres"
        url = "postgresql://me:{PLANTED}@127.0.0.1:1/taxi"

        [profiles.by-name]
        type = "postgres"
        password = {{ env = "TAXI_PASSWORD" }}
        """
    )


def test_a_secret_appears_in_no_output_no_log_no_history_and_no_traceback(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    _configured(home)
    flow = tmp_path / "own.py"
    flow.write_text(FLOW)

    said = ""
    for command in (
        ["profiles", "ls", "-v"],
        ["profiles", "show", "literal", "--debug"],
        ["profiles", "show", "by-url", "--json"],
        ["run", f"{flow}:use", "-p", "name=literal", "--debug", "-v"],
        ["run", f"{flow}:use", "-p", "name=by-url", "--debug", "--json"],
        ["ingest", "--color", "green", "--year", "2021", "--month", "1", "--source", "synthetic"],
        ["ingest", "--color", "green", "--year", "2021", "--month", "1", "--to", "by-url"],
        ["runs", "ls", "--json"],
    ):
        done = taxietl(*command)
        said += done.out + done.err
        if command[0] == "run":
            assert done.code != 0
            assert "Traceback" in done.err

    assert PLANTED not in said
    for path in home.rglob("*"):
        if path.is_file():
            assert PLANTED.encode() not in path.read_bytes(), path


def test_a_reference_is_shown_as_the_place_it_is_read_from(taxietl: Taxietl, home: Path) -> None:
    _configured(home)

    done = taxietl("profiles", "show", "by-name", "--json")

    assert done.document["values"]["password"] == "env:TAXI_PASSWORD"
    assert 'profile("by-name")' in done.document["snippet"]


def test_a_literal_secret_is_warned_of(taxietl: Taxietl, home: Path) -> None:
    _configured(home)

    done = taxietl("profiles", "ls")

    assert "warning:" in done.err
    assert "literal" in done.err


def test_init_writes_a_configuration_once(taxietl: Taxietl) -> None:
    done = taxietl("init")

    assert done.code == 0
    assert Path("taxietl.toml").stat().st_mode & 0o077 == 0
    assert taxietl("profiles", "ls").code == 0
    check_refused(taxietl("init"), 2, "taxietl.toml")
