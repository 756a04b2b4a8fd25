"""SQL that is alike in every warehouse: names, and the sums that prove a load.

Pure: made here, run by a loader in its transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from taxietl.load.dialect import POSTGRES, Dialect
from taxietl.steps.values import ColumnStats
from taxietl.tlc.datasets import Column, Kind

SUMMED_UP_TO = 9e12
"""Times a million this still fits a BIGINT."""


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def defined(columns: Mapping[str, str]) -> str:
    """The column list of a CREATE TABLE, from types by name."""
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())


def stats_select(columns: Sequence[Column], dialect: Dialect = POSTGRES) -> str:
    """The select list that `stats_of` understands: each column's nulls and sum."""
    parts = ((_nulls(each), _sum(each, dialect)) for each in columns)
    return ", ".join(chain.from_iterable(parts))


def stats_of(columns: Sequence[Column], values: Sequence[int | None]) -> dict[str, ColumnStats]:
    """What `stats_select` gave, by column."""
    pairs = zip(values[::2], values[1::2], strict=True)
    return {
        each.name: ColumnStats(int(nulls or 0), None if total is None else int(total))
        for each, (nulls, total) in zip(columns, pairs, strict=True)
    }


def _nulls(column: Column) -> str:
    return f"count(*) - count({quoted(column.name)})"


def _sum(column: Column, dialect: Dialect) -> str:
    """SQL for a column's sum as a whole number; see `ColumnStats.sum`.

    Databases add floats in any order, so each is rounded, half up, before it is added. What is no
    number (which both databases take for the largest), or is far too large, is left out.
    """
    name = quoted(column.name)
    match column.kind:
        case Kind.TEXT:
            return "NULL"
        case Kind.TIME:
            return f"sum(CAST(floor({dialect.seconds.format(name)}) AS BIGINT))"
        case Kind.MONEY:
            return _rounded(name, 100)
        case Kind.MILES | Kind.DEGREES:
            return _rounded(name, 1_000_000)
        case _:
            return f"sum({name})"


def _rounded(name: str, parts: int) -> str:
    within = f"{name} BETWEEN -{SUMMED_UP_TO:.0e} AND {SUMMED_UP_TO:.0e}"
    return f"sum(CASE WHEN {within} THEN CAST(floor({name} * {parts} + 0.5) AS BIGINT) END)"
