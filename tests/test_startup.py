"""What a command must not load: the seconds users wait for are imports."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import taxietl
from taxietl.extract.synthetic import write

HEAVY = (
    *("pandas", "numpy", "pyarrow", "duckdb", "sqlalchemy", "psycopg2", "google.cloud.storage"),
    *("tenacity", "isal", "httpx", "pydantic_settings", "coolname", "sqlite3", "psutil"),
    *("google.cloud.bigquery", "starlette", "uvicorn", "jinja2", "prometheus_client"),
)  # pydantic is typer's own, to coerce a command's arguments

PROBE = """
import sys
from taxietl.cli.main import main
code = main(sys.argv[2:])
loaded = [name for name in sys.argv[1].split() if name in sys.modules]
sys.stderr.write("LOADED " + " ".join(loaded))
sys.exit(code)
"""


def _loaded(forbidden: tuple[str, ...], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, " ".join(forbidden), *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr.rpartition("LOADED ")[2]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], *([each, "--help"] for each in ("ingest", "load-bq", "run", "flows", "ui"))],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert _loaded(HEAVY, *arguments) == ""


def test_the_version_is_told_without_the_command_line() -> None:
    assert _loaded((*HEAVY, "typer", "rich"), "--version") == ""


def test_ingesting_into_duckdb_loads_no_frames_and_no_other_client(tmp_path: Path) -> None:
    forbidden = ("pandas", "sqlalchemy", "psycopg2", "google.cloud.storage", "tenacity", "httpx")
    forbidden += ("taxietl.alerts", "apprise")  # nobody is to be told of anything
    write(tmp_path / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=100)
    home = ("--home", str(tmp_path / "home"))

    loaded = _loaded(
        forbidden,
        *(*home, "ingest", "--color", "green", "--year", "2021", "--month", "1"),
        *("--source", str(tmp_path), "-q"),
    )

    assert loaded == ""


def test_importing_the_package_costs_nothing() -> None:
    forbidden = (*HEAVY, "typer", "rich", "pydantic")
    code = f"import sys, taxietl; print([m for m in {forbidden!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "[]"


def test_names_are_offered_before_they_are_loaded() -> None:
    """What a notebook asks when `from taxietl import ` is to be completed."""
    code = (
        "import taxietl, taxietl.orchestrator as o;"
        "print([n for m in (taxietl, o) for n in m.__all__ if n not in dir(m)])"
    )

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout == "[]\n"


def test_no_function_has_the_name_of_a_module() -> None:
    """Importing the module would put it in the place of the function."""
    modules = {each.name for each in pkgutil.iter_modules(taxietl.__path__)}

    assert modules & {*taxietl.__all__} == set()


def test_every_name_that_is_offered_is_there() -> None:
    assert {each for each in taxietl.__all__ if not hasattr(taxietl, each)} == set()
    assert sorted(taxietl._MODULES) == [each for each in taxietl.__all__ if each != "__version__"]
