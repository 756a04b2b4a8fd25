"""Months that were restated, shrank or had rejects: events of the run, whatever they went into."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taxietl.config import activate, load_settings
from taxietl.errors import DataError, NoRowsError, ShrunkError, TooManyRejectsError
from taxietl.extract.synthetic import write
from taxietl.flows.ingest import IngestOptions, ingest
from taxietl.flows.upload import upload_month
from taxietl.flows.upload_plan import UploadOptions
from taxietl.flows.zones import ingest_zones
from taxietl.orchestrator import Engine, Flow
from taxietl.orchestrator.query.runs import tree_of
from taxietl.tlc.trip_file import TripFile

MONTH = TripFile("green", 2021, 1)
ABOUT = {"color": "green", "month": "2021-01"}

Event = tuple[str, str, dict[str, Any]]


class Runs:
    """Runs a flow in an engine of its own; returns its error and the events of its run."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(
        self, flow: Flow[..., Any], *given: Any
    ) -> tuple[BaseException | None, list[Event]]:
        with Engine(self._home) as engine:
            run = engine.run(flow, *given)
            tree = tree_of(engine.history, engine.history.run(run.id))
        events = [each for some in tree.events.values() for each in some]
        return run.error, [(each.name, each.message, each.details) for each in events]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    monkeypatch.chdir(tmp_path)
    Path("taxietl.toml").write_text('[profiles.lake]\ntype = "folder"\npath = "lake"\n')
    activate(load_settings(home=tmp_path / "home"))
    yield Runs(tmp_path / "home")
    activate(None)


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., str]:
    """Publish the month with so many rows, and so many lines after them that are none."""

    def published(rows: int, *, broken: int = 0) -> str:
        path = tmp_path / "files" / "green_tripdata_2021-01.csv.gz"
        path.parent.mkdir(exist_ok=True)
        write(path, "green", 2021, 1, rows=max(rows, 1))
        lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)[: rows + 1]
        text = b"".join(lines) + b"1,2,3\n" * broken
        path.write_bytes(gzip.compress(text, mtime=0))
        return str(path.parent)

    return published


def into(to: str, source: str, **more: Any) -> tuple[Any, TripFile, Any]:
    """The flow that brings the month there, with its parameters."""
    if to == "lake":
        return upload_month, MONTH, UploadOptions(source, **more)
    return ingest, MONTH, IngestOptions(source, transforms=(), **more)


both = pytest.mark.parametrize("to", ["warehouse", "lake"])


@both
def test_a_restated_month_is_told_with_its_rows(run: Runs, publish: Any, to: str) -> None:
    assert run(*into(to, publish(1000)))[1] == []
    assert run(*into(to, publish(1000)))[1] == []

    error, [(name, message, details)] = run(*into(to, publish(1204)))

    assert error is None
    assert (name, message) == (
        "restated",
        f"green-2021-01 restated: +204 rows, now 1,204 ({to}).",
    )
    assert details.pop("sha256_before") != details.pop("sha256_after")
    assert details == ABOUT | {"to": to, "rows_before": 1000, "rows_after": 1204}


@both
def test_the_same_month_from_elsewhere_or_by_other_rules_is_not_restated(
    run: Runs, publish: Any, tmp_path: Path, to: str
) -> None:
    run(*into(to, publish(1000)))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=1001)

    done = [
        run(*into(to, publish(1000), force=True)),
        run(*into(to, str(elsewhere), force=True)),
    ]

    assert done == [(None, []), (None, [])]


@both
@pytest.mark.parametrize(
    ("rows", "kind"), [(900, ShrunkError), (0, NoRowsError)], ids=["fewer", "none"]
)
def test_a_month_that_shrank_is_told_with_what_there_was(
    run: Runs, publish: Any, to: str, rows: int, kind: type[DataError]
) -> None:
    run(*into(to, publish(1000)))

    error, [(name, message, details)] = run(*into(to, publish(rows)))

    assert isinstance(error, kind)
    assert name == "shrunk"
    assert message.endswith(f"Nothing was replaced ({to}).")
    assert details == ABOUT | {"to": to, "rows_before": 1000, "rows_after": rows}


@both
def test_rejects_are_told_whether_they_were_allowed_or_not(
    run: Runs, publish: Any, to: str
) -> None:
    source = publish(1000, broken=2)

    error, [refused] = run(*into(to, source))
    _, [loaded] = run(*into(to, source, max_rejects=2))

    assert isinstance(error, TooManyRejectsError)
    assert [refused[0], loaded[0]] == ["rejects", "rejects"]
    about = ABOUT | {"to": to, "rows_rejected": 2}
    assert refused[2] == about | {"max_rejects": 0, "loaded": False}
    assert loaded[2] == about | {"loaded": True}
    assert (
        loaded[1] == f"green-2021-01: 2 lines were left out, since they could not be read ({to})."
    )


@both
def test_a_restated_zone_table_is_told(run: Runs, tmp_path: Path, to: str) -> None:
    file = tmp_path / "taxi_zone_lookup.csv"
    head = '"LocationID","Borough","Zone","service_zone"\n'
    file.write_text(f'{head}1,"EWR","Newark Airport","EWR"\n')
    assert run(ingest_zones, str(file), to)[1] == []
    file.write_text(f'{head}1,"EWR","Newark Airport","EWR"\n2,"Queens","Jamaica Bay","Boro Zone"\n')

    _, [(name, message, details)] = run(ingest_zones, str(file), to)

    assert (name, message) == ("restated", f"The zone table restated: +1 rows, now 2 ({to}).")
    assert (details["rows_before"], details["rows_after"]) == (1, 2)
