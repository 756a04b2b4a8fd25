"""Ask a source for many months: each once, politely, and no answer lost by another's failure.

What an answer means is seen in the light of the others, so this is where they come together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from taxietl.errors import (
    MissingFileError,
    NotPublishedError,
    SourceError,
    TaxietlError,
    TransferError,
    TryLaterError,
)
from taxietl.flows import retries
from taxietl.flows.months import MonthError, month_error
from taxietl.flows.source import probe
from taxietl.orchestrator import task
from taxietl.steps.values import SourceVersion
from taxietl.tlc.trip_file import TripFile

_ASKED_AT_A_TIME = 4
"""Months; to one server go no more requests at a time anyway."""

_GIVEN_UP_AFTER = 4
"""Months one after the other that could not be asked for, each tried as often as any transfer."""


@dataclass(frozen=True)
class Unpublished:
    """The source has no such month."""

    error: MonthError
    is_certain: bool
    """It has others, which it was asked for meanwhile; an address that is wrong has none."""


ProbeResult = SourceVersion | Unpublished | MonthError
"""What the source said of a month; an error where it could not be asked."""


@task(run_name="ask-{trip_file}", retry=retries.TRANSFERS, persist_result=False)
def ask(trip_file: TripFile, source: str) -> SourceVersion | Unpublished:
    """Ask the source for a month; that it does not have it is an answer."""
    try:
        return probe(trip_file, source)
    except (NotPublishedError, MissingFileError) as error:
        return Unpublished(month_error(error), isinstance(error, NotPublishedError))


def asked(
    trip_files: Sequence[TripFile], source: str, *, in_run: bool = True
) -> dict[TripFile, ProbeResult]:
    """The answer for each month; a few are asked for at a time.

    Args:
        trip_files: the months.
        source: where they come from.
        in_run: each is a task run, and tried again; else one after the other, once.
    """

    def begin(trip_file: TripFile) -> Callable[[], SourceVersion | Unpublished]:
        return ask.submit(trip_file, source).result if in_run else partial(ask, trip_file, source)

    answers: dict[TripFile, ProbeResult] = {}
    under_way: dict[TripFile, Callable[[], SourceVersion | Unpublished]] = {}
    failed = 0
    for each in (*trip_files, *[None] * _ASKED_AT_A_TIME):
        if under_way and (each is None or len(under_way) == _ASKED_AT_A_TIME):
            first = next(iter(under_way))
            answers[first] = answer = _ended(under_way.pop(first))
            failed = failed + 1 if _is_busy(answer) else 0
        if each is not None and failed < _GIVEN_UP_AFTER:
            under_way[each] = begin(each)
    return judged({each: answers.get(each, _NOT_ASKED) for each in trip_files})


_NOT_ASKED = MonthError(
    TransferError.__name__,
    f"Not asked for, since the source answered for none of {_GIVEN_UP_AFTER} other months.",
    "The next sync asks for it.",
    SourceError.exit_code,
)


def _ended(result: Callable[[], SourceVersion | Unpublished]) -> ProbeResult:
    try:
        return result()
    except TaxietlError as error:
        return month_error(error)


def _is_busy(answer: ProbeResult) -> bool:
    return isinstance(answer, MonthError) and answer.kind == TransferError.__name__


def judged(answers: Mapping[TripFile, ProbeResult]) -> dict[TripFile, ProbeResult]:
    """The answers, each seen in the light of the others. Pure.

    A source that has none of the months proves nothing: its address may be wrong, and every month
    an error. One that answered for some and was too busy for others is asked again another time.
    """
    is_working = any(
        isinstance(each, SourceVersion) or (isinstance(each, Unpublished) and each.is_certain)
        for each in answers.values()
    )

    def judge(answer: ProbeResult) -> ProbeResult:
        if isinstance(answer, Unpublished) and not is_working:
            return answer.error
        if isinstance(answer, MonthError) and is_working:
            later = replace(answer, exit_code=TryLaterError.exit_code)
            return later if _is_busy(answer) else answer
        return answer

    return {month: judge(answer) for month, answer in answers.items()}
