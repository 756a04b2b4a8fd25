"""Bring months into sync with what is published: ask, compare, load what is new or restated.

    which months (sync_window) → ask the source once for each → compare with each target's ledger
    → load what differs, each month a child run → report

A month that is merely late is no failure, and one that was withdrawn is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from taxietl.errors import (
    DataError,
    TaxietlError,
)
from taxietl.flows.months import WORKERS, MonthError, MonthsFailedError, each_month, month_error
from taxietl.flows.sync_asking import ProbeResult, Unpublished, asked
from taxietl.flows.sync_options import SyncOptions
from taxietl.flows.sync_report import SyncedMonth, SyncFailedError, SyncReport
from taxietl.flows.sync_targets import Target, targets_of
from taxietl.flows.warehouse import holder_named
from taxietl.load.reports import NOTHING_TO_DO
from taxietl.orchestrator import Cache, attach_event, flow, task
from taxietl.steps.month_class import MonthClass, class_of_unpublished
from taxietl.steps.values import SourceVersion
from taxietl.tlc.sync_window import OVERDUE_DAYS
from taxietl.tlc.trip_file import TripFile


@task(persist_result=False)
def look(
    to: str,
    wanted: Mapping[TripFile, bool],
    answers: Mapping[TripFile, ProbeResult],
    options: SyncOptions,
    today: date,
) -> list[SyncedMonth]:
    """Compare what the source has with what one target has of it, month by month.

    Args:
        to: the target's profile.
        wanted: the months that it wants: whether each is loaded there.
        answers: what the source said of them, and maybe of others.
        options: from where to where, and how.
        today: what is overdue depends on it.
    """
    (target,) = (each for each in targets_of(options) if each.to == to)
    with holder_named(), target.kept_open():
        return [
            _seen(target, each, answers[each], is_loaded, today)
            for each, is_loaded in wanted.items()
        ]


def _overdue_key(arguments: Mapping[str, object]) -> str:
    return f"overdue {arguments['trip_file']} of {arguments['source']}"


@task(cache=Cache(key=_overdue_key), version="1")
def report_overdue(trip_file: TripFile, source: str) -> bool:
    """Attach the event of an overdue month: once, since the call is kept and not made again."""
    attach_event(
        "overdue",
        f"{trip_file} is overdue: {source} does not have it, over {OVERDUE_DAYS} days after its "
        "end.",
        color=trip_file.color,
        month=f"{trip_file.source_month:%Y-%m}",
        source=source,
    )
    return True


@flow(name="Sync")
def sync(
    options: SyncOptions, today: date, *, workers: int = WORKERS, fail_fast: bool = False
) -> SyncReport:
    """Bring what is new or restated into the targets, and tell what became of each month.

    Raises:
        SyncFailedError: some months could not be asked for or loaded; it carries the report.
    """
    targets = targets_of(options)
    wanted = _wanted(targets, options, today)
    answers = asked(_all_of(wanted), options.source)
    months: list[SyncedMonth] = []
    for target in targets:
        found = look(target.to, wanted[target.to], answers, options, today)
        has_failed = any(each.error for each in months)
        if fail_fast and has_failed:
            months += map(_not_begun, found)
        else:
            months += _loaded(target, found, answers, workers=workers, fail_fast=fail_fast)
    overdue = [each.trip_file for each in months if each.month_class is MonthClass.OVERDUE]
    for trip_file in dict.fromkeys(overdue):
        report_overdue(trip_file, options.source)
    report = SyncReport(tuple(months), len(answers))
    if report.exit_code:
        raise SyncFailedError(report)
    return report


def foresee(options: SyncOptions, today: date) -> SyncReport:
    """What `sync` would do, without doing it: each month is asked for, and none is fetched."""
    targets = targets_of(options)
    wanted = _wanted(targets, options, today)
    answers = asked(_all_of(wanted), options.source, in_run=False)
    months = [
        month
        for target in targets
        for month in look(target.to, wanted[target.to], answers, options, today)
    ]
    return SyncReport(tuple(months), len(answers))


def _wanted(
    targets: Sequence[Target], options: SyncOptions, today: date
) -> dict[str, dict[TripFile, bool]]:
    """The months to ask for, by target: whether each is loaded there."""
    wanted: dict[str, dict[TripFile, bool]] = {each.to: {} for each in targets}
    for target in targets:
        for color, of in target.known(options.colors).items():
            months = options.months(color, today, loaded=of.loaded, dropped=of.dropped)
            wanted[target.to] |= {each: each in of.loaded for each in months}
    return wanted


def _all_of(wanted: Mapping[str, Mapping[TripFile, bool]]) -> list[TripFile]:
    """Each month once, also where several targets want it."""
    return list(dict.fromkeys(each for months in wanted.values() for each in months))


def _seen(
    target: Target,
    trip_file: TripFile,
    answer: ProbeResult,
    is_loaded: bool,
    today: date,
) -> SyncedMonth:
    """A month, its class, and what is to be done with it."""
    if isinstance(answer, MonthError):
        return SyncedMonth(trip_file, target.to, MonthClass.UNKNOWN, "failed", error=answer)
    if isinstance(answer, Unpublished):
        found = class_of_unpublished(trip_file, is_loaded=is_loaded, today=today)
        reason = "the source does not have it" if is_loaded else answer.error.message
        return SyncedMonth(trip_file, target.to, found, reason=reason)
    try:
        return target.look(answer)
    except TaxietlError as error:
        found = MonthClass.CHANGED if is_loaded else MonthClass.NEW
        return SyncedMonth(trip_file, target.to, found, "failed", error=month_error(error))


def _loaded(
    target: Target,
    found: Sequence[SyncedMonth],
    answers: Mapping[TripFile, ProbeResult],
    *,
    workers: int,
    fail_fast: bool,
) -> Iterator[SyncedMonth]:
    """The months of one target, once what is to be done is done."""
    versions = {
        each.trip_file: version
        for each in found
        if each.action not in (NOTHING_TO_DO, "failed")
        and isinstance(version := answers[each.trip_file], SourceVersion)
    }
    try:
        results = each_month(
            list(versions),
            lambda each: target.submit(versions[each]),
            hint="",
            workers=workers,
            fail_fast=fail_fast,
        )
    except MonthsFailedError as error:
        results = error.results
    ended = {each.trip_file: each for each in results}
    for month in found:
        result = ended.get(month.trip_file)
        if result is None:
            yield month
        elif result.report is not None:
            yield target.done(month, result.report)
        elif result.error is not None:
            yield _failed(month, result.error)
        else:
            yield _not_begun(month)


def _failed(month: SyncedMonth, error: MonthError) -> SyncedMonth:
    """A month whose run failed; was it refused for its rows, the bytes were others."""
    is_restated = month.month_class is MonthClass.CHANGED and error.exit_code == DataError.exit_code
    found = MonthClass.RESTATED if is_restated else month.month_class
    return replace(month, month_class=found, action="failed", error=error)


def _not_begun(month: SyncedMonth) -> SyncedMonth:
    is_idle = month.action in (NOTHING_TO_DO, "failed")
    return month if is_idle else replace(month, action="not begun")
