"""What the cache has to do with one call of a task: a result to use, or one to keep.

A found result is claimed before it is used, so that nobody removes its files to make room
meanwhile; so is the key under which a result is about to be made, which one call at a time makes
(`key_locks.py`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from taxietl.errors import TaxietlError
from taxietl.orchestrator.run.key_locks import KeyLock
from taxietl.orchestrator.store.cache import (
    CacheKey,
    Found,
    Miss,
    arguments_part,
    look_up,
    named_part,
    row_for,
)
from taxietl.orchestrator.store.lines import ENGINE
from taxietl.orchestrator.store.results import HoldsSecretError, stored
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.run.open_runs import OpenTaskRun
    from taxietl.orchestrator.store.cache_rows import CacheRow


class Caching:
    """Of a task that has `cache=`, and a call of it whose arguments are settled."""

    def __init__(self, task: TaskSpec, task_run: OpenTaskRun) -> None:
        assert task.cache is not None
        self._task, self._task_run, self._policy = task, task_run, task.cache
        self._services = task_run.run.services
        self._key: CacheKey | None = None
        """None until it was asked for, and if the key function wants the call not cached."""
        self._lock: KeyLock | None = None
        self.miss = ""
        """That the cache had nothing to use, and why; empty if it was not asked."""

    def find(self) -> Found | None:
        """The result of the same call, claimed; None if the task is to be called."""
        self._key = self._made_key()
        if self._key is None:
            return None
        found = self._usable(self._key)
        if isinstance(found, Miss):
            reason = found.reason
            self.miss = f"Cache miss: {reason}."
            self._take_turn(self._key)
            # Whoever had the turn before has made it meanwhile.
            found = self._usable(self._key)
        if isinstance(found, Found):
            self.release()
            return found
        with self._services.transaction() as change:
            # From here on nobody removes, to make room, what is made under that key.
            change.keep(self._task_run.id, cache_key=self._key.key, miss=reason)
        return None

    def complete(self, value: object) -> None:
        """Keep what the task returned, and record its end.

        Raises:
            ConfigError: the result cannot be stored.
        """
        row = self._row(value) if self._key is not None else None
        kept = row.stored() if row else stored(self._task.codec, value)
        with self._services.transaction() as change:
            if row is not None:
                change.keep_cached(row)
            state = self._task_run.complete(change, StateName.COMPLETED, kept)
        self._task_run.has_completed(state)
        if row is not None:
            self._make_room()

    def release(self) -> None:
        """Let other calls make or use what this one was to make."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _made_key(self) -> CacheKey | None:
        task, arguments = self._task, dict(self._task_run.arguments)
        if self._policy.key is None:
            part = arguments_part(task.name, arguments)
        else:
            given = self._policy.key(arguments)
            if given is None:
                return None
            part = named_part(given)
        return CacheKey.of(
            task.name,
            place=task.place,
            version=task.version,
            arguments=self._task_run.arguments,
            part=part,
        )

    def _usable(self, key: CacheKey) -> Found | Miss:
        """What is kept under that key, claimed."""
        if self._policy.refresh:
            return Miss("a fresh result was asked for")
        services = self._services
        found = look_up(services.history.database, key.key, self._task.codec, services.clock())
        if isinstance(found, Miss) or self._task_run.claim_cached(key.key):
            return found
        return Miss("what was kept under its key has just been removed")

    def _take_turn(self, key: CacheKey) -> None:
        """Wait while another call, in whatever process, makes the same result."""
        run = self._task_run.run
        self._lock = KeyLock(self._services.home, key.key)
        with run.pool.aside():
            self._lock.acquire(
                run.cancellation,
                patience_seconds=0 if self._policy.refresh else self._task.timeout_seconds,
                waiting=self._tell_waiting,
            )

    def _tell_waiting(self) -> None:
        message = "Waiting for the same result, which another call is making."
        self._task_run.move(StateName.PENDING, message, said=message)

    def _row(self, value: object) -> CacheRow | None:
        """The result as the cache keeps it; None if it has a secret in it."""
        assert self._key is not None
        try:
            return row_for(
                self._key,
                self._task.codec,
                value,
                store=self._services.cache,
                expires=self._policy.expires,
                now=self._services.clock(),
                run_id=self._task_run.who.run_id,
            )
        except HoldsSecretError as error:
            name = self._task_run.name
            says = f"The result of {name!r} is not kept, and made again next time: {error}."
            with self._services.transaction() as change:
                change.say(self._task_run.run.who, says, level=logging.WARNING)
            return None

    def _make_room(self) -> None:
        try:
            self._services.cache.make_room()
        except TaxietlError as error:  # it is for the next one to do
            logging.getLogger(ENGINE).warning("The cache was not made smaller: %s", error)
