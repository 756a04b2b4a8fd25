"""The last word before a commit: do the counts add up, and may this replace what is there?

Pure functions; a loader calls them inside its transaction, so that an error rolls it back.
"""

from __future__ import annotations

from taxietl.errors import CountMismatchError, RefusedLoadError, TooManyRejectsError
from taxietl.steps.values import Entry, LoadRequest, Tally


def check_counts(tally: Tally, rows_loaded: int, request: LoadRequest) -> None:
    """Demand that rows read = loaded + dropped + rejected, counted in two ways.

    Raises:
        CountMismatchError: they are not.
        TooManyRejectsError: they are, with more rejects than allowed.
    """
    if tally.rows_read != tally.rows_counted:
        raise CountMismatchError(
            f"{request.trip_file}: {tally.rows_read:,} rows were read, "
            f"but the file holds {tally.rows_counted:,}.",
            hint="Nothing was loaded. If the file is whole, please report this with its address.",
        )
    dropped = sum(tally.rows_dropped.values())
    if tally.rows_read != rows_loaded + dropped + tally.rows_rejected:
        raise CountMismatchError(
            f"{request.trip_file}: {tally.rows_read:,} rows read are not {rows_loaded:,} loaded + "
            f"{dropped:,} dropped + {tally.rows_rejected:,} rejected.",
            hint="Nothing was loaded. Please report this with the file's address.",
        )
    if tally.rows_rejected > request.max_rejects:
        raise TooManyRejectsError(request.trip_file, tally, request.max_rejects)


def check_shrink(rows_loaded: int, entry: Entry | None, request: LoadRequest) -> None:
    """Refuse to load nothing, or to replace a month by one that lost more than is allowed.

    Raises:
        RefusedLoadError: so it is.
    """
    if not rows_loaded:
        raise RefusedLoadError(
            f"{request.trip_file}: no row is left to load.",
            hint="The transforms left all of them out; see --transform.",
        )
    if entry is None or not entry.rows_present:
        return
    lost = 1 - rows_loaded / entry.rows_present
    if lost > request.max_shrink:
        raise RefusedLoadError(
            f"{request.trip_file} would shrink by {lost:.1%}, from {entry.rows_present:,} rows "
            f"to {rows_loaded:,}.",
            hint=f"Nothing was replaced. If that is right, add --max-shrink {min(1.0, lost + 0.005):.2f}.",
        )
