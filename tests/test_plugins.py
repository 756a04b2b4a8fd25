"""The rules of docs/plugins.md, from a file and from a package that is really built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from taxietl.extract.synthetic import write

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text()
FILES = {
    name: text
    for block in re.findall(r"^```\w+\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for name, text in re.findall(r"^# ([\w.]+\.(?:py|toml))\n(.*)", block, re.DOTALL)
}
"""Each file of the page by its name."""

ROWS = 2_000


class Project:
    """A user's folder with the page's files, a month, and the command run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "home" / "taxi.duckdb"
        self.path = ""
        for name, text in FILES.items():
            (folder / name).write_text(text)
        write(folder / "yellow_tripdata_2021-01.parquet", "yellow", 2021, 1, rows=ROWS)

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = (sys.executable, "-m", "taxietl", "--home", "home", *arguments)
        return subprocess.run(
            [str(each) for each in command],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": self.path},
        )

    def ingest(self, *rules: str) -> Any:
        """The month's report; it is loaded with these rules."""
        asked = [each for rule in rules for each in ("--transform", rule)]
        month = ("--color", "yellow", "--year", 2021, "--month", 1, "--source", ".")
        done = self.run("ingest", *month, *asked, "--max-shrink", 1, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["months"][0]

    def ask(self, query: str) -> Any:
        """The query's one value, asked past taxietl."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return (connection.execute(query).fetchone() or ())[0]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One with rules that cannot be right, none of which ever loads anything."""
    broken = Project(tmp_path_factory.mktemp("broken"))
    (broken.folder / "broken.py").write_text(BROKEN)
    (broken.folder / "syntax.py").write_text("def adds(:")
    return broken


def test_a_rule_of_a_file_is_applied_counted_and_recorded(project: Project) -> None:
    report = project.ingest("rules.py:drop_short:miles=0.8", "flat_fares.py:DropFlatFares:fare=52")

    assert report["rows_dropped"].keys() == {"rules:drop_short", "flat_fares:DropFlatFares"}
    assert report["rows_dropped"]["rules:drop_short"] > 0
    assert report["rows_loaded"] + sum(report["rows_dropped"].values()) == ROWS
    assert project.ask("SELECT count(*) FROM trips WHERE trip_distance < 0.8") == 0
    assert [each["options"] for each in report["transforms"]] == [
        {"miles": 0.8},
        {"fare": 52.0, "zones": []},
    ]


def test_a_month_is_done_again_when_the_rule_or_its_options_change(project: Project) -> None:
    rule = "rules.py:drop_short"
    actions = [project.ingest(each)["action"] for each in (rule, rule, f"{rule}:miles=0.5")]
    path = project.folder / "rules.py"
    path.write_text(path.read_text().replace("fillna(True)", "fillna(False)"))
    edited = project.ingest(f"{rule}:miles=0.5")

    assert actions == ["loaded", "nothing to do", "replaced"]
    assert edited["action"] == "replaced"
    assert "version or options of rules:drop_short changed" in edited["reason"]


def test_a_rule_over_arrow_batches_needs_no_pandas(project: Project) -> None:
    report = project.ingest("tips.py:DropCashTips")

    tipped = project.ask("SELECT count(*) FROM trips WHERE payment_type = 2 AND tip_amount > 0")
    assert tipped == 0
    assert (
        report["rows_read"] == report["rows_loaded"] + report["rows_dropped"]["tips:DropCashTips"]
    )


def test_a_package_gives_its_rule_a_name_on_every_machine(project: Project) -> None:
    target = project.folder / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", target, ".")
    package = project.folder / "package"
    package.mkdir()
    for name in ("pyproject.toml", "taxi_rules.py"):
        (project.folder / name).rename(package / name)
    subprocess.run([str(each) for each in (*pip, *offline)], check=True, cwd=package)
    project.path = str(target)

    report = project.ingest("drop-short-trips:miles=0.5", "drop-zero-passengers")

    assert report["rows_dropped"]["drop-short-trips"] > 0
    assert project.ask("SELECT count(*) FROM trips WHERE trip_distance < 0.5") == 0
    assert [each["name"] for each in report["transforms"]] == [
        "drop-short-trips",
        "drop-zero-passengers",
    ]


BROKEN = """
from taxietl import pandas_transformer

@pandas_transformer
def adds(trips, dataset):
    import pandas as pd
    return pd.concat([trips, trips])

@pandas_transformer
def renames(trips, dataset):
    return trips.rename(columns={"VendorID": "vendor"})

@pandas_transformer
def raises(trips, dataset):
    return trips["nobody"]

def plain(batch):
    return batch
"""


@pytest.mark.parametrize(
    ("rule", "code", "told"),
    [
        ("broken.py:adds", 4, "'broken:adds' added"),
        ("broken.py:renames", 4, "it changed the columns: no VendorID; new vendor"),
        ("broken.py:raises", 4, "'broken:raises' failed: KeyError: 'nobody'"),
        ("broken.py:plain", 2, "'broken:plain' cannot be made: TypeError"),
        ("broken.py:rename", 2, "Did you mean 'renames'?"),
        ("broken.py:adds:by=2", 2, "no option of the transformer 'broken:adds'"),
        ("nowhere.py:adds", 2, "There is no file nowhere.py"),
        ("nowhere:adds", 2, "There is no module 'nowhere'"),
        ("syntax.py:adds", 1, "syntax.py cannot be loaded: line 1: "),
        ("drop-zero-passanger", 2, "Did you mean 'drop-zero-passengers'?"),
    ],
)
def test_a_rule_that_goes_wrong_is_named_and_nothing_is_loaded(
    broken: Project, rule: str, code: int, told: str
) -> None:
    month = ("--color", "yellow", "--year", 2021, "--month", 1, "--source", ".")
    done = broken.run("ingest", *month, "--transform", rule, "-q")

    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not broken.warehouse.exists() or not broken.ask("SELECT count(*) FROM duckdb_tables()")


def test_rules_of_the_configuration_stand_in_for_the_default(project: Project) -> None:
    config = project.folder / "taxietl.toml"
    config.write_text('[ingest]\ntransforms = ["drop-impossible-trips:max_hours=0.2"]\n')

    configured = project.ingest()
    config.write_text('[ingest]\ntransforms = "none"\n')
    none = project.ingest()

    assert configured["rows_dropped"]["drop-impossible-trips"] > 0
    assert configured["transforms"][0]["options"] == {"max_hours": 0.2}
    assert none["transforms"] == []
    assert none["rows_loaded"] == ROWS


def test_the_page_shows_the_sqlite_package_as_it_is() -> None:
    package = Path(__file__).parent / "sqlite_plugin"
    shown = re.findall(r"^```\w+\n# sqlite/(\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    assert {name: (package / name).read_text() for name, _ in shown} == dict(shown)
    assert len(shown) == 3
