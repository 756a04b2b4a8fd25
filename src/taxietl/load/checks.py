"""The last word before a commit: do the counts add up, and may this replace what is there?

Pure functions; a loader calls them inside its transaction, so that an error rolls it back.
"""

from __future__ import annotations

import math

from taxietl.errors import (
    CountMismatchError,
    RefusedLoadError,
    ShrunkError,
    TooManyRejectsError,
)
from taxietl.steps.values import Entry, LoadRequest, Pickups, Tally


def check_counts(tally: Tally, rows_loaded: int, request: LoadRequest) -> None:
    """Demand that rows read = loaded + dropped + rejected, counted in two ways.

    Args:
        tally: what the stream says of itself.
        rows_loaded: the month's rows, as the warehouse counts them.
        request: for the month's name and the rejects allowed.

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


def check_month(pickups: Pickups, request: LoadRequest) -> None:
    """Refuse a file that is another month's by its pick-ups.

    Raises:
        RefusedLoadError: most of them lie outside the month, and nobody said --force.
    """
    if request.force or not pickups.are_mostly_outside:
        return
    raise RefusedLoadError(
        f"{request.trip_file}: the file is of another month; it has {pickups}.",
        hint="Nothing was loaded. Give the month that it is of, or add --force if this is right.",
    )


def check_shrink(rows_loaded: int, entry: Entry | None, request: LoadRequest) -> None:
    """Refuse to load nothing, or to replace a month by one that lost more than is allowed.

    A month is compared with what was loaded, not with what the table holds now: rows that somebody
    added or deleted by hand must neither forbid their repair nor hide a cut file.

    Raises:
        RefusedLoadError: so it is; where rows would be lost, as a `ShrunkError`.
    """
    before = entry.report.rows_loaded if entry is not None and entry.rows_present else 0
    # By somebody's hand it may be less than 0: nothing is ever loaded as nothing.
    lost = (before - rows_loaded) / before if before > 0 else 0.0
    if not rows_loaded:
        message = f"{request.trip_file}: no row is left to load."
        hint = "All were left out by the transforms or rejected; see --transform."
        if lost:
            raise ShrunkError(message, hint=hint, rows_before=before, rows_after=0)
        raise RefusedLoadError(message, hint=hint)
    if lost > request.max_shrink:
        enough = math.ceil(lost * 100) / 100
        raise ShrunkError(
            f"{request.trip_file} would shrink by {lost:.1%}, from {before:,} rows "
            f"to {rows_loaded:,}.",
            hint=f"Nothing was replaced. If that is right, add --max-shrink {enough:.2f}.",
            rows_before=before,
            rows_after=rows_loaded,
        )
