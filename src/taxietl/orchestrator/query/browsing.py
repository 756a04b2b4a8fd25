"""Looking for runs in a history that may hold a hundred thousand: a page at a time, by indexes.

A page begins after, or ends before, a run: its place is looked up anew each time, so that a link
to a page means the same after others ran or were pruned.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.store.attached_rows import EventRow
from taxietl.orchestrator.store.rows import RunRow, to_text, when
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.store.history import History

FAILURES = (StateName.FAILED, StateName.TIMED_OUT, StateName.CRASHED)
"""How a run ends that somebody should look at."""

_WITH_MESSAGES = tuple(each for each in StateName if each is not StateName.COMPLETED)


@dataclass(frozen=True)
class RunFilter:
    """Which runs are looked for; each part that is set narrows them down."""

    states: tuple[StateName, ...] = ()
    flow: str | None = None
    beginnings: tuple[str, ...] = ()
    """Of names: one of these."""
    text: str = ""
    """Somewhere in a name, or in the message of one that did not complete; in capitals or not."""
    since: datetime | None = None
    until: datetime | None = None
    top_level: bool = False
    """No child runs."""


@dataclass(frozen=True)
class RunPage:
    """Some of the runs looked for, the newest first."""

    runs: list[RunRow]
    parents: dict[str, str]
    """The names of the runs that called them, by id."""
    newer: str | None
    """The run that the page of newer ones ends before; None if there are none."""
    older: str | None
    """The run that the page of older ones begins after."""


def page_of_runs(
    history: History,
    wanted: RunFilter,
    *,
    after: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> RunPage:
    """A page of the runs looked for, newest first whatever the clock said when they began.

    Args:
        after: the id of the run that the page comes after, in this order; older ones follow.
        before: the id of the run that the page comes before; newer ones.
        limit: how many runs a page has.
    """
    place = _place(history, after or before)
    is_back = before is not None and place is not None
    found = _found(history, wanted, place, limit + 1, newest_first=not is_back)
    has_more = len(found) > limit
    runs = found[:limit]
    if is_back:
        runs.reverse()
    if not runs:
        return RunPage([], {}, newer=None, older=None)
    is_first = has_more if is_back else place is not None
    is_last = True if is_back else has_more
    return RunPage(
        runs,
        names_of(history, {each.parent_id for each in runs if each.parent_id}),
        newer=runs[0].id if is_first else None,
        older=runs[-1].id if is_last else None,
    )


def flow_names(history: History) -> list[str]:
    """Every flow that ever ran, by name."""
    rows = history.database.rows(
        # One step in the index for each flow, whatever number of runs it has.
        "WITH RECURSIVE flows (name) AS (SELECT MIN(flow) FROM runs UNION ALL"
        " SELECT (SELECT MIN(flow) FROM runs WHERE flow > flows.name) FROM flows"
        " WHERE flows.name IS NOT NULL) SELECT name FROM flows WHERE name IS NOT NULL"
    )
    return [row["name"] for row in rows]


def count_by_state(history: History) -> dict[StateName, int]:
    """How many runs there are, child runs among them, by the state they are in."""
    rows = history.database.rows(
        "SELECT state, state_type, runs FROM"
        " (SELECT MAX(rowid) AS place, COUNT(*) AS runs FROM runs GROUP BY state)"
        " JOIN runs ON runs.rowid = place"
    )
    found: dict[StateName, int] = {}
    for row in rows:
        name = StateName.stored(row["state"], row["state_type"])
        found[name] = found.get(name, 0) + row["runs"]
    return found


def names_of(history: History, ids: set[str]) -> dict[str, str]:
    """The names of those runs, by id, as far as they are there."""
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT id, name FROM runs WHERE id IN ({marks})"  # noqa: S608
    return {row["id"]: row["name"] for row in history.database.rows(sql, tuple(sorted(ids)))}


def typical_seconds(history: History, flow: str, *, runs: int = 9) -> float | None:
    """How long the flow's last completed runs took: the middle one; None if there are none."""
    rows = history.database.rows(
        "SELECT started_at, ended_at FROM runs WHERE flow = ? AND state = ?"
        " AND started_at IS NOT NULL ORDER BY rowid DESC LIMIT ?",
        (flow, StateName.COMPLETED, runs),
    )
    took = sorted(
        (datetime.fromisoformat(row["ended_at"]) - datetime.fromisoformat(row["started_at"]))
        for row in rows
        if row["ended_at"]
    )
    return took[len(took) // 2].total_seconds() if took else None


def stamp_of(history: History) -> str:
    """Another text whenever anything has been stored that a page shows."""
    row = history.database.rows(
        "SELECT (SELECT MAX(rowid) FROM states), (SELECT MAX(rowid) FROM logs),"
        " (SELECT MAX(rowid) FROM runs), (SELECT MIN(rowid) FROM runs)"
    )[0]
    return "-".join(str(each or 0) for each in row)


def run_of_process(history: History, pid: int, since: datetime) -> str | None:
    """The id of the first run that a process of this machine began since then; None if none."""
    rows = history.database.rows(
        "SELECT id FROM runs WHERE created_at >= ? AND pid = ? AND host = ? AND parent_id IS NULL"
        " ORDER BY created_at LIMIT 1",
        (to_text(since), pid, socket.gethostname()),
    )
    return rows[0]["id"] if rows else None


def latest_events(history: History, *, limit: int) -> list[tuple[EventRow, str]]:
    """The events that were attached last, each with the name of its run, the newest first."""
    rows = history.database.rows(
        "SELECT events.*, runs.name AS run_name FROM events JOIN runs ON runs.id = events.run_id"
        " ORDER BY events.rowid DESC LIMIT ?",
        (limit,),
    )
    return [(EventRow.of(row), row["run_name"]) for row in rows]


def hits_of(history: History, keys: Sequence[str]) -> dict[str, int]:
    """How many task runs in the history each of these cached results was used by."""
    marks = ", ".join("?" * len(keys))
    rows = history.database.rows(
        "SELECT cache_key, COUNT(*) AS hits FROM task_runs"  # noqa: S608
        f" WHERE cache_key IN ({marks}) AND state = 'Cached' GROUP BY cache_key",
        tuple(keys),
    )
    return {row["cache_key"]: row["hits"] for row in rows}


@dataclass(frozen=True)
class Maker:
    """Who made a cached result."""

    run_id: str
    run_name: str | None
    """None if the run was pruned."""
    made_at: datetime


def makers_of(history: History, keys: Collection[str]) -> dict[str, Maker]:
    """The run that made each of these cached results, as far as they are still kept."""
    marks = ", ".join("?" * len(keys))
    rows = history.database.rows(
        "SELECT cache.key, cache.run_id, cache.created_at, runs.name FROM cache"  # noqa: S608
        f" LEFT JOIN runs ON runs.id = cache.run_id WHERE cache.key IN ({marks})",
        tuple(keys),
    )
    return {row["key"]: Maker(row["run_id"], row["name"], when(row["created_at"])) for row in rows}


def events_of(history: History, run: RunRow) -> list[EventRow]:
    """The events of that run alone, in their order."""
    sql = "SELECT * FROM events WHERE run_id = ? ORDER BY rowid"
    return [EventRow.of(row) for row in history.database.rows(sql, (run.id,))]


def _place(history: History, run_id: str | None) -> int | None:
    """Where a run stands; None for none, or one that is gone: then a page is the first one."""
    if run_id is None:
        return None
    rows = history.database.rows("SELECT rowid AS place FROM runs WHERE id = ?", (run_id,))
    return int(rows[0]["place"]) if rows else None


def _found(
    history: History, wanted: RunFilter, place: int | None, limit: int, *, newest_first: bool
) -> list[RunRow]:
    """The runs on one side of a place, the nearest first."""
    order = "DESC" if newest_first else "ASC"
    conditions: list[str] = []
    given: list[Any] = []
    for condition, values in _conditions(wanted):
        conditions.append(condition)
        given += values
    if place is not None:
        conditions.append(f"rowid {'<' if newest_first else '>'} ?")
        given.append(place)
    # A state at a time, so that each is read in order from its index and none is sorted.
    parts, values = [], []
    for state in wanted.states or (None,):
        own = [*conditions, "state = ?"] if state else conditions
        where = f"WHERE {' AND '.join(own)}" if own else ""
        part = f"SELECT rowid AS place FROM runs {where} ORDER BY rowid {order} LIMIT ?"  # noqa: S608
        parts.append(f"SELECT place FROM ({part})")  # noqa: S608
        values += [*given, *([state] if state else []), limit]
    sql = (
        f"SELECT * FROM runs WHERE rowid IN ({' UNION ALL '.join(parts)})"  # noqa: S608
        f" ORDER BY rowid {order} LIMIT ?"
    )
    return [RunRow.of(row) for row in history.database.rows(sql, (*values, limit))]


def _conditions(wanted: RunFilter) -> Iterator[tuple[str, list[Any]]]:
    """What the runs have in common, but for their states."""
    if wanted.flow is not None:
        yield "flow = ?", [wanted.flow]
    if wanted.beginnings:
        ranges = " OR ".join(["(name >= ? AND name < ?)"] * len(wanted.beginnings))
        # Nothing sorts after the last character that there is.
        yield (
            f"({ranges})",
            [end for each in wanted.beginnings for end in (each, f"{each}\U0010ffff")],
        )
    if wanted.text:
        sign = "\\"
        text = wanted.text.replace(sign, sign * 2).replace("%", r"\%").replace("_", r"\_")
        # The names are read off their index, and messages where there are any worth reading.
        states = ", ".join("?" * len(_WITH_MESSAGES))
        by_name = r"SELECT rowid FROM runs WHERE name LIKE ? ESCAPE '\'"
        by_message = f"SELECT rowid FROM runs WHERE state IN ({states}) AND message LIKE ?"  # noqa: S608
        yield (
            rf"(rowid IN ({by_name}) OR rowid IN ({by_message} ESCAPE '\'))",
            [f"%{text}%", *_WITH_MESSAGES, f"%{text}%"],
        )
    if wanted.since is not None:
        yield "created_at >= ?", [to_text(wanted.since)]
    if wanted.until is not None:
        # By the index of times: from the newest on, all that came later would be read.
        before = "rowid IN (SELECT rowid FROM runs WHERE created_at < ?)"
        yield before, [to_text(wanted.until)]
    if wanted.top_level:
        yield "parent_id IS NULL", []
