"""Read a column of times, exactly or not at all, and tell which of them were completed.

Pure: arrays in, arrays out. All ways lead through one range, the years 1 to 9999, which every
warehouse, Python and BigQuery have; DuckDB would take the ends of 64 bits for infinity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.tlc.arrow import scalar
from taxietl.transform.texts import trimmed_texts

# As Arrow reads ISO 8601; a zone, or a part of a microsecond, would have to be dropped.
_TIME = r"^\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d{1,6}0*)?)?)?)?$"
_FINER = r"(\.\d{6})0+$"
_DATE_ALONE, _WITH_SECONDS, _WITH_MICROSECONDS = 10, 19, 26  # characters
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}

MIDNIGHT = "dates without a time of day, loaded as midnight"
NO_SECONDS = "times without seconds, loaded with zeros"


def read_times(
    published: pa.Array, target: pa.DataType
) -> tuple[pa.Array, Mapping[str, tuple[int, int]]]:
    """Times in the target's unit, and those that were completed to be such."""
    if pa.types.is_string(published.type):
        texts = trimmed_texts(published)
        texts = pc.if_else(pc.match_substring_regex(texts, _TIME), texts, None)
        lengths = pc.fill_null(pc.binary_length(texts), 0).to_numpy(zero_copy_only=False)
        if (lengths > _WITH_MICROSECONDS).any():
            texts = pc.replace_substring_regex(texts, _FINER, r"\1")
        values = in_range(cast_each(texts, target))
        read = pc.is_valid(values).to_numpy(zero_copy_only=False)
        short = read & (lengths < _WITH_SECONDS)
        alone = short & (lengths == _DATE_ALONE)
        return values, _counted({MIDNIGHT: alone, NO_SECONDS: short & ~alone})
    if pa.types.is_date(published.type):
        # Not at once: the farthest dates have no place among microseconds.
        unit = "s" if pa.types.is_date32(published.type) else "ms"
        values = in_range(pc.cast(published, pa.timestamp(unit)))
        read = pc.is_valid(values).to_numpy(zero_copy_only=False)
        return pc.cast(values, target), _counted({MIDNIGHT: read})
    return cast_each(in_range(published), target), {}


def _counted(places: Mapping[str, NDArray[np.bool_]]) -> Mapping[str, tuple[int, int]]:
    return {
        what: (int(np.count_nonzero(mask)), int(mask.argmax()))
        for what, mask in places.items()
        if mask.any()
    }


def in_range(times: pa.Array) -> pa.Array:
    """The times themselves, null outside of the years 1 to 9999."""
    per_second = _PER_SECOND.get(times.type.unit)
    if per_second is None:  # nanoseconds reach from 1677 to 2262
        return times
    first, last = _FIRST_SECOND * per_second, (_LAST_SECOND + 1) * per_second - 1
    since_1970 = times.view(pa.int64())
    found = pc.min_max(since_1970)
    earliest, latest = found["min"].as_py(), found["max"].as_py()
    if earliest is None or (first <= earliest and latest <= last):
        return times
    inside = pc.and_(
        pc.greater_equal(since_1970, scalar(first, pa.int64())),
        pc.less_equal(since_1970, scalar(last, pa.int64())),
    )
    return pc.if_else(inside, times, None)


def cast_each(published: pa.Array, target: pa.DataType) -> pa.Array:
    """Cast all that can be, by halves; null where Arrow would lose something or refuses."""
    try:
        return pc.cast(published, target)
    except pa.ArrowInvalid:
        if len(published) == 1:
            return pa.nulls(1, target)
    half = len(published) // 2
    parts = [cast_each(published[:half], target), cast_each(published[half:], target)]
    return pa.concat_arrays(parts)
