"""Where on a time line the runs and task runs of a tree lie. Pure: rows and a time in, bars out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from taxietl.orchestrator.query.run_story import Node
from taxietl.orchestrator.store.states import State, StateName, StateType

LEAST_WIDTH = 0.35
"""Percent: what is shorter is drawn so wide, to be seen."""


@dataclass(frozen=True)
class Bar:
    """A stretch of time in one state; from and to in percent of the whole line."""

    x: float
    width: float
    state: State
    seconds: float


@dataclass(frozen=True)
class Tick:
    """A mark on the line: seconds since its beginning."""

    x: float
    seconds: float


@dataclass(frozen=True)
class TimeLine:
    """The bars of each node, and the marks above them."""

    bars: list[list[Bar]]
    ticks: list[Tick]


def time_line(nodes: Sequence[Node], now: datetime) -> TimeLine:
    """The bars of those nodes, on one line from the beginning of the first to the end of the last.

    Args:
        nodes: the run itself first.
        now: where what goes on ends for the time being.
    """
    begin = nodes[0].row.created_at
    ends = [each.row.ended_at or now for each in nodes]
    whole = max((max(ends) - begin).total_seconds(), 0.001)

    def percent(at: datetime) -> float:
        return min(100.0, max(0.0, (at - begin).total_seconds() / whole * 100))

    bars = [[*_bars(node, percent, end)] for node, end in zip(nodes, ends, strict=True)]
    return TimeLine(bars, [Tick(part * 100, part * whole) for part in (0.0, 0.25, 0.5, 0.75, 1.0)])


def _bars(node: Node, percent: object, end: datetime) -> Iterator[Bar]:
    """A bar for each state that lasted; of one that had no time, a bar for its last state."""
    assert callable(percent)
    found = False
    for state, until in _stretches(node, end):
        if state.type is StateType.PENDING or state.is_final() or until <= state.at:
            continue
        x, right = percent(state.at), percent(until)
        final = node.row.state
        # What ran until the end is told by how it ended.
        shown = final if until == end and final.is_final() and state.name in _RAN else state
        found = True
        width = max(right - x, LEAST_WIDTH)
        yield Bar(min(x, 100 - width), width, shown, (until - state.at).total_seconds())
    if not found and node.row.state.is_final():
        x = percent(node.row.started_at or node.row.created_at)
        yield Bar(min(x, 100 - LEAST_WIDTH), LEAST_WIDTH, node.row.state, 0.0)


_RAN = (StateName.RUNNING, StateName.RETRYING)


def _stretches(node: Node, end: datetime) -> Iterator[tuple[State, datetime]]:
    """Each state, and until when it lasted."""
    states = [each.state for each in node.states]
    for state, following in zip(states, [*states[1:], None], strict=True):
        yield state, following.at if following else end
