"""What one call of a task need not do: its result is there, from an earlier run or in the cache.

The run that is taken up (see `resume.py`) is asked first, then the cache. A found result is
claimed before it is used, so that nobody removes its files to make room meanwhile; so is the key
under which a result is about to be made, which one call at a time makes (`key_locks.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxietl.orchestrator.define import cache
from taxietl.orchestrator.run.key_locks import KeyLock
from taxietl.orchestrator.store.beginnings import NewTaskRun
from taxietl.orchestrator.store.results import MAX_BYTES, HoldsSecretError, Stored
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.context import TaskScope
    from taxietl.orchestrator.define.tasks import Task
    from taxietl.orchestrator.store.recorder import Batch


@dataclass(frozen=True)
class Found:
    """A result that was made before."""

    value: Any
    kept: Stored
    """The same as the history has it."""
    message: str = ""
    """Where it comes from, if not from the cache."""


class Reuse:
    """What one call may use, and what it leaves behind for others.

    Args:
        task: what is called.
        task_run: the call, pending.
        new: the call as it is stored, its arguments settled.
        arguments: the same arguments as they are.
    """

    def __init__(
        self,
        task: Task[..., Any],
        task_run: TaskScope,
        new: NewTaskRun,
        arguments: Mapping[str, object],
    ) -> None:
        self._task, self._run, self._engine = task, task_run.run, task_run.run.engine
        self._task_run, self._new, self._arguments = task_run, new, arguments
        self._lock: KeyLock | None = None
        self._entry: cache.Entry | None = None
        self.miss = ""
        """Why the cache had nothing to use; empty if it was not asked."""

    def find(self) -> Found | None:
        """The result of the same call, if it can be used; it is claimed then."""
        return self._earlier() or self._cached()

    def release(self) -> None:
        """Let other calls make or use what this one was to make."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def prepare(self, value: object) -> cache.Prepared | None:
        """A result ready for the cache; None if it does not go there.

        Raises:
            ConfigError: the result cannot be stored.
        """
        if self._entry is None:
            return None
        try:
            folder = self._engine.cache.folder
            return cache.prepare(self._entry, self._task.codec, value, folder=folder)
        except HoldsSecretError as error:
            says = (
                f"The result of {self._new.name!r} is not kept, and made again next time: {error}."
            )
            with self._engine.recorder.batch() as batch:
                batch.say(self._run, says, level=logging.WARNING)
            return None

    def keep(self, batch: Batch, prepared: cache.Prepared) -> None:
        """Write it into the cache."""
        cache.keep(
            batch.writer.connection,
            prepared,
            expires=self._task.cache.expires if self._task.cache else None,
            now=batch.at,
            run_id=self._run.id,
            size=self._engine.cache.size(prepared.result, prepared.files),
        )

    def _earlier(self) -> Found | None:
        """From the run that is taken up."""
        if self._run.earlier is None:
            return None
        done = self._run.earlier.done(self._new, self._task.codec)
        if done is None:
            return None
        old = done.record
        # A result without files needs no cache: the history has it.
        if self._claim(old.cache_key) or old.files is None:
            return Found(done.value, Stored(old.result, old.files), done.message)
        return None

    def _cached(self) -> Found | None:
        """From the cache."""
        task = self._task
        if task.cache is None:
            return None
        entry = cache.Entry.of(
            task.cache,
            task.name,
            place=task.place,
            version=self._new.version,
            arguments=self._arguments,
        )
        if entry is None:
            return None
        self._entry = entry
        found = self._usable(entry)
        if isinstance(found, cache.Miss):
            self.miss = f"Cache miss: {found.reason}."
            self._take_turn(entry)
            # Whoever had the turn before has made it meanwhile.
            found = self._usable(entry)
        if isinstance(found, Found):
            self.release()
            return found
        with self._engine.history.writing() as writer:
            # From here on nobody removes, to make room, what is made under that key.
            writer.cache_key(self._new.id, entry.key)
        return None

    def _usable(self, entry: cache.Entry) -> Found | cache.Miss:
        """What is kept under that key, claimed."""
        hit = self._look_up(entry)
        if isinstance(hit, cache.Miss):
            return hit
        if not self._claim(entry.key):
            return cache.Miss("what was kept under its key has just been removed")
        fits = len(hit.result) <= MAX_BYTES
        return Found(hit.value, Stored(hit.result if fits else None, hit.files))

    def _take_turn(self, entry: cache.Entry) -> None:
        """Wait while another call, in whatever process, makes the same result."""
        task, run = self._task, self._run
        is_fresh = task.cache is not None and task.cache.refresh
        self._lock = KeyLock(self._engine.home, entry.key)
        with run.pool.aside():
            self._lock.acquire(
                run.cancellation,
                patience_seconds=0 if is_fresh else task.timeout_seconds,
                waiting=self._tell_waiting,
            )

    def _tell_waiting(self) -> None:
        message = "Waiting for the same result, which another call is making."
        with self._engine.recorder.batch() as batch:
            batch.say(self._task_run, message)
            batch.task_state(self._task_run, batch.state(StateName.PENDING, message))

    def _look_up(self, entry: cache.Entry) -> cache.Hit | cache.Miss:
        if self._task.cache is not None and self._task.cache.refresh:
            return cache.Miss("a fresh result was asked for")
        engine = self._engine
        return cache.look_up(engine.history.database, entry, self._task.codec, engine.clock())

    def _claim(self, key: str | None) -> bool:
        """Keep others from removing what is kept under that key; False if they just did."""
        if key is None:
            return True
        with self._engine.history.writing() as writer:
            writer.cache_key(self._new.id, key)
            return cache.touch(writer.connection, key, self._engine.clock())
