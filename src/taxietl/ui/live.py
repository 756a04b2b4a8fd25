"""Tells open pages that something has changed, by server-sent events; they ask for the rest.

SQLite has a number that changes whenever another connection has written: asking for it costs
microseconds, so one look for all pages, five times a second while any is open, is all there is.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from sse_starlette import EventSourceResponse, JSONServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from taxietl.ui.dashboard import RECONCILE_SECONDS, Dashboard

LOOK_SECONDS = 0.2
REST_SECONDS = 0.5
"""A page is not told again before: of many changes, one in so long a time is shown."""
FILES = ("history.db", "limits.db")


class Watcher:
    """Looks for changes of the home's files while anybody wants to know."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._changes = 0
        self._changed = asyncio.Event()
        self._open = 0
        self._task: asyncio.Task[None] | None = None
        self._looks = asyncio.Event()
        """It has looked once: from then on no change is missed."""

    async def changes(self, stamp: str) -> AsyncIterator[int]:
        """A number for each change since the page was made that bears that stamp."""
        self._open += 1
        if self._task is None:
            self._looks = asyncio.Event()
            self._task = asyncio.create_task(self._look())
        try:
            await self._looks.wait()
            seen = self._changes
            if stamp != await asyncio.to_thread(self._dashboard.stamp):
                yield seen
            while True:
                if seen == self._changes:
                    await self._changed.wait()
                seen = self._changes
                yield seen
                await asyncio.sleep(REST_SECONDS)
        finally:
            self._open -= 1
            if not self._open and self._task:
                self._task.cancel()
                self._task = None

    @property
    def is_looking(self) -> bool:
        """Whether anybody wants to know."""
        return self._task is not None

    async def _look(self) -> None:
        with ExitStack() as stack:
            files = [self._dashboard.home / name for name in FILES]
            known: dict[Path, sqlite3.Connection] = {}
            versions: dict[Path, int] = {}
            looks = 0
            while True:
                for file in files:
                    if file not in known and file.exists():
                        address = f"{file.absolute().as_uri()}?mode=ro"
                        with suppress(sqlite3.Error):
                            connection = sqlite3.connect(address, uri=True, timeout=0)
                            known[file] = stack.enter_context(closing(connection))
                now = {file: _version(connection) for file, connection in known.items()}
                if versions and now != versions:
                    self._tell()
                versions = now
                self._looks.set()
                looks += 1
                # A run that is killed writes nothing: somebody has to find it dead.
                if looks % round(RECONCILE_SECONDS / LOOK_SECONDS) == 0:
                    with suppress(Exception):
                        await asyncio.to_thread(lambda: self._dashboard.history)
                await asyncio.sleep(LOOK_SECONDS)

    def _tell(self) -> None:
        self._changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _version(connection: sqlite3.Connection) -> int:
    with suppress(sqlite3.Error):  # somebody upgrades the file just now
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    return -1


def stream(watcher: Watcher, request: Request) -> Response:
    """The events: `changed`, whenever a page should look again."""

    async def events() -> AsyncIterator[JSONServerSentEvent]:
        async for number in watcher.changes(request.query_params.get("since", "")):
            yield JSONServerSentEvent({"change": number}, event="changed")

    return EventSourceResponse(events(), ping=15)
