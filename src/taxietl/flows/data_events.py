"""What happened to published data that somebody may want to be told of, as events of the run.

    restated  the same source published other bytes, and they took the place of what was there
    rejects   lines were left out since they could not be read; or there were too many of them
    shrunk    what is published now has far fewer rows, or none: refused, and nothing replaced

Whatever is loaded, and wherever to, the same thing has the same event.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from taxietl.errors import NoRowsError, ShrunkError, TooManyRejectsError
from taxietl.orchestrator import attach_event
from taxietl.steps.values import LoadReport
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class Loaded:
    """Bytes that were loaded, and the rows that came of them."""

    source: str
    sha256: str
    rows: int | None
    """None where they are not counted."""


@contextmanager
def refusals_attached(trip_file: TripFile, to: str, *, rows_before: int | None) -> Iterator[None]:
    """Attach an event if the block ends with a refusal that is one.

    Args:
        trip_file: the month.
        to: the profile that it goes into.
        rows_before: how many the last load of the month had; None where there was none.
    """
    try:
        yield
    except TooManyRejectsError as error:
        attach_event(
            "rejects",
            error.message,
            **_about(trip_file, to),
            rows_rejected=error.tally.rows_rejected,
            max_rejects=error.limit,
            loaded=False,
        )
        raise
    except (ShrunkError, NoRowsError) as error:
        counts = (rows_before, 0)
        if isinstance(error, ShrunkError):
            counts = (error.rows_before, error.rows_after)
        if counts[0]:
            attach_event(
                "shrunk",
                f"{error.message} Nothing was replaced ({to}).",
                **_about(trip_file, to),
                rows_before=counts[0],
                rows_after=counts[1],
            )
        raise


def attach_what_changed(report: LoadReport, to: str) -> None:
    """Attach the events of a month that was loaded into a warehouse."""
    old = report.replaced
    attach_rejects(report.trip_file, to, report.rows_rejected)
    attach_restated(
        report.trip_file,
        to,
        before=Loaded(old.source, old.source_sha256, old.rows_loaded) if old else None,
        after=Loaded(report.source, report.source_sha256, report.rows_loaded),
    )


def attach_rejects(trip_file: TripFile, to: str, rows_rejected: int) -> None:
    """Attach an event if lines of what was loaded were left out as unreadable."""
    if rows_rejected:
        lines = "1 line was" if rows_rejected == 1 else f"{rows_rejected:,} lines were"
        attach_event(
            "rejects",
            f"{trip_file}: {lines} left out, since they could not be read ({to}).",
            **_about(trip_file, to),
            rows_rejected=rows_rejected,
            loaded=True,
        )


def attach_restated(
    trip_file: TripFile | None, to: str, *, before: Loaded | None, after: Loaded
) -> None:
    """Attach an event if other bytes of the same source took the place of what was there.

    Args:
        trip_file: the month; None for the zone table.
        to: the profile that has it.
        before: what was there; None for nothing.
        after: what is there now.
    """
    if before is None or before.source != after.source or before.sha256 == after.sha256:
        return
    change = "other bytes"
    if before.rows is not None and after.rows is not None:
        change = f"{after.rows - before.rows:+,} rows, now {after.rows:,}"
        if after.rows == before.rows:
            change = f"as many rows as before, {after.rows:,}"
    attach_event(
        "restated",
        f"{trip_file or 'The zone table'} restated: {change} ({to}).",
        **_about(trip_file, to),
        rows_before=before.rows,
        rows_after=after.rows,
        sha256_before=before.sha256,
        sha256_after=after.sha256,
    )


def _about(trip_file: TripFile | None, to: str) -> dict[str, str]:
    """What an event is about, for programs."""
    if trip_file is None:
        return {"to": to}
    return {"color": trip_file.color, "month": f"{trip_file.source_month:%Y-%m}", "to": to}
