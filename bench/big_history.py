"""A history of 100,000 runs with 1,000,000 task runs, as years of ingesting would leave it.

python bench/big_history.py HOME
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from taxietl.orchestrator import History

RUNS, TASKS, LINES = 100_000, 10, 4
COLORS = ("yellow", "green", "fhv", "fhvhv")
FLOWS = ("Ingest data", "Upload to the lake", "Load into BigQuery", "Ingest months")
STATES = (
    (("Completed", "COMPLETED"),) * 17 + (("Failed", "FAILED"),) * 2 + (("Crashed", "CRASHED"),)
)
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)


def main(home: Path, *, runs: int = RUNS) -> None:
    """Fill an empty home's history."""
    history = History.open(home)
    with closing(history):
        for table, rows in (
            ("runs", (_run(i) for i in range(runs))),
            ("task_runs", (_task(i, n) for i in range(runs) for n in range(TASKS))),
            ("states", (_state(i) for i in range(runs))),
            ("logs", (_line(i, n) for i in range(runs) for n in range(LINES))),
        ):
            while some := list(islice(rows, 20_000)):
                _insert(history, table, some)


def _insert(history: History, table: str, rows: list[dict[str, Any]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    with history.database.transaction() as connection:
        connection.executemany(
            f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES ({marks})",  # noqa: S608
            [tuple(each.values()) for each in rows],
        )


def _run(i: int) -> dict[str, Any]:
    state, kind = STATES[i * 7919 % len(STATES)]
    began = BEGAN + timedelta(minutes=10 * i)
    ended = began + timedelta(seconds=1 + i % 97 / 10)
    color, month = COLORS[i % 4], f"{2009 + i // 12 % 16}-{i % 12 + 1:02d}"
    is_child = i % 3 == 1
    parent = f"{i - 1:032x}" if is_child else None
    parameters = json.dumps(
        {"trip_file": {"color": color, "month": month}, "options": {"a": "b" * 300}}
    )
    entry = json.dumps(
        {"target": "taxietl.flows.ingest:ingest", "file": None, "sha256": None, "folder": "/"}
    )
    return {
        "id": f"{i:032x}",
        "name": f"{color}-{month}-{i}",
        "flow": FLOWS[i % 4],
        "parent_id": parent,
        "root_id": parent or f"{i:032x}",
        "parameters": parameters,
        "state": state,
        "state_type": kind,
        "message": "" if state == "Completed" else f"Flow run encountered an exception: no {i}",
        "state_at": _text(ended),
        "created_at": _text(began),
        "started_at": _text(began),
        "ended_at": _text(ended),
        "host": "bench",
        "pid": 1,
        "version": "0",
        "entry": entry,
        "replay": parameters,
        "base": f"{color}-{month}",
    }


def _task(i: int, n: int) -> dict[str, Any]:
    began = BEGAN + timedelta(minutes=10 * i, milliseconds=100 * n)
    ended = began + timedelta(milliseconds=90)
    return {
        "id": f"{i * TASKS + n:016x}",
        "run_id": f"{i:032x}",
        "task": f"task{n}",
        "name": f"task{n}-0",
        "ordinal": 0,
        "kind": "task",
        "version": "1",
        "tags": "[]",
        "state": "Completed",
        "state_type": "COMPLETED",
        "message": "",
        "state_at": _text(ended),
        "attempts": 1,
        "arguments": "{}",
        "created_at": _text(began),
        "started_at": _text(began),
        "ended_at": _text(ended),
    }


def _state(i: int) -> dict[str, Any]:
    run = _run(i)
    return {
        "run_id": run["id"],
        "name": run["state"],
        "type": run["state_type"],
        "message": run["message"],
        "at": run["state_at"],
    }


def _line(i: int, n: int) -> dict[str, Any]:
    return {
        "run_id": f"{i:032x}",
        "at": _text(BEGAN + timedelta(minutes=10 * i, milliseconds=n)),
        "level": "INFO",
        "logger": "taxietl.flow_runs",
        "message": f"Finished task{n}-0 in state Completed()",
    }


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
