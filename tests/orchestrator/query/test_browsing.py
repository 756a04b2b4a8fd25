"""Runs are found a page at a time, by state, flow, name, text and time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from runs_at_hand import Clock

from taxietl.orchestrator import Engine, StateName, flow
from taxietl.orchestrator.query.browsing import (
    FAILURES,
    RunFilter,
    count_by_state,
    flow_names,
    page_of_runs,
    typical_seconds,
)


@flow(name="Load", run_name="{name}")
def load(name: str, child: str = "") -> None:
    if child:
        load(child)
    if name.endswith("%"):
        raise ValueError("no such MONTH")


@flow(run_name="other")
def other() -> None:
    raise KeyError("a_b")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """Nine runs, an hour apart: the newest is `other`."""
    with Engine(tmp_path / "home", clock=clock) as made:
        for name in ("green-1", "green-2", "green-3%", "yellow-1", "yellow-2"):
            made.run(load, name)
            clock.sleep(3600)
        made.run(load, "both", child="green-4")
        clock.sleep(3600)
        made.run(other)
        clock.sleep(3600)
        yield made


def names(engine: Engine, wanted: RunFilter) -> list[str]:
    return [each.name for each in page_of_runs(engine.history, wanted).runs]


def test_pages_lead_to_one_another(engine: Engine) -> None:
    history, wanted = engine.history, RunFilter()

    first = page_of_runs(history, wanted, limit=3)
    second = page_of_runs(history, wanted, after=first.older, limit=3)
    third = page_of_runs(history, wanted, after=second.older, limit=3)
    back = page_of_runs(history, wanted, before=third.newer, limit=3)

    shown = [each.name for page in (first, second, third) for each in page.runs]
    assert shown == [
        *("other", "green-4", "both", "yellow-2", "yellow-1", "green-3%", "green-2", "green-1"),
    ]
    assert [each.id for each in back.runs] == [each.id for each in second.runs]
    assert (first.newer, third.older) == (None, None)
    assert page_of_runs(history, wanted, before=second.newer, limit=3) == first
    assert first.parents == {first.runs[2].id: "both"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(states=(StateName.FAILED,)), ["other", "green-3%"]),
        (RunFilter(states=FAILURES), ["other", "green-3%"]),
        (RunFilter(states=(StateName.CRASHED,)), []),
        (RunFilter(flow="other"), ["other"]),
        (RunFilter(beginnings=("yellow-", "both")), ["both", "yellow-2", "yellow-1"]),
        (RunFilter(text="such month"), ["green-3%"]),
        (RunFilter(text="3%"), ["green-3%"]),
        (RunFilter(text="%"), ["green-3%"]),
        (RunFilter(text="a_b"), ["other"]),
        (RunFilter(text="%'; DROP TABLE runs; --"), []),
        (RunFilter(text="GREEN-", top_level=True), ["green-3%", "green-2", "green-1"]),
        (RunFilter(text="green", states=FAILURES, flow="Load"), ["green-3%"]),
    ],
    ids=str,
)
def test_each_part_of_a_filter_narrows_the_runs_down(
    engine: Engine, wanted: RunFilter, found: list[str]
) -> None:
    assert names(engine, wanted) == found


def test_runs_are_found_by_when_they_began(engine: Engine, clock: Clock) -> None:
    since, until = (clock.now - timedelta(hours=hours) for hours in (4, 2))

    assert names(engine, RunFilter(since=since, until=until)) == ["yellow-2", "yellow-1"]


def test_a_page_after_a_run_that_was_pruned_is_the_first(engine: Engine) -> None:
    assert page_of_runs(engine.history, RunFilter(), after="gone").runs[0].name == "other"


def test_what_there_is_to_choose_from_and_how_long_it_takes(engine: Engine) -> None:
    history = engine.history

    assert flow_names(history) == ["Load", "other"]
    assert count_by_state(history) == {StateName.COMPLETED: 6, StateName.FAILED: 2}
    assert typical_seconds(history, "Load") == 0.0
    assert typical_seconds(history, "other") is None


def test_an_empty_history_has_no_runs(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        page = page_of_runs(engine.history, RunFilter())

        assert (page.runs, page.newer, page.older) == ([], None, None)
        assert flow_names(engine.history) == []


def test_the_last_runs_in_a_state_and_of_a_flow_are_found_by_an_index(engine: Engine) -> None:
    """A hundred thousand runs are read for none of these."""
    for where in ("state = 'Failed'", "flow = 'Load'"):
        plan = engine.history.database.rows(
            f"EXPLAIN QUERY PLAN SELECT rowid FROM runs WHERE {where} ORDER BY rowid DESC LIMIT 1"
        )
        assert [row["detail"].split(" USING")[0] for row in plan] == ["SEARCH runs"], where
