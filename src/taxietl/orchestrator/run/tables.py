"""What a table is: columns and rows, of whichever form it was given in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.store import frames


@dataclass(frozen=True)
class Table:
    """The columns and first rows of a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    row_count: int
    """Of all its rows."""

    @classmethod
    def of(cls, given: Any, *, most: int) -> Table:
        """A table of that many rows at most.

        Args:
            given: a list of dicts, one a row; a list of lists; a dict of columns, or of the values
                of one row; a DataFrame or an Arrow table.

        Raises:
            ConfigError: that is none of these.
        """
        match frames.kind_of(given):
            case "Series":
                return cls._of_frame(given.to_frame(), most)
            case "DataFrame":
                return cls._of_frame(given, most)
            case "Table" | "RecordBatch":
                values = [each.to_pylist() for each in given.slice(0, most).columns]
                return cls._of_columns(given.schema.names, values, given.num_rows)
        if isinstance(given, Mapping):
            names, values = [str(each) for each in given], list(given.values())
            if all(isinstance(each, (list, tuple)) for each in values):
                longest = max(map(len, values), default=0)
                return cls._of_columns(names, [each[:most] for each in values], longest)
            return cls(tuple(names), (tuple(values),), 1)
        if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
            first = given[:most]
            if all(isinstance(each, Mapping) for each in first):
                return cls._of_records(first, len(given))
            if all(isinstance(each, (list, tuple)) for each in first):
                width = max(map(len, first), default=0)
                rows = tuple(_filled(each, width) for each in first)
                return cls(tuple(str(n) for n in range(1, width + 1)), rows, len(given))
        raise ConfigError(
            f"A {type(given).__name__} is no table.",
            hint="Give a list of dicts, one a row; a dict of columns; a DataFrame or Arrow table.",
        )

    @classmethod
    def _of_columns(cls, names: Sequence[str], values: Sequence[Any], row_count: int) -> Table:
        height = max(map(len, values), default=0)
        rows = zip(*(_filled(each, height) for each in values), strict=True)
        return cls(tuple(names), tuple(rows), row_count)

    @classmethod
    def _of_records(cls, records: Sequence[Mapping[Any, object]], row_count: int) -> Table:
        names = list(dict.fromkeys(name for each in records for name in each))
        rows = tuple(tuple(each.get(name) for name in names) for each in records)
        return cls(tuple(map(str, names)), rows, row_count)

    @classmethod
    def _of_frame(cls, frame: Any, most: int) -> Table:
        """With its index, unless that only numbers the rows."""
        import pandas as pd

        first = frame.head(most)
        if not isinstance(frame.index, pd.RangeIndex):
            first = first.reset_index(allow_duplicates=True)
        whole = first.astype(object).where(first.notna(), None)
        values = [whole.iloc[:, number].tolist() for number in range(whole.shape[1])]
        return cls._of_columns([str(each) for each in first.columns], values, len(frame))


def _filled(values: Sequence[object], length: int) -> tuple[object, ...]:
    """The values, and None where some are missing at the end."""
    return (*values, *(None,) * (length - len(values)))
