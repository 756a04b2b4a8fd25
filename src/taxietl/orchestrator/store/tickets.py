"""The queue for slots: whoever holds or awaits some has a ticket, and tickets go by number.

It lies in `limits.db`, apart from the history, so that waiting for a slot never makes a writer of
the history wait. Whose turn it is, is decided by `fully_taken`, a pure function; a ticket whose
run is dead (see `liveness.py`) is removed by whoever would have to wait for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from taxietl.orchestrator.store.database import Database, Layout
from taxietl.orchestrator.store.liveness import is_alive
from taxietl.orchestrator.store.rows import to_text

SCHEMA = """
CREATE TABLE tickets (
    id INTEGER PRIMARY KEY AUTOINCREMENT, tags TEXT NOT NULL, root_id TEXT NOT NULL,
    run_id TEXT NOT NULL, run_name TEXT NOT NULL, task_run_name TEXT NOT NULL,
    host TEXT NOT NULL, pid INTEGER NOT NULL, since TEXT NOT NULL, granted_at TEXT
);
"""
LAYOUT = Layout("limits.db", "queue of the limits", (SCHEMA,))
NAMED = 3
"""So many holders are named in a message; of the others, the number."""


@dataclass(frozen=True)
class Ticket:
    """One attempt of a task that holds a slot of each of its tags, or waits for them."""

    tags: frozenset[str]
    root_id: str
    run_id: str
    run_name: str
    task_run_name: str
    host: str
    pid: int
    since: datetime
    granted_at: datetime | None = None
    """When it got its slots; None while it waits."""
    id: int = 0
    """Its number in line; 0 before it has joined."""


@dataclass(frozen=True)
class Taken:
    """A tag that has no slot left for a ticket."""

    tag: str
    limit: int
    holders: Sequence[Ticket]
    before: Sequence[Ticket]
    """Those who wait for it, too, and came first."""

    def __str__(self) -> str:
        names = [f"{each.task_run_name} of {each.run_name}" for each in self.holders[:NAMED]]
        if more := len(self.holders) - len(names):
            names.append(f"{more} more")
        by = f" by {', '.join(names)}" if names else ""
        first = f"; {len(self.before)} waiting before it" if self.before else ""
        return f"{self.tag!r} ({len(self.holders)} of {self.limit} held{by}{first})"


def fully_taken(tickets: Iterable[Ticket], mine: Ticket, limits: Mapping[str, int]) -> list[Taken]:
    """The tags that a ticket must still wait for; none, if it is its turn.

    Of each of its tags, a slot is kept for everybody who came before: so nobody is overtaken by
    one who wants the same, and who wants several tags gets them, however busy each one is.
    """
    others = [each for each in tickets if each.id != mine.id]
    found = []
    for tag in sorted(mine.tags):
        wanting = [each for each in others if tag in each.tags]
        holders = [each for each in wanting if each.granted_at]
        before = [each for each in wanting if not each.granted_at and each.id < mine.id]
        if len(holders) + len(before) >= limits[tag]:
            found.append(Taken(tag, limits[tag], holders, before))
    return found


class Queue:
    """The tickets of all processes that share a home; may be used by many threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._database = Database(home, LAYOUT)
        self._left: set[int] = set()
        """Tickets of this process that could not be removed when they were given back."""

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def version(self) -> int:
        """Another number whenever another connection has changed the queue."""
        return int(self._database.rows("PRAGMA data_version")[0][0])

    def tickets(self) -> list[Ticket]:
        """All of them, in line."""
        return self._tickets(self._database.rows("SELECT * FROM tickets ORDER BY id"))

    def join(self, mine: Ticket, limits: Mapping[str, int]) -> tuple[Ticket, list[Taken]]:
        """Take the next number, and the slots if they are free.

        Returns:
            The ticket with its number, and what it must wait for.
        """
        with self._writing() as connection:
            mine = replace(mine, id=_insert(connection, mine))
            return mine, self._grant(connection, mine, limits, mine.since)

    def ask(self, mine: Ticket, limits: Mapping[str, int], now: datetime) -> list[Taken]:
        """Take the slots if it is the ticket's turn; else say what it must wait for."""
        # A look first: of many who wake up together, only those whose turn it is need the lock.
        taken = fully_taken(self.tickets(), mine, limits)
        if taken:
            return taken
        with self._writing() as connection:
            return self._grant(connection, mine, limits, now)

    def leave(self, mine: Ticket) -> None:
        """Give the slots back, or the place in line.

        Raises:
            TaxietlError: the file could not be written. This process counts the ticket as gone
                all the same, and removes it with the next one.
        """
        self._left.add(mine.id)
        with self._writing():
            pass

    def remove_dead(self, *, but: str) -> bool:
        """Remove the tickets of dead runs; `but` is the asker's own run. True if there were any."""
        rows = self._database.rows(
            "SELECT DISTINCT root_id FROM tickets WHERE root_id != ?", (but,)
        )
        dead = [row["root_id"] for row in rows if not is_alive(self._home, row["root_id"])]
        for root_id in dead:
            self.remove_run(root_id)
        return bool(dead)

    def remove_run(self, root_id: str) -> None:
        """Remove all tickets of a run that has ended."""
        with self._writing() as connection:
            connection.execute("DELETE FROM tickets WHERE root_id = ?", (root_id,))

    def _grant(
        self,
        connection: sqlite3.Connection,
        mine: Ticket,
        limits: Mapping[str, int],
        now: datetime,
    ) -> list[Taken]:
        rows = connection.execute("SELECT * FROM tickets ORDER BY id").fetchall()
        taken = fully_taken(self._tickets(rows), mine, limits)
        if not taken:
            # In the place of the waiting one, which may be gone if somebody emptied the queue.
            _insert(connection, replace(mine, granted_at=now))
        return taken

    def _tickets(self, rows: Iterable[sqlite3.Row]) -> list[Ticket]:
        left = set(self._left)
        return [_ticket(row) for row in rows if row["id"] not in left]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which removes first what has been left."""
        left = list(self._left)
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM tickets WHERE id = ?", [(each,) for each in left])
            yield connection
        self._left.difference_update(left)


def _insert(connection: sqlite3.Connection, ticket: Ticket) -> int:
    """Put it in, or in the place of the one with its number; gives the number."""
    granted_at = to_text(ticket.granted_at) if ticket.granted_at else None
    cursor = connection.execute(
        "INSERT OR REPLACE INTO tickets (id, tags, root_id, run_id, run_name, task_run_name, host,"
        " pid, since, granted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(ticket.id or None, json.dumps(sorted(ticket.tags)), ticket.root_id, ticket.run_id),
            *(ticket.run_name, ticket.task_run_name, ticket.host, ticket.pid),
            *(to_text(ticket.since), granted_at),
        ),
    )
    return int(cursor.lastrowid or 0)


def _ticket(row: sqlite3.Row) -> Ticket:
    columns = dict(row)
    granted_at = columns["granted_at"]
    return Ticket(
        **columns
        | {
            "tags": frozenset(json.loads(columns["tags"])),
            "since": datetime.fromisoformat(columns["since"]),
            "granted_at": datetime.fromisoformat(granted_at) if granted_at else None,
        }
    )
