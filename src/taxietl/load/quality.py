"""The one statement that tells a month's quality, alike for every warehouse. Pure: made here,
asked by `Loader.query`.

Its answer is tall: each row is a fact, `part, name, label, value, n`. One statement sees one
state of the table, whatever is loaded meanwhile. Quantiles come from counted values, so that a
warehouse holds the distinct ones at most, and may spill those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taxietl.load.month_columns import MonthColumns, checks
from taxietl.load.sql import literal, quoted
from taxietl.tlc.datasets import Column, Kind

# What stands in these statements is a name of ours, or is quoted.
# ruff: noqa: S608

FACT = ("part", "name", "label", "value", "n")
"""The columns of the answer."""

QUANTILES = ("0", "0.01", "0.05", "0.25", "0.5", "0.75", "0.95", "0.99", "1")
VALUES_KEPT = 12
"""Of a code or text, the most frequent."""

BINS = 40
BIN_WIDTHS = {"duration": 120.0, "distance": 0.5, "total": 2.0}
"""Seconds, miles, dollars; the first bin begins at 0."""

DURATION = "duration"
_NUMBERS = (Kind.COUNT, Kind.SECONDS, Kind.MONEY, Kind.MILES, Kind.DEGREES)
_FACT = "CAST({} AS VARCHAR), CAST({} AS VARCHAR), CAST({} AS VARCHAR)"


def quality_select(month: MonthColumns) -> str:
    """The statement; its answer's columns are `part, name, label, value, n`."""
    parts = [_counted(month), _ranges(month)]
    parts += [_quantiles(month, name, sql) for name, sql in _measures(month)]
    parts += [
        _values(month, each)
        for each in month.columns
        if each.kind in (Kind.CODE, Kind.COUNT, Kind.TEXT)
    ]
    parts += _by_time(month)
    parts += [_bins(month, name, sql) for name, sql in _binned(month)]
    parts += [_duplicates(month)]
    if month.total and month.start:
        parts += [_reversals(month)]
    names = ", ".join(FACT)
    return f"WITH facts({names}) AS ({' UNION ALL '.join(parts)}) SELECT {names} FROM facts"


def _counted(month: MonthColumns) -> str:
    """All that one pass over the rows can count."""
    counts = [("count", "rows", "count(*)")]
    counts += [("count", name, _where(sql)) for name, sql in checks(month).items()]
    for each in month.columns:
        name = quoted(each.name)
        counts.append(("nulls", each.name, f"count(*) - count({name})"))
        if each.kind is Kind.MONEY:
            counts.append(("negative", each.name, _where(f"{name} < 0")))
    return _unfolded(month, counts, "NULL", "f.x")


