"""Tags for all calls of a block of code: `with tags("warehouse"): …`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from taxietl.masking import masked

around: ContextVar[frozenset[str]] = ContextVar("taxietl_tags", default=frozenset())
"""Those of the blocks around the current code."""


@contextmanager
def tags(*names: str) -> Iterator[frozenset[str]]:
    """Every task that the block calls or submits has these tags, besides its own.

    Child runs begun in the block hand them on. The block is given all that hold in it.
    """
    token = around.set(around.get() | frozenset(map(masked, names)))
    try:
        yield around.get()
    finally:
        around.reset(token)
