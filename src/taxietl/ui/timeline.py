"""Where on a time line the runs and task runs of a tree lie. Pure: rows and a time in, bars out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

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


def _bars(node: Node, percent: Callable[[datetime], float], end: datetime) -> Iterator[Bar]:
    """A bar for each state that lasted; of one that had no time, a bar for its last state."""
    found = False
    final = node.row.state
    for state, until in _stretches(node, end):
        if state.type is StateType.PENDING or state.is_final() or until <= state.at:
            continue
        # What ran until the end is told by how it ended.
        is_told = until == end and final.is_final() and state.name in _RAN
        found = True
        yield _bar(percent, state.at, until, final if is_told else state)
    begun = node.row.started_at
    if not found and (final.is_final() or begun):
        # Its states are not known, of a run with very many: from the beginning to the end, then.
        begin = begun or node.row.created_at
        yield _bar(percent, begin, end if begun else begin, final)


_RAN = (StateName.RUNNING, StateName.RETRYING)


def _bar(percent: Callable[[datetime], float], begin: datetime, end: datetime, state: State) -> Bar:
    width = max(percent(end) - percent(begin), LEAST_WIDTH)
    seconds = max(0.0, (end - begin).total_seconds())
    return Bar(min(percent(begin), 100 - width), width, state, seconds)


def _stretches(node: Node, end: datetime) -> Iterator[tuple[State, datetime]]:
    """Each state, and until when it lasted."""
    states = [each.state for each in node.states]
    yield from ((state, following.at) for state, following in pairwise(states))
    if states:
        yield states[-1], end
