"""Threads for the submitted calls of one tree of runs.

At most `workers` of them are at work at a time. One that waits for another call gives its place
away meanwhile, so calls that submit and wait, to any depth, cannot starve one another; on its way
back it goes first. Of the calls that are ready the most deeply nested begins first: what has been
begun is brought to its end before more is, and the threads that wait stay few.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from taxietl.orchestrator.stop.cancellation import Cancellation


class Pool:
    """Starts its threads when there is work for them; `close` waits for them to end."""

    def __init__(self, workers: int, cancellation: Cancellation) -> None:
        self._workers = workers
        self._cancellation = cancellation
        self._lock = threading.Lock()
        self._work_is_there = threading.Condition(self._lock)
        self._place_is_free = threading.Condition(self._lock)
        self._jobs: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._threads: list[threading.Thread] = []
        self._at_work: set[int] = set()
        self._idle = 0
        """Threads that wait for work and have not been woken."""
        self._coming = 0
        """Threads that have been started or woken for work and have not got it yet."""
        self._returning = 0
        self._is_closed = False

    def put(self, job: Callable[[], None], *, depth: int) -> None:
        """Have that done, once there is a place; the deeper, the sooner."""
        with self._lock:
            heapq.heappush(self._jobs, (-depth, next(self._numbers), job))
            self._hand_out()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While the block runs, this thread only waits: another one may work in its place."""
        me = threading.get_ident()
        if me not in self._at_work:
            yield
            return
        with self._lock:
            self._at_work.discard(me)
            self._hand_out()
        try:
            yield
        finally:
            with self._lock:
                self._returning += 1
                while len(self._at_work) >= self._workers:
                    self._place_is_free.wait()
                self._returning -= 1
                self._at_work.add(me)
                self._hand_out()

    def close(self) -> None:
        """Wait for the threads; everything put in has been done, and nothing more may be."""
        with self._lock:
            self._is_closed = True
            self._idle = 0
            self._work_is_there.notify_all()
        for thread in self._threads:
            thread.join()

    def _hand_out(self) -> None:
        """Give a free place to one who can use it; with the lock held."""
        if self._returning:
            self._place_is_free.notify()
            return
        if not self._jobs or len(self._at_work) + self._coming >= self._workers:
            return
        self._coming += 1
        if self._idle:
            self._idle -= 1
            self._work_is_there.notify()
        else:
            name = f"taxietl-worker-{len(self._threads)}"
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        """What a thread does: one job after the other."""
        with self._cancellation.working():
            with self._lock:
                self._coming -= 1
            while (job := self._next_job()) is not None:
                job()

    def _next_job(self) -> Callable[[], None] | None:
        """Wait for a job and a place to do it in; None when there will be no more."""
        me = threading.get_ident()
        with self._lock:
            self._at_work.discard(me)  # the job before is done
            if self._returning:
                self._place_is_free.notify()
            while not self._jobs or self._returning or len(self._at_work) >= self._workers:
                if self._is_closed:
                    return None
                self._idle += 1
                self._work_is_there.wait()
                self._coming -= 1
            self._at_work.add(me)
            *_, job = heapq.heappop(self._jobs)
            self._hand_out()
            return job
