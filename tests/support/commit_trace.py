"""What a process did to a history, as text: each commit with what it changed, and what lay between.

Whoever writes the history is watched from outside: the connections that `sqlite3.connect` gives
tell of each commit, and a second connection reads what it has changed. How statements are spelt,
what is only read, and columns that are not named here make no difference. Ids, times and paths
are replaced, so that the text is the same each time.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

COLUMNS = {
    "runs": "id name base flow parent_id parent_task_run_id root_id resumed_from parameters state"
    " state_type message created_at started_at ended_at",
    "task_runs": "id run_id task name ordinal kind version tags child_run_id arguments state"
    " state_type message attempts cache_key result stored counts created_at started_at ended_at",
    "states": "run_id task_run_id name type message at attempt scheduled_for",
    "logs": "run_id task_run_id level logger message",
    "cache": "key task version arguments result created_at expires_at last_used_at run_id",
}
LETTERS = {"runs": "r", "task_runs": "t", "cache": "k"}
TIMES = frozenset("created_at started_at ended_at at scheduled_for expires_at last_used_at".split())

Row = dict[str, Any]


class Trace:
    """What happened, line by line.

    Args:
        home: of the history.
        began: the engine's time at its beginning; others are written as seconds after it.
    """

    def __init__(self, home: Path, began: datetime) -> None:
        self._home, self._began = home, began
        self._lock = threading.RLock()
        self._lines: list[str] = []
        self._labels: dict[str, str] = {}
        self._known: dict[str, dict[Any, Row]] = {table: {} for table in COLUMNS}

    @property
    def text(self) -> str:
        """All of it."""
        with self._lock:
            return self._masked("".join(f"{line}\n" for line in self._lines))

    def note(self, text: str) -> None:
        """Add something that happened now."""
        with self._lock:
            self._lines.append(text.replace("\n", "\n    "))

    def write(self, text: str) -> None:
        """Add what was shown on the console; for a log handler, as a stream."""
        line = re.sub(r"^[\d-]{10} [\d:]{8}\.\d{3} \| ", "", text.rstrip("\n"))
        self.note(f"shown: {_without_frames(line)}")

    def flush(self) -> None:
        """Nothing is held back."""

    def found(self, path: Path) -> None:
        """Add what the history holds before anything is done, unless that was told before."""
        with self._lock:
            if path.exists() and not self._lines:
                self._tell("found", path)

    def committed(self, path: Path) -> None:
        """Add what the history's last commit changed; nothing, if that is nothing."""
        with self._lock:
            self._tell("commit", path)

    def _tell(self, what: str, path: Path) -> None:
        connection = _connect(path)
        connection.row_factory = sqlite3.Row
        changes = []
        for table in COLUMNS:
            changes += self._changes(table, connection.execute(_select(table)).fetchall())
        connection.close()
        if changes:
            self._lines += [what, *(f"    {each}" for each in changes)]

    def _changes(self, table: str, rows: Iterable[sqlite3.Row]) -> list[str]:
        before, after = self._known[table], {}
        for row in rows:
            columns = dict(row)
            number = columns.pop("number")
            if table in LETTERS:
                number = columns["key" if table == "cache" else "id"]
                letter = LETTERS[table]
                of_kind = sum(each.startswith(letter) for each in self._labels.values())
                self._labels.setdefault(number, f"{letter}{of_kind + 1}")
            after[number] = columns
        self._known[table] = after
        gone = [row for number, row in before.items() if number not in after]
        found = [f"- {table} {self._who(row)}" for row in gone]
        for number, row in after.items():
            if number not in before:
                found.append(f"+ {self._new(table, row)}")
            elif changed := {k: v for k, v in row.items() if v != before[number][k]}:
                found.append(f"~ {table} {self._who(row)}: {self._fields(changed)}")
        if table == "states":  # within a commit there is no order between those of two runs
            found.sort(key=lambda each: each.partition(":")[0])
        return found

    def _new(self, table: str, row: Row) -> str:
        if table == "logs":
            message = _without_frames(row["message"])
            return f"log {self._owner(row)}: {row['level']} {row['logger']}: {message}"
        if table == "states":
            rest = {k: row[k] for k in ("message", "at", "attempt", "scheduled_for")}
            return f"state {self._owner(row)}: {row['name']} {row['type']} {self._fields(rest)}"
        return f"{table} {self._who(row)}: {self._fields(row)}"

    def _who(self, row: Row) -> str:
        return self._labels[row["key"] if "key" in row else row["id"]]

    def _owner(self, row: Row) -> str:
        task = row["task_run_id"]
        return self._labels[row["run_id"]] + (f" {self._labels[task]}" if task else "")

    def _fields(self, row: Row) -> str:
        """The columns that hold something."""
        shown = []
        for name, value in row.items():
            if value in (None, "", "[]") or name in ("id", "key"):
                continue
            if name in TIMES:
                value = f"+{(datetime.fromisoformat(value) - self._began).total_seconds():g}"
            elif name == "version" and len(value) > 4:
                value = "its code"  # another Python makes other code
            elif isinstance(value, str) and value in self._labels:
                value = self._labels[value]
            shown.append(f"{name}={value}")
        return " ".join(shown)

    def _masked(self, text: str) -> str:
        for key, label in self._labels.items():
            text = text.replace(key, label)
        text = text.replace(str(self._home.parent), "FOLDER")
        text = re.sub(r"Its process \d+ on \S+ is gone", "Its process N on HOST is gone", text)
        text = re.sub(r"from the cache, \d+ bytes", "from the cache, N bytes", text)
        return re.sub(r"(heard of at) [-\d]+ [:\d]+ UTC", r"\1 TIME", text)


