"""Ask a source which months of a coverage it has, and lay the answers over it.

Only headers are asked for, over the few connections that a source is ever asked over; a source
that does not answer is left alone after some tries.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from itertools import groupby

from taxietl.config import settings
from taxietl.errors import MissingFileError, NotPublishedError, SourceError, TryLaterError
from taxietl.flows.coverage import Coverage, CoveredMonth, MonthState, Remote
from taxietl.flows.coverage_reading import kept_history
from taxietl.flows.coverage_records import Record
from taxietl.flows.source import check_source, digest
from taxietl.load.lake.errands import all_of
from taxietl.orchestrator.store.cache_store import CacheStore
from taxietl.steps import registry
from taxietl.steps.month_class import MonthClass, class_of_published, class_of_unpublished
from taxietl.steps.protocols import Dated, Extractor
from taxietl.steps.values import SourceVersion
from taxietl.tlc.sync_window import months_to_ask
from taxietl.tlc.trip_file import TripFile

_GIVE_UP = 3
"""So many months without an answer, and the source is asked no more."""

_STATES: Mapping[MonthClass, MonthState] = {
    MonthClass.RESTATED: MonthState.RESTATED,
    MonthClass.CHANGED: MonthState.CHANGED,
    MonthClass.WITHDRAWN: MonthState.WITHDRAWN,
    MonthClass.NEW: MonthState.NEW,
    MonthClass.OVERDUE: MonthState.OVERDUE,
    MonthClass.NOT_PUBLISHED: MonthState.NOT_PUBLISHED,
}
"""What the source's answer makes of a month that nothing else is to be said of."""

_PLAIN = (MonthState.LOADED, MonthState.MISSING, MonthState.NOT_PUBLISHED)

ProbeResult = SourceVersion | SourceError | TryLaterError


def ask_source(found: Coverage, source: str, today: date, *, every: bool) -> Coverage:
    """The coverage with what the source has of its months.

    Args:
        found: what is there.
        source: as `--source` names it.
        today: no month is asked for that has yet to end.
        every: ask for each month of it; else for those a sync would, and all that are there.

    Raises:
        ConfigError: there is no such source, or it is one file and the months are several.
    """
    months = _months(found, today, every=every)
    check_source(source, months)
    extractor = registry.extractor(source)
    answers, fetched = _answers(extractor, months), _Fetched(extractor)
    silent = _silent(answers)
    own = {source, *(each.source for each in answers.values() if isinstance(each, SourceVersion))}
    tables = tuple(
        replace(
            table,
            months=tuple(
                replace(each, remote=MonthClass.UNKNOWN)
                if each.trip_file in silent
                else _laid_over(each, answers.get(each.trip_file), own, fetched, today)
                for each in table.months
            ),
        )
        for table in found.tables
    )
    error = next(iter(silent.values()), None)
    others = sum(
        each.remote is MonthClass.OTHER_SOURCE for table in tables for each in table.months
    )
    remote = Remote(source, len(months), others, len(silent), error)
    return replace(found, tables=tables, remote=remote)


def _months(found: Coverage, today: date, *, every: bool) -> list[TripFile]:
    """Those to ask for, colour by colour."""
    wanted: list[TripFile] = []
    for color, tables in groupby(found.tables, lambda each: each.color):
        months = [month for table in tables for month in table.months]
        shown = {each.trip_file for each in months}
        there = {each.trip_file for each in months if each.is_there}
        dropped = {each.trip_file for each in months if each.state is MonthState.DROPPED} - there
        asked = months_to_ask(color, today, loaded=there, dropped=dropped, every=True)
        ended = {each for each in shown if each.months_before(today) > 0}
        wanted += sorted(ended - dropped if every else shown.intersection(asked))
    return wanted


def _answers(extractor: Extractor, months: Sequence[TripFile]) -> dict[TripFile, ProbeResult]:
    silent: list[ProbeResult] = []

    def ask(month: TripFile) -> ProbeResult:
        if len(silent) >= _GIVE_UP:
            return silent[-1]
        try:
            return extractor.probe(month)
        except (SourceError, TryLaterError) as error:
            if _is_no_answer(error):
                silent.append(error)
            return error

    return dict(zip(months, all_of(ask, months), strict=True))


def _silent(answers: Mapping[TripFile, ProbeResult]) -> dict[TripFile, SourceError | TryLaterError]:
    """The months that the source did not tell of; all, where it has none: that proves nothing,
    since its address may be wrong."""
    works = any(isinstance(each, SourceVersion | NotPublishedError) for each in answers.values())
    return {
        month: answer
        for month, answer in answers.items()
        if not isinstance(answer, SourceVersion) and (not works or _is_no_answer(answer))
    }


def _is_no_answer(answer: ProbeResult) -> bool:
    return not isinstance(answer, SourceVersion | MissingFileError | NotPublishedError)


def _laid_over(
    month: CoveredMonth,
    answer: ProbeResult | None,
    own: Collection[str],
    fetched: _Fetched,
    today: date,
) -> CoveredMonth:
    """The month with the source's class; its state, where only that was to be said.

    Args:
        month: as it is here.
        answer: what the source has of it; None if it was not asked.
        own: how a ledger calls the source.
        fetched: what is known of versions' bytes.
        today: for what is overdue.
    """
    if answer is None:
        return month
    record = month.record if month.is_there else None
    if isinstance(answer, SourceVersion):
        remote = _class_of(answer, record, fetched)
        written = answer.last_modified
    else:
        remote = class_of_unpublished(month.trip_file, is_loaded=bool(record), today=today)
        if record and record.source not in own:
            remote = MonthClass.OTHER_SOURCE
        written = None
    state = _STATES.get(remote) if month.state in _PLAIN else None
    if state is None:
        return replace(month, remote=remote)
    reason = f"the source's file is of {written:%Y-%m-%d %H:%M} UTC" if written and record else ""
    return replace(month, state=state, reason=reason, remote=remote)


def _class_of(version: SourceVersion, record: Record | None, fetched: _Fetched) -> MonthClass:
    found = class_of_published(version, record)
    if found is not MonthClass.CHANGED or record is None:
        return found
    return class_of_published(
        version,
        record,
        sha256=fetched.sha256(version),
        loaded_last_modified=fetched.modified_at(record.version),
    )


class _Fetched:
    """What is known of versions' bytes without a transfer."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor

    def sha256(self, version: SourceVersion) -> str | None:
        """Of a file that lies here, or was fetched before; else None: nothing is made for it."""
        if version.url.startswith("file:"):
            return self._extractor.extract(version, into=settings().cache_dir).sha256
        return self._kept.get((version.url, version.etag))

    def modified_at(self, version: SourceVersion) -> datetime | None:
        """When that version was written, if it was fetched before."""
        if not isinstance(self._extractor, Dated):
            return None
        return self._extractor.modified_at(version, settings().cache_dir)

    @cached_property
    def _kept(self) -> dict[tuple[str | None, str | None], str]:
        """What the task `digest` once told, by address and ETag."""
        with kept_history() as history:
            rows = CacheStore(history).entries(digest.name) if history else []
        versions = ((each.arguments.get("version"), each) for each in rows)
        return {
            (version.get("url"), version.get("etag")): json.loads(row.result)
            for version, row in versions
            if isinstance(version, dict)
        }
