"""The same for many months, each on its own: one's failure stops no other, and all are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from taxietl.errors import TaxietlError, out_of_memory, worst_exit_code
from taxietl.flows.progress import watcher
from taxietl.orchestrator import Future
from taxietl.tlc.trip_file import TripFile

Report = TypeVar("Report")

WORKERS = 2
"""So many months at a time, where this machine reads and loads them."""

SIDE_BY_SIDE = 4
"""The same where the work is mostly somebody else's: a bucket's, BigQuery's."""

Workers = Annotated[int, Field(ge=1)]
"""How many months are under way at a time."""

_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class MonthError:
    """Why a month was not done."""

    kind: str
    message: str
    hint: str
    exit_code: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class MonthResult(Generic[Report]):
    """What became of one month: a report, an error, or neither, if it was not begun any more."""

    trip_file: TripFile
    report: Report | None = None
    error: MonthError | None = None


class MonthsFailedError(TaxietlError):
    """Some months of several could not be done; the others were, or were not begun."""

    def __init__(self, results: tuple[MonthResult[Any], ...], *, hint: str) -> None:
        self.results = results
        failed = [each for each in results if each.error]
        names = ", ".join(str(each.trip_file) for each in failed)
        left = sum(1 for each in results if each.report is None and each.error is None)
        rest = f" {left} were not begun." if left else ""
        super().__init__(
            f"{len(failed)} of {len(results)} months failed: {names}.{rest}", hint=hint
        )
        self.exit_code = worst_exit_code(each.error.exit_code for each in failed if each.error)


def each_month(
    trip_files: Sequence[TripFile],
    submit: Callable[[TripFile], Future[Report]],
    *,
    hint: str,
    workers: int,
    fail_fast: bool,
) -> tuple[MonthResult[Report], ...]:
    """Do it for every month, some of them side by side; the results are in the order of the months.

    Args:
        trip_files: the months.
        submit: begins one.
        hint: what holds for the others where some failed.
        workers: how many are under way at a time.
        fail_fast: once one has failed, begin no other; those under way are brought to their end.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    shown, left = watcher(), list(reversed(trip_files))
    results = {each: MonthResult[Report](each) for each in trip_files}
    shown.expected(len(trip_files))
    under_way: dict[TripFile, Future[Report]] = {}
    has_failed = False
    while under_way or left:
        while left and len(under_way) < workers:
            each = left.pop()
            shown.began(each)
            under_way[each] = submit(each)
        for each in [each for each, future in under_way.items() if future.wait(0)]:
            result = results[each] = _ended(each, under_way.pop(each))
            shown.finished(each, result.report, result.error)
            has_failed = has_failed or result.error is not None
        if has_failed and fail_fast:
            left = []
        if under_way and (len(under_way) == workers or not left):
            next(iter(under_way.values())).wait(_LOOK_SECONDS)  # or any other, soon after
    if has_failed:
        raise MonthsFailedError(tuple(results.values()), hint=hint)
    return tuple(results.values())


def _ended(trip_file: TripFile, future: Future[Report]) -> MonthResult[Report]:
    try:
        return MonthResult(trip_file, report=future.result())
    except Exception as error:  # noqa: BLE001  told at the end, once the others are done
        return MonthResult(trip_file, error=month_error(error))


def month_error(error: Exception) -> MonthError:
    """An error as the report of several months has it."""
    error = out_of_memory(error) or error
    kind = type(error).__name__
    if isinstance(error, TaxietlError):
        return MonthError(kind, error.message, error.hint, error.exit_code, error.warnings)
    return MonthError(kind, f"{kind}: {error}", "Run with --debug for the traceback.", 1)
