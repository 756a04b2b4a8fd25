"""Call a flow for somebody at a notebook: few lines, short errors, Ctrl-C as Python knows it.

Inside a flow or task of the user's own none of that is needed: the call is a child run there,
and its errors and its cancellation are that run's.
"""

from __future__ import annotations

import functools
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar

from taxietl.errors import Cancelled, TaxietlError
from taxietl.flows.months import MonthResult, MonthsFailedError
from taxietl.flows.progress import Watcher, watched_by
from taxietl.flows.sync_report import SyncedMonth, SyncFailedError
from taxietl.from_python.reports import Reports
from taxietl.orchestrator import Flow, configure_logging, current_run
from taxietl.tlc.trip_file import TripFile

P = ParamSpec("P")
R = TypeVar("R")
Report = TypeVar("Report")


def carried_out(
    months: tuple[TripFile, ...],
    options: object,
    *,
    one: Flow[..., Report],
    many: Flow[..., tuple[MonthResult[Report], ...]],
    **how: Any,
) -> Reports[Report]:
    """Run the flow of one month, or of many.

    Raises:
        TaxietlError: the month failed.
        MonthsFailedError: one of many did; it carries what became of each.
    """
    if len(months) == 1:
        return Reports([one(months[0], options)])
    with ended_months_told():
        results = many(months, options, **how)
    return Reports(each.report for each in results if each.report is not None)


def ended_months_told() -> AbstractContextManager[None]:
    """While the block runs, say on stderr how each of several months ended, when it does."""
    return watched_by(_Lines())


def at_the_prompt(function: Callable[P, R]) -> Callable[P, R]:
    """Give a function of ours to somebody at a notebook; inside a run it changes nothing."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        if current_run() is not None:
            return function(*args, **kwargs)
        try:
            with _warnings_shown():
                return function(*args, **kwargs)
        except TaxietlError as error:
            for note in _notes(error):
                error.add_note(note)
            # The history has the traceback; here it would be pages of the engine's own.
            raise error.with_traceback(None) from None
        except Cancelled as error:
            if error.signal_number != signal.SIGINT:
                raise
            raise KeyboardInterrupt(error.reason) from None

    return called


def _notes(error: TaxietlError) -> Iterator[str]:
    """What else the command line would print."""
    months: Sequence[MonthResult[Any] | SyncedMonth] = ()
    if isinstance(error, MonthsFailedError):
        months = error.results
    elif isinstance(error, SyncFailedError):
        months = error.report.months
    for each in months:
        if each.error:
            yield f"{each.trip_file}: {each.error.message} {each.error.hint}".strip()
    yield from (f"warning: {each}" for each in error.warnings)
    if error.hint:
        yield f"hint: {error.hint}"


@contextmanager
def _warnings_shown() -> Iterator[None]:
    """Show warnings and errors while the block runs, unless the caller has set up logging."""
    root = logging.getLogger()
    if root.handlers:
        yield
        return
    configure_logging(logging.WARNING)
    ours = list(root.handlers)
    for each in ours:
        each.addFilter(_is_news)
    try:
        yield
    finally:
        for each in ours:
            root.removeHandler(each)


def _is_news(record: logging.LogRecord) -> bool:
    """Not how the engine's runs failed: that is raised."""
    return record.levelno < logging.ERROR or not hasattr(record, "taxietl_line")


class _Lines(Watcher):
    """Says how each of several months ended."""

    _count = _ended = 0

    def expected(self, count: int) -> None:
        """See `Watcher`."""
        self._count, self._ended = count, 0

    def finished(self, trip_file: TripFile, report: Any, error: Any) -> None:
        """See `Watcher`."""
        self._ended += 1
        how = f"failed: {error.message}" if error else report.action
        sys.stderr.write(f"{trip_file}  {how}  ({self._ended} of {self._count})\n")