def _without_frames(message: str) -> str:
    """A traceback as its errors: where in the code they were raised does not matter."""
    first, begin, trace = message.partition("\nTraceback (most recent call last):")
    if not begin:
        return message
    trace, _, hint = trace.partition("\nhint: ")
    errors = re.findall(r"^(?:  \| )?([A-Za-z_][\w.]*(?:: .*)?)$", trace, re.MULTILINE)
    hinted = f"; hint: {hint}" if hint else ""
    return f"{first} [traceback of {errors[-1] if errors else '?'}{hinted}]"


def _select(table: str) -> str:
    columns = ", ".join(COLUMNS[table].split())
    return f"SELECT rowid AS number, {columns} FROM {table} ORDER BY rowid"


_connect = sqlite3.connect
_commits = 0
_killing: tuple[int, bool] | None = None
_trace: Trace | None = None


def watch(trace: Trace, path: Path) -> None:
    """Have all that this process commits to that history from now on told to that trace."""
    global _trace
    _trace = trace
    trace.found(path)


def forget() -> None:
    """Neither trace nor count what was done so far."""
    global _trace, _commits
    _trace, _commits = None, 0


def kill_at(commit: int, *, before: bool) -> None:
    """Have this process killed just after, or before, that one of its commits from now on."""
    global _killing, _commits
    _commits, _killing = 0, (commit, before)


def commits() -> int:
    """How many commits this process has made that changed rows."""
    return _commits


class _Cursor(sqlite3.Cursor):
    """One that lets its connection tell."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        run = super().execute
        return self.connection.watched(lambda: run(sql, *parameters), ends=_ends(sql))

    def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        run = super().executemany
        return self.connection.watched(lambda: run(sql, *parameters))


class _Connection(sqlite3.Connection):
    """One that tells of its commits."""

    path: Path
    _changes = 0

    def cursor(self, factory: type[sqlite3.Cursor] = _Cursor) -> sqlite3.Cursor:
        return super().cursor(factory)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return self.cursor().execute(sql, *parameters)

    def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        return self.cursor().executemany(sql, *parameters)

    def commit(self) -> None:
        self.watched(super().commit, ends=True)

    def watched(self, act: Callable[[], Any], *, ends: bool = False) -> Any:
        global _commits
        is_commit = ends and self.in_transaction and self.total_changes != self._changes
        if is_commit:
            _commits += 1
            if _killing == (_commits, True):
                os.kill(os.getpid(), signal.SIGKILL)
        done = act()
        if is_commit and _killing == (_commits, False):
            os.kill(os.getpid(), signal.SIGKILL)
        if not self.in_transaction:
            is_changed, self._changes = self.total_changes != self._changes, self.total_changes
            if is_changed and _trace is not None and self.path.name == "history.db":
                _trace.committed(self.path)
        return done


def _ends(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("COMMIT", "END"))


def _watched_connect(database: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
    connection = _connect(database, *arguments, **{"factory": _Connection, **options})
    if isinstance(connection, _Connection):
        connection.path = Path(database)
    return connection


def install() -> None:
    """Have every connection of this process watched; before anything else is imported."""
    sqlite3.connect = _watched_connect  # type: ignore[assignment]


def dumped(value: object) -> str:
    """Any value as text that is the same each time."""
    return json.dumps(value, sort_keys=True, default=repr)
