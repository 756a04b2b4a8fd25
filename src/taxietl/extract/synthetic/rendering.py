"""How made values are put into a file: as numbers, times and flags, or as the text of an era.

Loads pyarrow, so import it on use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np  # noqa: TID253  the module is loaded only to make trips
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253

from taxietl.extract.synthetic.odds import NOTHING, Numbers

Render = Callable[[Numbers, pa.DataType], pa.Array]


def whole(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Codes and counts."""
    return _present(values).cast(type_)


def time(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Seconds since 1970 as times."""
    return _present(values).cast(pa.timestamp("s")).cast(type_)


def hundredths(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Cents and hundredths of miles as dollars and miles."""
    # Dividing gives the double nearest to the decimal, the one a reader of the CSV gets.
    return pa.array(values / 100.0, type_)


def millionths(values: Numbers, type_: pa.DataType) -> pa.Array:
    """Degrees."""
    return pa.array(values / 1_000_000.0, type_)


def texts(text_of: Callable[[int], str], *, missing: str | None = None) -> Render:
    """Each value as a text of its own, and what stands where there is none."""

    def render(values: Numbers, type_: pa.DataType) -> pa.Array:
        # Values repeat a lot: each distinct one is put into words once a chunk, then looked up.
        coded = pc.dictionary_encode(_present(values))
        known = pa.array([text_of(value) for value in coded.dictionary.to_pylist()], type_)
        found = pc.take(known, coded.indices)
        return found if missing is None else pc.fill_null(found, missing)

    return render


def words(spellings: Mapping[int, str]) -> Render:
    """Codes as words; several spellings of one, apart by `|`, take turns from row to row."""
    choices = {code: text.split("|") for code, text in spellings.items()}
    most = max(map(len, choices.values()))

    def render(values: Numbers, type_: pa.DataType) -> pa.Array:
        turns = np.arange(len(values)) % most
        return texts(lambda mixed: _in_turn(choices[mixed // most], mixed % most))(
            values * most + turns, type_
        )

    return render


def shortest(value: int) -> str:
    """Amounts in their shortest form: `8`, `0.5`, `-2.16`."""
    number, part = divmod(abs(value), 100)
    sign = "-" if value < 0 else ""
    return f"{sign}{number}" + (f".{part:02d}".rstrip("0") if part else "")


def two_decimals(value: int) -> str:
    """Distances with two decimals and no zero before the point: `.50`, `2.10`."""
    return f"{value // 100 or ''}.{value % 100:02d}"


def seventeen_digits(parts: int) -> Callable[[int], str]:
    """Numbers with all digits of their double: `2.6299999999999999`."""
    return lambda value: f"{value / parts:.17g}"


def _in_turn(spellings: list[str], turn: int) -> str:
    return spellings[turn % len(spellings)]


def _present(values: Numbers) -> pa.Array:
    """The values, null where there is nothing."""
    missing = values == NOTHING
    return pa.array(values, mask=missing) if missing.any() else pa.array(values)
