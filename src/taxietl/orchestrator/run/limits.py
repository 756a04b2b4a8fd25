"""Tags with limits: at most so many attempts at a time, in all processes that share a home.

An attempt takes a slot of each of its limited tags, all or none, before it is Running, and gives
them back when it ends, however it ends; between two attempts it has none. The queue itself is in
`tickets.py`. Who waits is woken at once by a thread of this process; other processes' changes it
sees by looking, which costs some microseconds, every `POLL_SECONDS`.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import ConfigError, TaxietlError
from taxietl.orchestrator.store.tickets import Queue, Taken, Ticket

if TYPE_CHECKING:
    from taxietl.orchestrator.stop.cancellation import Cancellation
    from taxietl.orchestrator.store.lines import Identity

POLL_SECONDS = 0.025
LOOK_FOR_DEAD_SECONDS = 0.25

_holder: ContextVar[str | None] = ContextVar("taxietl_slots_holder", default=None)
"""The task run that holds slots around this code."""


def holds_slots() -> bool:
    """Whether this code is part of an attempt that holds slots."""
    return _holder.get() is not None


class Limits:
    """The limits of one engine; may be used by many threads.

    Args:
        home: the folder that all processes which share the limits share.
        limits: how many attempts of tasks with a tag may be under way at a time, by tag.
        clock: the time now, aware.

    Raises:
        ConfigError: a limit is no whole number of 0 or more.
    """

    def __init__(
        self, home: Path, limits: Mapping[str, int], *, clock: Callable[[], datetime]
    ) -> None:
        for tag, limit in limits.items():
            if type(limit) is not int or limit < 0:
                raise ConfigError(f"The limit of the tag {tag!r} must be a whole number from 0 on.")
        self._home, self._limits, self._clock = home, dict(limits), clock
        self._queue: Queue | None = None
        self._opening = threading.Lock()
        self._changed = threading.Condition()
        self._changes = 0
        """How often a thread of this process has changed something that others may wait for."""

    def close(self) -> None:
        """Close the queue; a later use opens it again."""
        with self._opening:
            if self._queue is not None:
                self._queue.close()
            self._queue = None

    def check(self, who: Identity, tags: Collection[str]) -> None:
        """Refuse a task that would wait for slots for ever.

        Args:
            who: its task run.
            tags: those of its tags that have a limit, one or more.

        Raises:
            ConfigError: one of the limits is 0; or a task around it holds slots.
        """
        for tag in sorted(tags):
            if self._limits[tag] == 0:
                raise ConfigError(
                    f"{who.task_run_name!r} is not run: its tag {tag!r} has the limit 0.",
                    hint=f"Set a limit of 1 or more ([limits] {tag} in the configuration).",
                )
        if (holder := _holder.get()) is not None:
            raise ConfigError(
                f"{who.task_run_name!r} needs a slot of {_listed(tags)}, inside {holder!r},"
                " which holds slots itself: two such tasks would wait for each other.",
                hint="Call the flow from a flow, or take the limited tags off the outer task.",
            )

    @contextmanager
    def slots(
        self,
        who: Identity,
        tags: frozenset[str],
        *,
        cancellation: Cancellation,
        aside: Callable[[], AbstractContextManager[None]],
        waiting: Callable[[str], None],
    ) -> Iterator[None]:
        """Hold a slot of each tag while the block runs, once it is this task run's turn.

        Args:
            who: the task run.
            tags: limited ones.
            cancellation: asks it to stop.
            aside: a block in which this thread only waits, and another may work in its place.
            waiting: told once what it waits for, if it has to.

        Raises:
            Cancelled: the run was asked to stop while it waited.
            TaxietlError: the queue cannot be used.
        """
        queue = self._opened()
        ticket, taken = queue.join(_new_ticket(who, tags, self._clock()), self._limits)
        try:
            if taken:
                # Whoever holds the slots may need this thread's turn to come to an end.
                with aside():
                    self._wait(queue, ticket, cancellation, waiting)
            token = _holder.set(who.task_run_name)
            try:
                yield
            finally:
                _holder.reset(token)
        finally:
            try:
                queue.leave(ticket)
            except TaxietlError as error:
                # The task did its work, and nobody here will wait for this ticket.
                logging.getLogger("taxietl.engine").warning(
                    "The slots of %r could not be given back: %s", who.task_run_name, error
                )
            self._wake()

    def remove_run(self, root_id: str) -> None:
        """Give back whatever a run that has ended holds; in time, its end does so by itself."""
        if self._queue is not None:
            with suppress(TaxietlError):
                self._queue.remove_run(root_id)
            self._wake()

    def _wait(
        self,
        queue: Queue,
        ticket: Ticket,
        cancellation: Cancellation,
        waiting: Callable[[str], None],
    ) -> None:
        """Wait until it is that ticket's turn."""
        seen: tuple[int, int] | None = None
        looked_at, is_told = float("-inf"), False
        while True:
            cancellation.check()
            version = (queue.version(), self._changes)
            if time.monotonic() - looked_at > LOOK_FOR_DEAD_SECONDS:
                looked_at = time.monotonic()
                if queue.remove_dead(but=ticket.root_id):
                    seen = None
                    self._wake()
            if version != seen:
                seen = version
                taken = queue.ask(ticket, self._limits, self._clock())
                if not taken:
                    return
                if not is_told:
                    is_told = True
                    waiting(_message(taken))
            with self._changed:
                if self._changes == version[1]:
                    self._changed.wait(POLL_SECONDS)

    def _wake(self) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def _opened(self) -> Queue:
        with self._opening:
            if self._queue is None:
                self._queue = Queue(self._home)
            return self._queue


def _new_ticket(who: Identity, tags: frozenset[str], now: datetime) -> Ticket:
    return Ticket(
        tags=tags,
        root_id=who.root_id,
        run_id=who.run_id,
        run_name=who.run_name,
        task_run_name=who.task_run_name or "",
        host=socket.gethostname(),
        pid=os.getpid(),
        since=now,
    )


def _message(taken: list[Taken]) -> str:
    return f"Waiting for a slot of {', '.join(str(each) for each in taken)}."


def _listed(tags: Collection[str]) -> str:
    return ", ".join(repr(tag) for tag in sorted(tags))
