"""What was warned of reaches the summary of a month that failed, too: its error carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from taxietl.errors import TaxietlError


@contextmanager
def warned(known: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Give an error that ends the block the warnings that are known by then.

    Args:
        known: gives them; raises one of our errors where it is too early.
    """
    try:
        yield
    except TaxietlError as error:
        with suppress(TaxietlError):
            error.warnings = (*known(), *error.warnings)
        raise
