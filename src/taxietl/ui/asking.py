"""Asks places elsewhere, which may be slow or never answer, so that no page hangs for it.

Each question runs in a thread of its own, one at a time of its kind; whoever asks the same
meanwhile waits for the same answer, and nobody for long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from taxietl.errors import TryLaterError

T = TypeVar("T")

PATIENCE_SECONDS = 10.0
"""So long a page waits."""
KEPT_SECONDS = 10.0
"""So long an answer counts, unless something has happened since."""
MOST_WAITING = 8
"""Pages that wait for the same answer; a thread of the server's each."""
MOST_KEPT = 32


@dataclass(frozen=True)
class _Kept:
    answer: Any
    mark: Hashable
    at: float


@dataclass
class _Open:
    future: Future[Any]
    mark: Hashable
    waiting: int = 0


class Asker:
    """Keeps the questions that are open, and the latest answers."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._open: dict[Hashable, _Open] = {}
        self._kept: dict[Hashable, _Kept] = {}

    def ask(
        self,
        place: str,
        key: Hashable,
        question: Callable[[], T],
        *,
        mark: Hashable = None,
        kept_seconds: float = KEPT_SECONDS,
    ) -> T:
        """The answer, or the error that the question ended with.

        Args:
            place: who is asked, for messages.
            key: names the question.
            question: asks.
            mark: another one whenever an earlier answer counts no more.
            kept_seconds: how long an answer counts.

        Raises:
            TryLaterError: there is none in time; it is still asked for.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept.mark == mark and time.monotonic() - kept.at < kept_seconds:
                answer: T = kept.answer
                return answer
            asked = self._open.get(key)
            if asked is None:
                asked = self._open[key] = _Open(Future(), mark)
                threading.Thread(
                    target=self._run, args=(key, asked, question), daemon=True, name=f"ask-{place}"
                ).start()
            if asked.waiting >= MOST_WAITING:
                raise self._late(place)
            asked.waiting += 1
        try:
            found: T = asked.future.result(self._patience)
        except TimeoutError:
            if asked.future.done():
                raise
            raise self._late(place) from None
        finally:
            with self._lock:
                asked.waiting -= 1
        return found

    def is_open(self, key: Hashable) -> bool:
        """Whether that is being asked."""
        with self._lock:
            return key in self._open

    def _late(self, place: str) -> TryLaterError:
        return TryLaterError(
            f"{place} has not answered within {self._patience:.3g} s.",
            hint="It is still being asked. Load the page again, or choose another profile.",
        )

    def _run(self, key: Hashable, asked: _Open, question: Callable[[], Any]) -> None:
        try:
            answer = question()
        except BaseException as error:  # noqa: BLE001  it is raised where the answer is awaited
            with self._lock:
                del self._open[key]
            asked.future.set_exception(error)
            return
        with self._lock:
            del self._open[key]
            self._kept.pop(key, None)
            self._kept[key] = _Kept(answer, asked.mark, time.monotonic())
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        asked.future.set_result(answer)
