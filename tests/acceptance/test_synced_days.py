"""A sync a day, over 90 days: after each the warehouse has the newest version that may be taken.

The source is a server on loopback with 24 months, that publishes, restates, touches, shrinks,
withdraws and throttles by a seeded script. What must come of it is worked out beside, in plain
Python: rows, loads and requests.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from file_server import FileServer, Status
from runs_at_hand import Clock

from taxietl.config import activate, load_settings
from taxietl.extract.synthetic import write
from taxietl.flows.sync import sync
from taxietl.flows.sync_options import SyncOptions
from taxietl.flows.sync_report import SyncFailedError, SyncReport
from taxietl.flows.warehouse import loader
from taxietl.orchestrator import Engine

pytestmark = pytest.mark.dates

FIRST_DAY, DAYS = date(2024, 1, 10), 90
NEVER, GAP = 10_000, 7
ROWS = 60
BUSY = Status(429, {"Retry-After": "30"})


@dataclass
class Month:
    """A month as the source has it, and as the warehouse should."""

    number: int
    base: pa.Table
    published: int
    """The day from which on it is there."""

    rows: int = ROWS
    version: int = 0
    is_withdrawn: bool = False
    loaded: tuple[int, bytes] | None = None
    """Rows and bytes."""

    etag_loaded: str = ""
    fetched: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return f"{2022 + self.number // 12}-{self.number % 12 + 1:02d}"

    @property
    def has_ended(self) -> date:
        following = self.number + 1
        return date(2022 + following // 12, following % 12 + 1, 1)

    @property
    def etag(self) -> str:
        return f'"{self.name}-{self.version}"'

    def content(self) -> bytes:
        file = io.BytesIO()
        pq.write_table(self.base.slice(0, self.rows), file)
        return file.getvalue()

    @property
    def path(self) -> str:
        return f"/green_tripdata_{self.name}.parquet"


class Source:
    """The server, and its script."""

    def __init__(self, server: FileServer, folder: Path, seed: int) -> None:
        self.server, self._random = server, random.Random(seed)
        server.put("green_tripdata_2021-01.parquet", b"there")
        self.months: list[Month] = []
        for number in range(24):
            path = folder / "base.parquet"
            write(path, "green", 2022 + number // 12, number % 12 + 1, rows=ROWS)
            late = {20: 5, 21: 33, 22: 70, 23: NEVER, GAP: NEVER}
            self.months.append(Month(number, pq.read_table(path), late.get(number, 0)))
        self.busy: set[int] = set()

    def turn(self, day: int) -> None:
        """What the TLC does over night."""
        for number in self.busy:
            self.server.answers.pop(f"HEAD {self.months[number].path}", None)
        self.busy = set(self._random.sample(range(24), 2)) if day % 9 == 4 else set()
        for number in self.busy:
            self.server.answers[f"HEAD {self.months[number].path}"] = BUSY
        there = [each for each in self.months if each.published < day]
        for month in self._random.sample(there, min(2, len(there))) if day % 4 == 1 else ():
            what = self._random.choice(["restate", "restate", "touch", "shrink", "withdraw"])
            month.is_withdrawn = what == "withdraw"
            if what == "restate":
                month.rows = self._random.randint(ROWS - 2, ROWS)
            if what == "shrink":
                month.rows = self._random.randint(1, ROWS // 2)
            month.version += what in ("restate", "touch", "shrink")
        if day % 4 == 3:  # what was cut by mistake is mended
            for month in [each for each in there if each.rows <= ROWS // 2]:
                month.rows, month.version = ROWS, month.version + 1
        for month in self.months:
            self.server.files.pop(month.path, None)
            if month.published <= day and not month.is_withdrawn:
                self.server.put(month.path[1:], month.content(), etag=month.etag)


class Expected:
    """What must come of a day, worked out without taxietl."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.loads = self.heads = self.gets = 0
        self.refused: set[str] = set()
        self.busy: set[str] = set()

    @property
    def exit_code(self) -> int:
        return 4 if self.refused else 75 if self.busy else 0

    def day(self, day: int, today: date, *, every: bool) -> None:
        months = self._source.months
        ended = [each for each in months if each.has_ended <= today]
        latest = self._latest(today)
        loaded = [each.number for each in months if each.loaded]
        self.refused, self.busy = set(), set()
        for month in ended:
            is_gap = bool(loaded) and month.number > loaded[0] and not month.loaded
            if day == 0 or month.name in latest or is_gap or (every and month.loaded):
                self._asked(month, day)
        self.heads += 3 * len([each for each in latest if each > "2023-12"])

    def _latest(self, today: date) -> list[str]:
        number = 12 * today.year + today.month - 2
        return [f"{each // 12}-{each % 12 + 1:02d}" for each in range(number - 7, number + 1)]

    def _asked(self, month: Month, day: int) -> None:
        if month.number in self._source.busy:
            self.heads += 4
            self.busy.add(month.name)
            return
        if month.published > day or month.is_withdrawn:
            self.heads += 3
            return
        self.heads += 1
        content = month.content()
        if month.loaded and month.etag == month.etag_loaded:
            return
        if month.etag not in month.fetched:
            month.fetched.add(month.etag)
            self.gets += 1
        if month.loaded and content == month.loaded[1]:
            return
        if month.loaded and month.rows < 0.95 * month.loaded[0]:
            self.refused.add(month.name)
            return
        month.loaded, month.etag_loaded = (month.rows, content), month.etag
        self.loads += 1


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    with FileServer() as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("TAXIETL_SOURCES__TLC__URL", server.template)
        monkeypatch.chdir(tmp_path)
        activate(load_settings(home=tmp_path / "home"))
        yield Source(server, tmp_path, seed=13)
        activate(None)


