"""A month's quality as values: made from the facts that `load.quality`'s statement answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxietl.load.quality import BIN_WIDTHS, BINS, DURATION, QUANTILES
from taxietl.steps.values import LoadReport
from taxietl.tlc.datasets import Column
from taxietl.tlc.trip_file import TripFile

TEXTS = {
    "duplicates": "rows equal to another one in every column",
    "outside_month": "pick-up outside the file's month",
    "ends_before_start": "drop-off before pick-up",
    "no_duration": "drop-off and pick-up at the same time",
    "longer_than_a_day": "longer than 24 hours",
    "zero_distance": "distance 0",
    "negative_distance": "distance below 0",
    "negative_total": "sum below 0",
    "exact_reversals": "of these, taking back a positive row of the same trip",
    "zero_passengers": "passenger_count 0",
    "unknown_pickup_zone": "pick-up zone 264, unknown",
    "outside_pickup_zone": "pick-up zone 265, outside of the city",
    "invalid_pickup_zone": "pick-up zone not of 1 to 265",
    "unknown_dropoff_zone": "drop-off zone 264, unknown",
    "outside_dropoff_zone": "drop-off zone 265, outside of the city",
    "invalid_dropoff_zone": "drop-off zone not of 1 to 265",
    "vendor_6_month_as_minute": "VendorID 6 with the month where the minute belongs",
}
"""Each finding in words, in the order they are told."""


@dataclass(frozen=True)
class Finding:
    """Something counted that a careful reader asks about; not always a mistake."""

    name: str
    text: str
    rows: int
    share: float
    """Of the month's rows, 0 to 1."""


@dataclass(frozen=True)
class ColumnQuality:
    """One column: what is missing, how far it ranges, which values are frequent."""

    name: str
    kind: str
    nulls: int
    null_share: float
    min: float | int | str | None
    max: float | int | str | None
    quantiles: Mapping[str, float | int] | None
    """Of numbers: the least value that so large a share of the values does not exceed."""

    negative: int | None
    """Of money, rows below 0."""

    distinct: int | None
    """Of codes, counts and texts, how many different values there are."""

    values: tuple[tuple[str, int], ...] | None
    """The most frequent of them, with their rows."""


@dataclass(frozen=True)
class Histogram:
    """Rows by value, in bins of one width from 0 on."""

    name: str
    width: float
    below: int
    """Rows with a value under 0."""

    rows: tuple[int, ...]
    beyond: int
    """Rows with a value past the last bin."""


@dataclass(frozen=True)
class Quality:
    """What was found about a month."""

    trip_file: TripFile
    origin: str
    """`table` or `file`."""

    target: str
    """The warehouse, without credentials, or the file's address."""

    table: str | None
    rows: int
    load: LoadReport
    """How the rows came there; of a file, how it was read."""

    findings: tuple[Finding, ...]
    columns: tuple[ColumnQuality, ...]
    duration_seconds: Mapping[str, float] = field(default_factory=dict)
    """Quantiles; empty where no trip has both times."""

    days: Mapping[str, int] = field(default_factory=dict)
    """Rows by day, those of the month only."""

    hours: tuple[int, ...] = ()
    """Rows by hour of the day, 0 to 23."""

    histograms: tuple[Histogram, ...] = ()


class Facts:
    """The statement's answer, by part and name."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._by: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for each in rows:
            self._by[each["part"], each["name"]].append(each)

    def count(self, part: str, name: str) -> int | None:
        """The one number under that name."""
        found = self._by.get((part, name))
        return int(found[0]["n"]) if found else None

    def label(self, part: str, name: str) -> str | None:
        """The one text under that name."""
        found = self._by.get((part, name))
        return found[0]["label"] if found else None

    def counts(self, part: str, name: str) -> dict[str, int]:
        """Rows by label, in the labels' order."""
        found = {str(each["label"]): int(each["n"]) for each in self._by.get((part, name), ())}
        return dict(sorted(found.items()))

    def quantiles(self, name: str) -> dict[str, float]:
        """By share, in order; empty where there was no value."""
        found = {each["label"]: each["value"] for each in self._by.get(("quantile", name), ())}
        return {share: float(found[share]) for share in QUANTILES if share in found}

    def values(self, name: str) -> tuple[int, tuple[tuple[str, int], ...]]:
        """How many different values, and the most frequent with their rows."""
        found = self._by.get(("value", name), [])
        ordered = sorted(found, key=lambda each: (-each["n"], each["label"]))
        kinds = int(found[0]["value"]) if found else 0
        return kinds, tuple((each["label"], int(each["n"])) for each in ordered)


def quality_of(
    facts: Facts, columns: Sequence[Column], load: LoadReport, *, origin: str, target: str
) -> Quality:
    """The facts put together."""
    rows = facts.count("count", "rows") or 0
    hours = facts.counts("hour", "rows")
    durations = facts.quantiles(DURATION)
    return Quality(
        trip_file=load.trip_file,
        origin=origin,
        target=target,
        table=load.table if origin == "table" else None,
        rows=rows,
        load=load,
        findings=tuple(_findings(facts, rows)),
        columns=tuple(_column(facts, each, rows) for each in columns),
        duration_seconds=durations,
        days=facts.counts("day", "rows"),
        hours=tuple(hours.get(str(hour), 0) for hour in range(24)) if hours else (),
        histograms=tuple(
            _histogram(name, width, bins)
            for name, width in BIN_WIDTHS.items()
            if (bins := facts.counts("bin", name))
        ),
    )


def _findings(facts: Facts, rows: int) -> Iterable[Finding]:
    for name, text in TEXTS.items():
        if (found := facts.count("count", name)) is not None:
            yield Finding(name, text, found, found / rows if rows else 0.0)


def _column(facts: Facts, column: Column, rows: int) -> ColumnQuality:
    nulls = facts.count("nulls", column.name) or 0
    is_whole = column.kind.sql_type == "INTEGER"
    quantiles = {
        share: int(value) if is_whole else value
        for share, value in facts.quantiles(column.name).items()
    }
    least, greatest = (facts.label(part, column.name) for part in ("min", "max"))
    distinct, values = facts.values(column.name)
    is_listed = bool(values) or column.kind.sql_type == "TEXT"
    return ColumnQuality(
        name=column.name,
        kind=column.kind.value,
        nulls=nulls,
        null_share=nulls / rows if rows else 0.0,
        min=quantiles["0"] if quantiles else _number(least, is_whole),
        max=quantiles["1"] if quantiles else _number(greatest, is_whole),
        quantiles=quantiles or None,
        negative=facts.count("negative", column.name),
        distinct=distinct if is_listed else None,
        values=values if is_listed else None,
    )


def _number(text: str | None, is_whole: bool) -> int | str | None:
    return int(text) if text is not None and is_whole else text


def _histogram(name: str, width: float, bins: Mapping[str, int]) -> Histogram:
    rows = tuple(bins.get(str(place), 0) for place in range(BINS))
    return Histogram(name, width, bins.get("-1", 0), rows, bins.get(str(BINS), 0))
