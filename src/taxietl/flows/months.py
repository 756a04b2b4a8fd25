"""The same for many months, each on its own: one's failure stops no other, and all are told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from taxietl.errors import TaxietlError, out_of_memory, worst_exit_code
from taxietl.tlc.trip_file import TripFile

Report = TypeVar("Report")

SIDE_BY_SIDE = 4
"""So many months at a time, where the work is mostly somebody else's: a bucket's, BigQuery's."""


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
    """What became of one month: a report or an error."""

    trip_file: TripFile
    report: Report | None = None
    error: MonthError | None = None


class MonthsFailedError(TaxietlError):
    """Some months of several could not be done; the others were."""

    def __init__(self, results: tuple[MonthResult[Any], ...], *, hint: str) -> None:
        self.results = results
        failed = [each for each in results if each.error]
        names = ", ".join(str(each.trip_file) for each in failed)
        super().__init__(f"{len(failed)} of {len(results)} months failed: {names}.", hint=hint)
        self.exit_code = worst_exit_code(each.error.exit_code for each in failed if each.error)


def each_month(
    trip_files: Iterable[TripFile],
    begin: Callable[[TripFile], Callable[[], Report]],
    *,
    hint: str,
    at_once: int = 1,
) -> tuple[MonthResult[Report], ...]:
    """Do it for every month.

    Args:
        trip_files: the months.
        begin: begins one, and gives what waits for its end.
        hint: what holds for the others where some failed.
        at_once: how many are under way at a time.

    Raises:
        MonthsFailedError: at least one failed; it carries what became of each.
    """
    results: list[MonthResult[Report]] = []
    under_way: deque[tuple[TripFile, Callable[[], Report]]] = deque()
    for each in trip_files:
        under_way.append((each, begin(each)))
        if len(under_way) == at_once:
            results.append(_ended(*under_way.popleft()))
    results += [_ended(*each) for each in under_way]
    if any(result.error for result in results):
        raise MonthsFailedError(tuple(results), hint=hint)
    return tuple(results)


def _ended(trip_file: TripFile, wait: Callable[[], Report]) -> MonthResult[Report]:
    try:
        return MonthResult(trip_file, report=wait())
    except Exception as error:  # noqa: BLE001  told at the end, once the others are done
        return MonthResult(trip_file, error=_told(error))


def _told(error: Exception) -> MonthError:
    error = out_of_memory(error) or error
    kind = type(error).__name__
    if isinstance(error, TaxietlError):
        return MonthError(kind, error.message, error.hint, error.exit_code, error.warnings)
    return MonthError(kind, f"{kind}: {error}", "Run with --debug for the traceback.", 1)