def asked(statement: str) -> list[tuple[Any, ...]]:
    with loader("warehouse").query(statement) as reader:
        return [tuple(each.values()) for each in reader.read_all().to_pylist()]


def contents() -> dict[str, tuple[int, int, int]]:
    """By month: its rows, the rows that the ledger has, and its current rows in the ledger."""
    month = "strftime(source_month, '%Y-%m')"
    counted = asked(
        f"SELECT {month}, t.rows, l.rows AS loaded, l.current FROM "
        "(SELECT source_month, count(*) AS rows FROM green_trips GROUP BY ALL) t FULL JOIN "
        "(SELECT source_month, sum(rows_loaded)::BIGINT AS rows, count(*) AS current "
        "FROM taxietl_loads WHERE superseded_at IS NULL GROUP BY ALL) l USING (source_month)",
    )
    return {name: (rows, in_ledger, current) for name, rows, in_ledger, current in counted}


def synced(engine: Engine, options: SyncOptions, today: date) -> SyncReport:
    try:
        return engine.run(sync, options, today).result()
    except SyncFailedError as error:
        return error.report


def test_after_each_of_90_days_the_newest_version_that_may_be_taken_is_there(
    source: Source, tmp_path: Path
) -> None:
    clock, expected, classes = Clock(), Expected(source), set[str]()
    with Engine(tmp_path / "home", clock=clock, sleep=clock.sleep) as engine:
        for day in range(DAYS):
            today = FIRST_DAY + timedelta(days=day)
            clock.now = datetime.combine(today, time(5, 17), UTC)
            source.turn(day)
            options = SyncOptions.configured(
                ["green"],
                since=(2022, 1) if day == 0 else None,  # as one begins: with all there is
                every=day % 30 == 29,
                transforms=("none",),
            )
            expected.day(day, today, every=options.every)

            report = synced(engine, options, today)
            overdue = engine.history.database.rows("SELECT * FROM events WHERE name = 'overdue'")

            classes |= {each.month_class for each in report.months}
            failed = {
                f"{each.trip_file.source_month:%Y-%m}" for each in report.months if each.error
            }
            assert (failed, report.exit_code) == (
                expected.refused | expected.busy,
                expected.exit_code,
            ), str(report)
            loaded = {each.name: each.loaded[0] for each in source.months if each.loaded}
            assert contents() == {name: (rows, rows, 1) for name, rows in loaded.items()}
            assert len(source.server.asked("HEAD")) == expected.heads, day
            assert len(source.server.asked("GET")) == expected.gets, day
            assert len(overdue) == 1

    ((loads,),) = asked("SELECT count(*) FROM taxietl_loads")
    assert loads == expected.loads
    assert classes == {
        *("new", "unchanged", "touched", "restated", "withdrawn", "not published", "overdue"),
        "unknown",
    }
