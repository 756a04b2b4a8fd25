"""The rows of what code attaches to its run: events, things to look at, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taxietl.orchestrator.store.rows import OfRunRow, json_of


@dataclass(frozen=True)
class EventRow(OfRunRow):
    """One named event that was attached to a run."""

    table = "events"

    name: str
    message: str
    details_json: str

    @property
    def details(self) -> dict[str, Any]:
        """As JSON values."""
        return json_of(self.details_json, {})


@dataclass(frozen=True)
class AttachmentRow(OfRunRow):
    """A text, table, link or picture that was attached to a run."""

    table = "attachments"

    kind: str
    """`markdown`, `table`, `link` or `image`."""
    name: str
    description: str
    content_json: str
    """By its kind: see `run/attachments.py`."""

    @property
    def content(self) -> dict[str, Any]:
        """As JSON values."""
        return json_of(self.content_json, {})


@dataclass(frozen=True)
class ProgressRow(OfRunRow):
    """How far a run or task run is, or was when it last said so."""

    table = "progress"
    is_latest = True

    done: float
    total: float | None
    """None if nobody knows."""
    unit: str
    """What is counted: `rows`, `bytes`."""
    began_at: datetime
    """When it first said how far it was."""
    done_before: float
    """How far it was then."""

    @property
    def rate(self) -> float | None:
        """How many a second, since it began; None if that cannot be told yet."""
        seconds = (self.at - self.began_at).total_seconds()
        gained = self.done - self.done_before
        return gained / seconds if seconds > 0 and gained > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """From when it last said so, at that rate."""
        if self.total is None or self.rate is None:
            return None
        return max(0.0, self.total - self.done) / self.rate
