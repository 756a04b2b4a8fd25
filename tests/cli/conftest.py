"""The command as a user types it, in a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Done, Taxietl

from taxietl.cli.main import main
from taxietl.config import activate
from taxietl.load.duckdb import file as duckdb_file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home, and an empty working directory."""
    for name in ("TAXIETL_CONFIG", "TAXIETL_HOME"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    yield tmp_path / "home"
    activate(None)


@pytest.fixture
def taxietl(home: Path, capfd: pytest.CaptureFixture[str]) -> Taxietl:
    """Runs a command line in this process, in that home unless it names another."""

    def run(*arguments: object) -> Done:
        capfd.readouterr()
        before = [] if "--home" in arguments else ["--home", str(home)]
        code = main([*before, *(str(each) for each in arguments)])
        captured = capfd.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DuckDB file that somebody else has is not waited for as long as a user would."""
    monkeypatch.setattr(duckdb_file, "PATIENCE_SECONDS", 0.3)


@pytest.fixture(params=["duckdb", "postgres"])
def either_warehouse(request: pytest.FixtureRequest, home: Path) -> str:
    """Either database as the profile `warehouse`."""
    if request.param == "postgres":
        url = request.getfixturevalue("warehouse")
        Path("taxietl.toml").write_text(f'[profiles.warehouse]\ntype = "postgres"\nurl = "{url}"\n')
    return str(request.param)
