"""Arrow's buffers as numpy sees them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from taxietl.load.arrow_buffers import fixed_values, unpacked_bits, valid_rows

VALUES = [*range(20), None, 21, *range(22, 40)]


@pytest.mark.parametrize(("start", "count"), [(0, 40), (3, 9), (8, 16), (19, 3), (39, 1)])
def test_a_slice_has_its_own_values_and_rows(start: int, count: int) -> None:
    part = pa.array(VALUES, pa.int64()).slice(start, count)
    valid = valid_rows(part)

    values = fixed_values(part, np.int64)

    assert len(values) == count
    kept = values.tolist() if valid is None else values[valid].tolist()
    assert kept == [each for each in VALUES[start : start + count] if each is not None]
    assert (valid is None) == (None not in VALUES[start : start + count])


def test_the_same_bits_can_be_read_as_another_kind() -> None:
    minus_zero = pa.array([-0.0], pa.float64())

    assert fixed_values(minus_zero, np.int64).tolist() == [-(1 << 63)]


@pytest.mark.parametrize("start", [0, 1, 7, 8, 11])
def test_bits_begin_at_the_slice(start: int) -> None:
    flags = [each % 3 == 0 for each in range(24)]
    part = pa.array(flags).slice(start)

    bits = unpacked_bits(part.buffers()[1], part.offset, len(part))

    assert bits.astype(bool).tolist() == flags[start:]