def _where(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


def _ranges(month: MonthColumns) -> str:
    """The least and the greatest of what has no quantiles, as text."""
    found = [
        (part, each.name, f"CAST({part}({quoted(each.name)}) AS VARCHAR)")
        for each in month.columns
        if each.kind in (Kind.TIME, Kind.CODE)
        for part in ("min", "max")
    ]
    return _unfolded(month, found, "f.x", "NULL")


def _unfolded(
    month: MonthColumns, aggregates: Sequence[tuple[str, str, str]], label: str, count: str
) -> str:
    """One row of aggregates as a fact each."""
    named = ", ".join(f"{sql} AS a{place}" for place, (_, _, sql) in enumerate(aggregates))
    rows = ", ".join(
        f"({place}, {literal(part)}, {literal(name)})"
        for place, (part, name, _) in enumerate(aggregates)
    )
    value = " ".join(f"WHEN {place} THEN a.a{place}" for place in range(len(aggregates)))
    facts = (
        f"WITH v(place, part, name) AS (VALUES {rows}) "
        f"SELECT v.part, v.name, CASE v.place {value} END AS x "
        f"FROM (SELECT {named} FROM {month.rows}) AS a CROSS JOIN v"
    )
    return (
        f"SELECT {_FACT.format('f.part', 'f.name', label)}, CAST(NULL AS DOUBLE PRECISION), "
        f"CAST({count} AS BIGINT) FROM ({facts}) AS f"
    )


def _measures(month: MonthColumns) -> Iterator[tuple[str, str]]:
    for each in month.columns:
        if each.kind in _NUMBERS:
            yield each.name, quoted(each.name)
    if month.seconds:
        yield DURATION, month.seconds


def _quantiles(month: MonthColumns, name: str, sql: str) -> str:
    """The least value that at least so many of the values do not exceed; see percentile_disc."""
    shares = ", ".join(f"('{each}', {each})" for each in QUANTILES)
    values = (
        f"SELECT {sql} AS v, count(*) AS n FROM {month.rows} WHERE {sql} IS NOT NULL GROUP BY 1"
    )
    summed = (
        f"SELECT v, sum(n) OVER (ORDER BY v) AS upto, sum(n) OVER () AS total FROM ({values}) AS g"
    )
    least = (
        f"WITH q(label, share) AS (VALUES {shares}) SELECT q.label, min(s.v) AS v "
        f"FROM ({summed}) AS s JOIN q ON s.upto >= q.share * s.total GROUP BY q.label"
    )
    return (
        f"SELECT {_FACT.format(literal('quantile'), literal(name), 'l.label')}, "
        f"CAST(l.v AS DOUBLE PRECISION), CAST(NULL AS BIGINT) FROM ({least}) AS l"
    )


def _values(month: MonthColumns, column: Column) -> str:
    """The most frequent values; `value` is how many different ones there are."""
    name = quoted(column.name)
    grouped = (
        f"SELECT {name} AS v, count(*) AS n, count(*) OVER () AS kinds FROM {month.rows} "
        f"WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY n DESC, v LIMIT {VALUES_KEPT}"
    )
    return (
        f"SELECT {_FACT.format(literal('value'), literal(column.name), 'g.v')}, "
        f"CAST(g.kinds AS DOUBLE PRECISION), CAST(g.n AS BIGINT) FROM ({grouped}) AS g"
    )


def _by_time(month: MonthColumns) -> Iterator[str]:
    """Rows by day of the month, and by hour of the day."""
    if month.start:
        day, hour = (each.format(month.start) for each in (month.dialect.day, month.dialect.hour))
        yield _grouped(
            month, "day", "rows", day, f"{month.start} IS NOT NULL AND NOT ({month.outside})"
        )
        yield _grouped(
            month, "hour", "rows", f"CAST({hour} AS INTEGER)", f"{month.start} IS NOT NULL"
        )


def _binned(month: MonthColumns) -> Iterator[tuple[str, str]]:
    for name, sql in (
        ("duration", month.seconds),
        ("distance", month.distance),
        ("total", month.total),
    ):
        if sql:
            yield name, sql


def _bins(month: MonthColumns, name: str, sql: str) -> str:
    """Rows by bin: -1 is all below 0, `BINS` all beyond the last."""
    width = BIN_WIDTHS[name]
    most = width * BINS
    within = f"CASE WHEN {sql} < 0 THEN {-width} WHEN {sql} > {most} THEN {most} ELSE {sql} END"
    place = f"CAST(floor({within} / {width}) AS INTEGER)"
    return _grouped(month, "bin", name, place, f"{sql} IS NOT NULL")


def _grouped(month: MonthColumns, part: str, name: str, key: str, condition: str) -> str:
    grouped = f"SELECT {key} AS k, count(*) AS n FROM {month.rows} WHERE {condition} GROUP BY 1"
    return (
        f"SELECT {_FACT.format(literal(part), literal(name), 'g.k')}, "
        f"CAST(NULL AS DOUBLE PRECISION), CAST(g.n AS BIGINT) FROM ({grouped}) AS g"
    )


def _duplicates(month: MonthColumns) -> str:
    """Rows beyond the first of those that are equal in every column.

    Only rows that share their times and sum with another are compared in all columns: to group a
    whole month by 25 columns takes five times as long.
    """
    rows = f"SELECT * FROM {month.rows}"
    long_ago = month.dialect.time.format("1900-01-01 00:00:00")
    keys = [
        f"coalesce({each}, {nothing})"
        for each, nothing in (
            (month.start, long_ago),
            (month.end, long_ago),
            (month.total, "-1e300"),
        )
        if each
    ]
    if keys:
        named = ", ".join(f"{each} AS k{place}" for place, each in enumerate(keys))
        listed = ", ".join(f"k{place}" for place in range(len(keys)))
        shared = (
            f"SELECT {listed} FROM (SELECT {named} FROM {month.rows}) AS k "
            f"GROUP BY {listed} HAVING count(*) > 1"
        )
        rows += f" WHERE ({', '.join(keys)}) IN ({shared})"
    columns = ", ".join(quoted(each.name) for each in month.columns)
    equal = f"SELECT count(*) AS c FROM ({rows}) AS r GROUP BY {columns} HAVING count(*) > 1"
    return (
        f"SELECT {_FACT.format(literal('count'), literal('duplicates'), 'NULL')}, "
        f"CAST(NULL AS DOUBLE PRECISION), CAST(coalesce(sum(c - 1), 0) AS BIGINT) "
        f"FROM ({equal}) AS d"
    )


def _reversals(month: MonthColumns) -> str:
    """Negative rows that take back a positive one: the same trip, and the same sum."""
    same = [
        f"p.{each} IS NOT DISTINCT FROM n.{each}"
        for each in (
            month.name("VendorID", "hvfhs_license_num"),
            month.end,
            month.name("PULocationID"),
            month.name("DOLocationID"),
        )
        if each
    ]
    matched = " AND ".join(
        [f"p.{month.start} = n.{month.start}", f"p.{month.total} = -n.{month.total}", *same]
    )
    negative, positive = (f"{month.rows} WHERE m.{month.total} {sign} 0" for sign in "<>")
    return (
        f"SELECT {_FACT.format(literal('count'), literal('exact_reversals'), 'NULL')}, "
        f"CAST(NULL AS DOUBLE PRECISION), CAST(count(*) AS BIGINT) "
        f"FROM (SELECT * FROM {negative}) AS n "
        f"WHERE EXISTS (SELECT 1 FROM (SELECT * FROM {positive}) AS p WHERE {matched})"
    )
