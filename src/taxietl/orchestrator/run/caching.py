"""What the cache has to do with one call of a task: a result to use, or one to keep.

A found result is claimed before it is used, so that nobody removes its files to make room
meanwhile; so is the key under which a result is about to be made. Of several calls that miss the
same key at once, in whatever process, one makes the result and the others wait.

Who makes it holds a lock on a file of the home, which the system drops when its process dies; a
waiter then finds the result, or makes it in turn. Nobody waits who holds something that others may
wait for, the slots of a limited tag or another key: two could wait for each other. Such a call
makes the result itself.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import TaxietlError
from taxietl.filelock import FileLock, try_lock
from taxietl.masking import holds_secret
from taxietl.orchestrator.run.limits import holds_slots
from taxietl.orchestrator.run.reuse import claim_cached
from taxietl.orchestrator.store.cache import (
    CacheKey,
    Found,
    Miss,
    arguments_part,
    has_room,
    look_up,
    row_for,
)
from taxietl.orchestrator.store.database import translated
from taxietl.orchestrator.store.lines import ENGINE
from taxietl.orchestrator.store.results import HoldsSecretError, stored
from taxietl.orchestrator.store.states import StateName

if TYPE_CHECKING:
    from taxietl.orchestrator.define.specs import TaskSpec
    from taxietl.orchestrator.run.open_runs import OpenTaskRun
    from taxietl.orchestrator.run.services import Services
    from taxietl.orchestrator.stop.cancellation import Cancellation
    from taxietl.orchestrator.store.cache import CacheRow


TELL_AFTER_SECONDS = 0.1
_POLL_SECONDS = (0.002, 0.05)
"""At first, and at most."""

_holds_key: ContextVar[bool] = ContextVar("taxietl_holds_key", default=False)
"""This code is part of a call that makes a result for the cache."""


class Caching:
    """Of a task that has `cache=`, and a call of it whose arguments are settled."""

    def __init__(self, task: TaskSpec, task_run: OpenTaskRun) -> None:
        assert task.cache is not None
        self._task, self._task_run, self._policy = task, task_run, task.cache
        self._services = task_run.run.services
        self._key: CacheKey | None = None
        """None until it was asked for, and if the key function wants the call not cached."""
        self._lock: _KeyLock | None = None
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
            self._task_run.complete(change, StateName.COMPLETED, kept)
        if row is not None:
            make_room(self._services)

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
            part = str(given)
            if holds_secret(part):
                part = hashlib.sha256(part.encode()).hexdigest()
        return CacheKey.of(
            task.name,
            place=task.place,
            version=task.fixed_version or task.version,
            arguments=self._task_run.arguments,
            part=part,
        )

    def _usable(self, key: CacheKey) -> Found | Miss:
        """What is kept under that key, claimed."""
        if self._policy.refresh:
            return Miss("a fresh result was asked for")
        services = self._services
        found = look_up(services.history.database, key.key, self._task.codec, services.clock())
        if isinstance(found, Miss) or claim_cached(self._task_run, key.key):
            return found
        return Miss("what was kept under its key has just been removed")

    def _take_turn(self, key: CacheKey) -> None:
        """Wait while another call, in whatever process, makes the same result."""
        run = self._task_run.run
        self._lock = _KeyLock(self._services.home, key.key)
        if self._lock.try_to_take():
            return
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
                folder=self._services.cache.folder,
                expires=self._policy.expires,
                now=self._services.clock(),
                run_id=self._task_run.who.run_id,
            )
        except HoldsSecretError as error:
            tell_not_kept(self._task_run, error)
            return None


def tell_not_kept(task_run: OpenTaskRun, error: HoldsSecretError) -> None:
    """Warn that what a task returned cannot be used again."""
    says = f"The result of {task_run.name!r} is not kept, and made again next time: {error}."
    with task_run.run.services.transaction() as change:
        change.say(task_run.run.who, says, level=logging.WARNING)


def make_room(services: Services) -> None:
    """Make the cache smaller if what it keeps has come to be too much."""
    try:
        if not has_room(services.history.database, services.cache.max_bytes):
            services.cache.make_room()
    except TaxietlError as error:  # it is for the next one to do
        logging.getLogger(ENGINE).warning("The cache was not made smaller: %s", error)


class _KeyLock:
    """The right to make what is kept under one key; released at the end, however that came."""

    def __init__(self, home: Path, key: str) -> None:
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        # Beside the locks of runs: whoever sweeps those whose holders died sweeps these, too.
        self._path = home / "runs" / f"key-{digest}.lock"
        self._lock: FileLock | None = None
        self._token: Token[bool] | None = None

    def try_to_take(self) -> bool:
        """Take it if nobody has it; True then."""
        with translated(self._path):
            self._lock = try_lock(self._path)
        if self._lock is None:
            return False
        self._token = _holds_key.set(True)
        return True

    def acquire(
        self,
        cancellation: Cancellation,
        *,
        patience_seconds: float | None,
        waiting: Callable[[], None],
    ) -> None:
        """Take it, waiting for who has it; after that long, or where waiting is not safe, without.

        Args:
            cancellation: of the run that waits.
            patience_seconds: None for no limit; 0 not to wait.
            waiting: told once, if it takes a while.

        Raises:
            Cancelled: the run was asked to stop while it waited.
        """
        if holds_slots() or _holds_key.get():
            patience_seconds = 0
        began, is_told, pause = time.monotonic(), False, _POLL_SECONDS[0]
        while not self.try_to_take():
            waited = time.monotonic() - began
            if patience_seconds is not None and waited >= patience_seconds:
                break
            if waited >= TELL_AFTER_SECONDS and not is_told:
                is_told = True
                waiting()
            cancellation.wait(pause)
            pause = min(pause * 2, _POLL_SECONDS[1])
        self._token = self._token or _holds_key.set(True)

    def release(self) -> None:
        """Let the next one have it; nothing if it was not acquired."""
        if self._token is not None:
            _holds_key.reset(self._token)
            self._token = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
