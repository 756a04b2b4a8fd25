"""Every real file, by the command: what docs/data.md says of it is what happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.cli.main import main
from taxietl.config import activate
from taxietl.tlc.eras import ERAS

DATA = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DATA.split("## Real files")[1].splitlines()
    if line.startswith("| `")
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all of them."""
    yield tmp_path_factory.mktemp("home")
    activate(None)


@pytest.mark.parametrize("row", ROWS, ids=[" ".join(row[:3])[:90] for row in ROWS])
def test_a_real_file_becomes_what_the_docs_say(
    tlc_data: Path, home: Path, capfd: pytest.CaptureFixture[str], row: list[str]
) -> None:
    name, month, options, era, *counts = row
    color, year, number = re.fullmatch(r"(\w+) (\d{4})-(\d\d)", month).groups()  # type: ignore[union-attr]
    path = tlc_data / name.strip("`")

    code = main(
        [
            *("--home", str(home), "ingest", "--color", color, "--year", year, "--month", number),
            *("--source", str(path), "--force", "--json", "-q", *options.strip("`").split()),
        ]
    )

    document = json.loads(capfd.readouterr().out)
    if era.startswith("refused"):
        assert f"refused, {code}" == era
        return
    (report,) = document["months"]
    dropped, nulled = (sum(report[each].values()) for each in ("rows_dropped", "values_nulled"))
    rejected = report["rows_rejected"]
    happened = (report["rows_read"], report["rows_loaded"], dropped, rejected, nulled)
    assert [report["era"], *(f"{count:,}" for count in happened)] == [era, *counts]


def test_every_real_trip_file_is_in_the_docs(tlc_data: Path) -> None:
    files = {
        str(path.relative_to(tlc_data))
        for ending in ("csv", "csv.gz", "parquet")
        for path in tlc_data.rglob(f"*_tripdata*.{ending}")
    }

    assert files == {row[0].strip("`") for row in ROWS if "_tripdata" in row[0]}


def test_every_era_is_in_the_docs_with_its_months() -> None:
    section = DATA.split("## Eras")[1].split("## ")[0]
    listed = re.findall(r"^\| (.+?) \| (\S+) to (\S+) \| .+ \|$", section, re.MULTILINE)

    assert listed == [
        (
            era.name,
            "{:04d}-{:02d}".format(*era.since),
            "{:04d}-{:02d}".format(*era.until) if era.until else "today",
        )
        for era in ERAS
    ]
