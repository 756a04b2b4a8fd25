"""`taxietl.ingest(…)` and `taxietl.upload(…)` in a process that is somebody's own."""

from __future__ import annotations

import asyncio
import logging
import signal
from datetime import date
from pathlib import Path

import pytest

import taxietl
from taxietl.errors import ConfigError, MissingFileError
from taxietl.extract.synthetic import write
from taxietl.flows.months import MonthsFailedError
from taxietl.from_python.reports import Reports
from taxietl.orchestrator import default_engine


def test_a_month_is_loaded_once(either_warehouse: str, files: Path) -> None:
    first = taxietl.ingest("green", "2021-01", source=files)
    again = taxietl.ingest("green", "2021-01", source=files)

    assert [(each.action, each.rows_read) for each in first] == [("loaded", 100)]
    assert [(each.action, each.rows_read) for each in again] == [("nothing to do", 100)]


def test_several_months_are_loaded_in_their_order(home: Path, files: Path) -> None:
    reports = taxietl.ingest("green", since="2021-01", until="2021-02", source=files, workers=2)

    assert [str(each.trip_file) for each in reports] == ["green-2021-01", "green-2021-02"]
    assert reports.frame()["rows_read"].to_dict() == {"green-2021-01": 100, "green-2021-02": 120}
    assert "green-2021-02" in repr(reports)
    assert "<td>loaded</td>" in reports._repr_html_()


def test_options_mean_what_they_mean_to_the_command(home: Path, files: Path) -> None:
    Path("taxietl.toml").write_text(f'[ingest]\nsource = "{files}"\ntransforms = "none"\n')

    (report,) = taxietl.ingest("green", "2021-01", to="duckdb:///other.duckdb", table="mine")

    assert report.rows_loaded == 100
    assert (report.table, Path(report.target)) == ("mine", Path("other.duckdb").absolute())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transforms": "drop-zero-pasengers"}, "There is no transformer named"),
        ({"max_rejects": -1}, "max_rejects must be"),
        ({"max_rejects": True}, "max_rejects must be a number."),
        ({"max_shrink": 2}, "max_shrink must be"),
        ({"connections": 0}, "connections is 0"),
        ({"new_columns": "drop"}, "new_columns is 'drop'."),
        ({"to": "nowhere"}, "There is no profile named 'nowhere'."),
        ({"source": "nowhere"}, "There is no source named 'nowhere'."),
        ({"month": ["2021-01", "2021-02"], "workers": 0}, "workers"),
    ],
)
def test_a_wrong_option_is_refused_before_a_run_begins(
    home: Path, files: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        taxietl.ingest("green", **{"month": "2021-01", "source": files} | options)

    assert message in caught.value.message
    assert list(home.glob("*.duckdb")) == []


def test_the_only_month_fails_with_its_own_error(home: Path, files: Path) -> None:
    with pytest.raises(MissingFileError) as caught:
        taxietl.ingest("green", "2021-03", source=files)

    assert [each for each in caught.value.__notes__ if each.startswith("hint: Looked for green")]
    assert caught.value.__cause__ is None
    frames = caught.traceback
    assert [each.path.name for each in frames] == ["test_commands.py", "calling.py"]


def test_a_month_that_fails_stops_no_other(home: Path, files: Path) -> None:
    with pytest.raises(MonthsFailedError) as caught:
        taxietl.ingest("green", ["2021-01", "2021-02", "2021-03"], source=files)

    results = {str(each.trip_file): each for each in caught.value.results}
    assert results["green-2021-02"].report.rows_read == 120
    assert results["green-2021-03"].error.kind == "MissingFileError"
    assert any(each.startswith("green-2021-03: ") for each in caught.value.__notes__)


def test_in_a_flow_it_is_a_child_run(home: Path, files: Path) -> None:
    @taxietl.flow
    def mine() -> Reports:
        return taxietl.ingest("green", "2021-01", source=files)

    (report,) = mine()

    rows = default_engine().history.database.rows(
        "SELECT flow, parent_id IS NULL AS is_top FROM runs ORDER BY rowid"
    )
    assert [(each["flow"], each["is_top"]) for each in rows] == [
        ("mine", True),
        ("Ingest data", False),
    ]
    assert report.action == "loaded"


def test_in_a_flow_an_error_is_as_it_was(home: Path, files: Path) -> None:
    @taxietl.flow
    def mine() -> str:
        try:
            taxietl.ingest("green", "2021-03", source=files)
        except MissingFileError as error:
            return str(getattr(error, "__notes__", "no notes"))
        return "no error"

    assert mine() == "no notes"


def test_it_works_while_an_event_loop_runs(home: Path, files: Path) -> None:
    """As in a notebook's cell."""

    async def cell() -> int:
        return len(taxietl.ingest("green", ["2021-01", "2021-02"], source=files))

    assert asyncio.run(cell()) == 2


def test_signals_and_logging_are_as_they_were(home: Path, files: Path) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    handlers = logging.getLogger().handlers[:]

    taxietl.ingest("green", "2021-01", source=files)

    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert logging.getLogger().handlers == handlers


def test_a_month_is_uploaded_once(home: Path, files: Path) -> None:
    Path("taxietl.toml").write_text('[profiles.lake]\ntype = "folder"\npath = "lake"\n')

    (first,) = taxietl.upload("green", "2021-01", source=files)
    (again,) = taxietl.upload("green", "2021-01", source=files)

    assert (first.action, again.action) == ("uploaded", "nothing to do")
    assert "green_tripdata_2021-01.parquet" in repr(Reports([first]))


def test_without_a_lake_an_upload_says_how_to_make_one(home: Path, files: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        taxietl.upload("green", "2021-01", source=files)

    assert "hint: " in caught.value.__notes__[-1]


def test_a_sync_loads_what_is_new_and_says_so(home: Path, files: Path) -> None:
    first = taxietl.sync("green", since="2021-01", source=files, transforms="none")
    write(files / "green_tripdata_2021-02.csv.gz", "green", 2021, 2, rows=125)
    again = taxietl.sync("green", since=date(2021, 1, 1), source=files, transforms="none")

    assert [str(each.trip_file) for each in first.done] == ["green-2021-01", "green-2021-02"]
    assert "green-2021-02  restated: +5 rows, now 125" in str(again)
    assert list(taxietl.months()["rows_loaded"]) == [100, 125]


def test_a_sync_that_fails_tells_of_each_month(home: Path, files: Path) -> None:
    (files / "green_tripdata_2021-02.csv.gz").write_text("no archive")

    with pytest.raises(taxietl.SyncFailedError) as caught:
        taxietl.sync("green", since="2021-01", source=files)

    months = {str(each.trip_file): each for each in caught.value.report.months}
    assert months["green-2021-01"].action == "loaded"
    assert months["green-2021-02"].error.kind == "SchemaError"
    assert any(each.startswith("green-2021-02: ") for each in caught.value.__notes__)


def test_a_sync_from_the_future_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="is in the future"):
        taxietl.sync("green", since="2999-01", source="synthetic")
