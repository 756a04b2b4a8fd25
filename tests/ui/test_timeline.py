"""Where on the line bars lie, and in which state they are drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from taxietl.orchestrator import StateName
from taxietl.orchestrator.query.run_story import Node
from taxietl.orchestrator.store.rows import RunRow, StateRow
from taxietl.orchestrator.store.states import State
from taxietl.ui.timeline import LEAST_WIDTH, Bar, time_line

BEGAN = datetime(2021, 1, 2, 16, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def node(*states: tuple[StateName, float], begins: float = 0.0) -> Node:
    """A run that came into those states at those seconds."""
    rows = tuple(StateRow("r", None, State(name, "", at(when))) for name, when in states)
    name, when = states[-1]
    began = next((each.state.at for each in rows if each.state.name.has_begun), None)
    run = RunRow(
        id="r",
        name="run",
        flow="flow",
        root_id="r",
        parameters_json="{}",
        state=State(name, "", at(when)),
        created_at=at(begins),
        host="h",
        pid=1,
        process_start=None,
        version="0",
        started_at=began,
        ended_at=at(when) if name.is_final else None,
    )
    return Node(0, run, None, rows)


def drawn(bars: list[Bar]) -> list[tuple[float, float, str]]:
    return [(round(each.x, 2), round(each.width, 2), each.state.name.value) for each in bars]


P, R, DONE = StateName.PENDING, StateName.RUNNING, StateName.COMPLETED
WAITS, AGAIN, FAILED = StateName.AWAITING_RETRY, StateName.RETRYING, StateName.FAILED


@pytest.mark.parametrize(
    ("states", "bars"),
    [
        pytest.param([(P, 0), (R, 2), (DONE, 10)], [(20, 80, "Completed")], id="done"),
        pytest.param([(P, 0), (R, 2)], [(20, 80, "Running")], id="running"),
        pytest.param([(P, 0)], [], id="pending"),
        pytest.param([(P, 0), (StateName.CACHED, 0)], [(0, LEAST_WIDTH, "Cached")], id="cached"),
        pytest.param(
            [(P, 0), (R, 0), (WAITS, 4), (AGAIN, 6), (FAILED, 10)],
            [(0, 40, "Running"), (40, 20, "AwaitingRetry"), (60, 40, "Failed")],
            id="retried",
        ),
        pytest.param([(P, 0), (R, 10), (DONE, 10)], [(99.65, LEAST_WIDTH, "Completed")], id="end"),
    ],
)
def test_a_bar_is_drawn_for_each_state_that_lasted(
    states: list[tuple[StateName, float]], bars: list[tuple[float, float, str]]
) -> None:
    whole = node((P, 0), (R, 0), (DONE, 10))

    line = time_line([whole, node(*states)], now=at(10))

    assert drawn(line.bars[1]) == bars


def test_a_node_whose_states_are_not_known_is_drawn_by_its_times() -> None:
    whole = node((P, 0), (R, 0), (DONE, 10))
    unknown = replace(node((P, 0), (R, 4), (FAILED, 6)), states=())

    assert drawn(time_line([whole, unknown], now=at(10)).bars[1]) == [(40, 20, "Failed")]


def test_what_goes_on_ends_now_for_the_time_being() -> None:
    line = time_line([node((P, 0), (R, 0))], now=at(8))

    assert drawn(line.bars[0]) == [(0, 100, "Running")]
    assert [tick.seconds for tick in line.ticks] == [0, 2, 4, 6, 8]


def test_a_clock_that_was_set_back_breaks_nothing() -> None:
    line = time_line([node((P, 10), (R, 9), (DONE, 8), begins=10)], now=at(0))

    assert all(0 <= each.x <= 100 for each in line.bars[0])
