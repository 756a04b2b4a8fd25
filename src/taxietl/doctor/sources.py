"""Whether the sources answer, what their refusals mean, and whether this machine's clock is right.

A machine without a network is no problem as long as its files lie here: that is only told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from taxietl.config import Settings
from taxietl.config.sources import BUILT_IN, MIRROR
from taxietl.doctor.clock import CLOCK, CLOCK_HINT, MOST_OFF, span
from taxietl.doctor.examination import Check
from taxietl.errors import MissingFileError, NotPublishedError, SourceError, TransferError
from taxietl.findings import Finding
from taxietl.tlc.trip_file import MONTHS_LATE, TripFile

if TYPE_CHECKING:
    from taxietl.extract.http import Http

SOURCE = "source"

SECONDS = 8.0
_CONNECT_SECONDS, _STALL_SECONDS = 4.0, 4.0


def source_checks(
    settings: Settings, now: Callable[[], datetime], *, seconds: float = SECONDS
) -> list[Check]:
    """What asks the source that `ingest` takes, and those that the configuration adds.

    Args:
        settings: those in force.
        now: this machine's clock.
        seconds: for all questions to one server.
    """
    own = [name for name, each in settings.sources.items() if each != BUILT_IN.get(name)]
    names = dict.fromkeys([settings.ingest.source, *own])
    return [Check(SOURCE, name, partial(_look, name, now, seconds)) for name in names]


def _look(name: str, now: Callable[[], datetime], seconds: float) -> Iterator[Finding]:
    from taxietl.extract.http import Http
    from taxietl.extract.http.client import Patience
    from taxietl.steps import registry

    source = registry.extractor(name)
    if not isinstance(source, Http):
        yield Finding.ok(SOURCE, name, "It is there; no network is needed for it.")
        return
    source = replace(
        source, patience=Patience(_CONNECT_SECONDS, _STALL_SECONDS), today=lambda: now().date()
    )
    deadline = _Deadline(seconds)
    try:
        served_at = source.served_at(cancellation=deadline)
    except SourceError as error:
        yield Finding.warning(
            SOURCE, name, f"It cannot be reached from here. {error.message}", hint=error.hint
        )
        return
    if served_at is not None:
        yield _clock(name, now() - served_at)
    yield _answer(name, source, now().date(), deadline)


def _clock(name: str, ahead: timedelta) -> Finding:
    if abs(ahead) <= MOST_OFF:
        return Finding.ok(CLOCK, "", f"It agrees with {name}'s, to {span(ahead)}.")
    side = "ahead of" if ahead > timedelta(0) else "behind"
    return Finding.warning(
        CLOCK, "", f"This machine's clock is {span(ahead)} {side} {name}'s.", hint=CLOCK_HINT
    )


def _answer(name: str, source: Http, today: date, deadline: _Deadline) -> Finding:
    """What the server says of a month that it may have; the extractor knows what a 403 means."""
    from taxietl.extract.http.extractor import CONTROL_MONTH

    number = 12 * today.year + today.month - 1 - MONTHS_LATE
    is_current = name in BUILT_IN and source.url != MIRROR.url
    latest = ("yellow", number // 12, number % 12 + 1)
    month = TripFile(*(latest if is_current else ("yellow", *CONTROL_MONTH)))
    try:
        found = source.probe(month, cancellation=deadline)
    except NotPublishedError as error:
        return Finding.ok(
            SOURCE, name, f"{error.message} This machine is not blocked: that is what it means."
        )
    except MissingFileError as error:
        if name in BUILT_IN:
            raise
        return Finding.warning(SOURCE, name, f"It answers. {error.message}", hint=error.hint)
    size = f" ({found.size_bytes / 1e6:,.0f} MB)" if found.size_bytes else ""
    return Finding.ok(SOURCE, name, f"It answers, and has {month}{size}.")


class _Deadline:
    """A `Cancellation` that comes by itself after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise once the time is over."""
        if time.monotonic() >= self._end:
            raise TransferError(
                f"No answer within {self._seconds:g} s.", hint="Check the network and the address."
            )

    @contextmanager
    def on_cancel(self, callback: Callable[[], object]) -> Iterator[None]:
        """Call back when the time is over, as long as the context is open."""
        timer = threading.Timer(self._end - time.monotonic(), callback)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
