"""A task's output that is made while its consumer pulls: an iterator with a result at the end.

A stream belongs to one consumer: a task it was handed to, or the flow's body that iterates it.
It never runs if nobody pulls. What its states are and where they are kept is the watcher's
business (the engine's); a stream made outside a flow has none.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from taxietl.errors import ConfigError
from taxietl.orchestrator.stop.cancellation import interruptible

Y = TypeVar("Y")
R = TypeVar("R")


class StreamWatcher(Protocol):
    """Told what becomes of a stream; see `stream_runs.py`."""

    def begin(self) -> contextvars.Context:
        """An attempt begins; gives the context the generator runs in."""

    def before_pull(self, consumer_thread: int | None) -> None:
        """May raise `Cancelled`, which that thread will meet if it is not this one."""

    def completed(self, value: object, counts: Mapping[str, int]) -> None:
        """The generator returned."""

    def failed(self, error: BaseException, counts: Mapping[str, int]) -> BaseException:
        """The generator raised; gives the error to raise in the consumer."""

    def closed(self, why: str, counts: Mapping[str, int]) -> None:
        """It was closed before its end."""

    def paused(self, why: str) -> None:
        """Its consumer will run again, and so will it."""


class Stream(Generic[Y, R], Iterator[Y]):
    """What a generator task gives: iterate it once, then read `result`."""

    def __init__(
        self,
        name: str,
        open_generator: Callable[[], Generator[Y, None, R]],
        watcher: StreamWatcher | None = None,
        upstreams: Sequence[object] = (),
    ) -> None:
        self.name = name
        self.upstreams = upstreams
        """The futures that it begins after; its consumer waits for them, too."""
        self.items = 0
        self.rows: int | None = None
        """Rows pulled, where the items count their own (`num_rows`)."""
        self._open = open_generator
        self._watcher = watcher
        # Pulls may come from other threads than the maker's (a database's), one at a time.
        self._lock = threading.RLock()
        self._generator: Generator[Y, None, R] | None = None
        self._context = contextvars.Context()
        self._consumer: str | None = None
        self._consumer_thread: int | None = None
        self._was_begun = False
        self._result: list[R] = []
        self._end: str | None = None
        """Why no more items come; None while some may."""

    def __repr__(self) -> str:
        return f"<Stream of task {self.name!r}>"

    def __iter__(self) -> Stream[Y, R]:
        with self._lock:
            if self._end is not None:
                raise self._used_up()
        return self

    def __next__(self) -> Y:
        with self._lock:
            if self._result:
                raise StopIteration(self._result[0])
            if self._end is not None:
                raise self._used_up()
            self._consumer = self._consumer or "the flow"
            generator = self._generator or self._begin()
            try:
                if self._watcher:
                    self._watcher.before_pull(self._consumer_thread)
                # A context variable set in a generator would else leak to whoever pulls.
                item = interruptible(self._context.run, next, generator)
            except StopIteration as stop:
                self._end = "has failed"  # as it will have, if its end cannot be recorded
                if self._watcher:
                    self._watcher.completed(stop.value, self.counts)
                self._result = [stop.value]
                self._end = f"was read to its end by {self._consumer}"
                raise
            except BaseException as error:
                self._end = f"has failed: {type(error).__name__}"
                with contextlib.suppress(Exception):
                    self._shut()
                final = self._watcher.failed(error, self.counts) if self._watcher else error
                if final is error:
                    raise
                raise final from error
            self._count(item)
            return item

    @property
    def result(self) -> R:
        """What the generator returned; there once its last item was pulled.

        Raises:
            ConfigError: the stream has not been read to its end.
        """
        if not self._result:
            raise ConfigError(
                f"The stream of task {self.name!r} has no result yet: it has not been read to its"
                " end.",
                hint="Iterate it until it stops, then read .result.",
            )
        return self._result[0]

    @property
    def counts(self) -> dict[str, int]:
        """Items pulled so far, and rows where the items count theirs."""
        return {"items": self.items} | ({} if self.rows is None else {"rows": self.rows})

    def close(self) -> None:
        """Want no more items; the generator's `finally` blocks run now."""
        self._close(f"Closed early by {self._consumer or 'the flow'}.")

    def claim(self, consumer: str) -> None:
        """Make that task its one consumer.

        Raises:
            ConfigError: it has one already.
        """
        # Told before the lock is had: the one it has may hold that for a whole pull.
        if self._consumer is not None:
            raise self._used_up()
        with self._lock:
            if self._consumer is not None or self._end is not None:
                raise self._used_up()
            self._consumer, self._consumer_thread = consumer, threading.get_ident()

    def release(self, *, failed: bool) -> None:
        """Its consumer has ended; close what it left."""
        why = f"Its consumer {self._consumer} failed." if failed else ""
        self._close(why or f"Closed early by {self._consumer}.")

    def rewind(self) -> None:
        """Its consumer failed and will run again: the next pull opens the generator anew."""
        with self._lock:
            self._shut()
            if self._watcher and self._was_begun:
                self._watcher.paused(f"Its consumer {self._consumer} will run again.")
            self._generator, self._end, self._result = None, None, []
            self.items, self.rows = 0, None

    def _begin(self) -> Generator[Y, None, R]:
        """Open the generator."""
        begin = self._watcher.begin if self._watcher else contextvars.copy_context
        try:
            self._context = begin()
        except BaseException as error:
            self._end = f"could not begin: {type(error).__name__}"
            raise
        self._was_begun = True
        self._generator = self._open()
        return self._generator

    def _close(self, why: str) -> None:
        with self._lock:
            if self._end is not None:
                return
            self._end = "was closed"
            try:
                self._shut()
            except BaseException as error:
                if self._watcher:
                    self._watcher.failed(error, self.counts)
                raise
            if self._watcher and self._was_begun:
                self._watcher.closed(why, self.counts)

    def _shut(self) -> None:
        """Let the generator's `finally` blocks run, in its own context."""
        if self._generator is not None:
            self._context.run(self._generator.close)

    def _count(self, item: Y) -> None:
        self.items += 1
        rows = getattr(item, "num_rows", None)
        if isinstance(rows, int):
            self.rows = (self.rows or 0) + rows

    def _used_up(self) -> ConfigError:
        by = f" by {self._consumer}" if self._consumer else ""
        state = self._end or f"is being read{by}"
        return ConfigError(
            f"The stream of task {self.name!r} cannot be used a second time: it {state}.",
            hint=f"A stream has one consumer; call {self.name!r} once for each.",
        )
