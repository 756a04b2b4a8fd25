"""A warehouse that taxietl does not know: a package's profile type and loader do all."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from taxietl.extract.synthetic import write
from taxietl.steps.protocols import Loader
from taxietl.testing.loaders import LoaderTests

PACKAGE = Path(__file__).parents[1] / "sqlite_plugin"


class TestSqlite(LoaderTests):
    @pytest.fixture
    def loader(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loader]:
        monkeypatch.syspath_prepend(str(PACKAGE))
        from taxietl_sqlite.loader import SqliteLoader
        from taxietl_sqlite.profile import SqliteProfile

        yield SqliteLoader(SqliteProfile(path=tmp_path / "taxi.sqlite"))
        for name in [each for each in sys.modules if each.startswith("taxietl_sqlite")]:
            del sys.modules[name]

    def change(self, loader: Loader, statement: str) -> None:
        with closing(sqlite3.connect(loader.target)) as connection, connection:
            connection.execute(statement)


class Place:
    """A user's folder, in which taxietl runs with the package installed."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder, self.site = folder, site
        (folder / "files").mkdir()
        for month in (1, 2):
            name = f"green_tripdata_2021-{month:02}.parquet"
            write(folder / "files" / name, "green", 2021, month, rows=500)

    def run(self, *arguments: object, code: int = 0) -> Any:
        """What the command says; its document under --json."""
        done = subprocess.run(
            [sys.executable, "-m", "taxietl", "--home", "home", *map(str, arguments)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.site)},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout + done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, by pip and from no index."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(PACKAGE, folder / "package", ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", folder / "site", ".")
    subprocess.run([str(each) for each in (*pip, *offline)], check=True, cwd=folder / "package")
    return folder / "site"


def test_it_is_used_like_any_other(site: Path, tmp_path: Path) -> None:
    place = Place(tmp_path, site)
    months = ("--color", "green", "--year", "2021")

    added = place.run("profiles", "add", "lite", "--type", "sqlite", "--set", "path=taxi.sqlite")
    assert "added [profiles.lite]" in added
    assert "the first load makes it" in place.run("profiles", "check", "lite")
    loaded = place.run(
        *("ingest", *months, "--month", "1-2", "--source", "files", "--to", "lite", "--json")
    )
    assert [each["action"] for each in loaded["months"]] == ["loaded", "loaded"]
    rows = [each["rows_loaded"] for each in loaded["months"]]
    again = place.run("ingest", *months, "--month", "1", "--source", "files", "--to", "lite")
    assert "nothing to do" in again

    assert "opens with SQLite" in place.run("profiles", "check", "lite")
    snippet = place.run("profiles", "show", "lite", "--snippet").replace("yellow", "green")
    (tmp_path / "snippet.py").write_text(f"{snippet}\nprint(rows)")
    shown = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == f"[({sum(rows)},)]\n"
    query = "SELECT count(*) AS n FROM green_trips"
    found = place.run("sql", query, "--on", "sqlite:///taxi.sqlite", "--json")
    assert found["rows"] == [[sum(rows)]]
    verified = place.run("verify", "--color", "green", "--on", "lite", "--json")
    assert [each["differences"] for each in verified["months"]] == [[], []]
    report = place.run("inspect", *months, "--month", "1", "--on", "lite", "--json")
    assert report["rows"] == rows[0]
    status = place.run("status", "--on", "lite", "--json")
    assert status["tables"][0]["months_there"] == 2
    assert place.run("rejects", "ls", "--on", "lite", "--json")["loads"] == []

    dropped = place.run("drop", *months, "--month", "1", "--on", "lite", "--yes", "--json")
    assert dropped["months"][0]["action"] == "dropped"
    assert place.run("sql", query, "--on", "lite", "--json")["rows"] == [[rows[1]]]
    assert (
        "#[profiles.lite]"
        in place.run("init", "example.toml") + (tmp_path / "example.toml").read_text()
    )


def test_a_type_that_cannot_be_imported_fails_its_own_profiles_alone(
    site: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "site"
    shutil.copytree(site, broken)
    (broken / "taxietl_sqlite" / "profile.py").write_text("import nothing_of_that_name")
    place = Place(tmp_path, broken)
    (tmp_path / "taxietl.toml").write_text('[profiles.disk]\ntype = "folder"\npath = "lake"\n')

    assert "disk" in place.run("profiles", "ls")
    assert "postgresql://" in place.run("profiles", "check", "nosuch://x", code=2)

    with (tmp_path / "taxietl.toml").open("a") as file:
        file.write('[profiles.lite]\ntype = "sqlite"\npath = "x"\n')
    said = place.run("profiles", "ls", code=2)
    assert "profiles.lite.type: The profile type 'sqlite' of taxietl-sqlite cannot be" in said
    assert "Reinstall taxietl-sqlite" in said


def test_metadata_of_another_version_says_reinstall(tmp_path: Path) -> None:
    stale = tmp_path / "site" / "taxietl-0.0.1.dist-info"
    stale.mkdir(parents=True)
    (stale / "METADATA").write_text("Metadata-Version: 2.1\nName: taxietl\nVersion: 0.0.1\n")

    said = Place(tmp_path, tmp_path / "site").run("profiles", "ls", code=2)

    assert "profiles.warehouse.type: What the installed taxietl says it has" in said
    assert "Reinstall it: pip install --force-reinstall taxietl" in said
