"""Columns of text, looked at and changed as wholes. Pure: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np  # noqa: TID253  imported only where batches are handled
import pyarrow as pa  # noqa: TID253
import pyarrow.compute as pc  # noqa: TID253
from numpy.typing import NDArray  # noqa: TID253

from taxietl.tlc.blanks import BLANKS


def trimmed_texts(texts: pa.Array) -> pa.Array:
    return pc.utf8_trim(texts, characters=BLANKS)


def count_octet(texts: pa.Array, octet: int) -> int:
    """How often that byte stands in the texts."""
    return int(np.count_nonzero(octets_of(texts) == octet))


def octets_of(texts: pa.Array) -> NDArray[np.uint8]:
    """The bytes of all texts, one after the other."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.zeros(0, np.uint8)
    ends = np.frombuffer(offsets, np.int32)
    return np.frombuffer(data, np.uint8)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def is_filled(texts: pa.Array) -> pa.Array:
    """Whether each is more than nothing. Compared with a Python text, Arrow would load pandas."""
    return pc.cast(pc.binary_length(texts), pa.bool_())


def may_hold(texts: pa.Array, part: bytes) -> bool:
    """Whether that stands somewhere in the texts; quicker by far than to ask each of them."""
    return part in octets_of(texts).tobytes()


def are_flags(texts: pa.Array) -> bool:
    """Whether each is Y, N or null, as nearly always; quicker by far than to ask each of them."""
    octets = octets_of(texts)
    if len(octets) != len(texts) - texts.null_count:
        return False
    longest = pc.max(pc.binary_length(texts)).as_py()
    return longest in (None, 1) and bool(((octets == ord("N")) | (octets == ord("Y"))).all())


def by_distinct(published: pa.Array, target: pa.DataType, read: Callable[[str], Any]) -> pa.Array:
    """Read each distinct text once; null where `read` gives None."""
    encoded = published.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    meant = [read(text) for text in texts]
    if meant == texts and published.type == target:
        return published  # as nearly always
    return pa.array(meant, target).take(encoded.indices)
