"""The zone look-up table on its way: a small file, its rows, and what was done with them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from taxietl.steps.protocols import Cancellation


class Zone(NamedTuple):
    """One row, as the file has it."""

    location_id: int
    borough: str
    zone: str
    service_zone: str


@dataclass(frozen=True)
class ZoneFile:
    """The file's bytes, some thousands: read once, so what is hashed is what is loaded."""

    source: str
    """What was asked for: a folder, a file."""

    url: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class ZoneRequest:
    """What is to be in the table, and who asks."""

    file: ZoneFile
    zones: tuple[Zone, ...]
    run_id: str
    run_name: str
    force: bool = False
    """Replace what is there even if nothing changed."""


@dataclass(frozen=True)
class PreviousZones:
    """The file whose rows these replaced."""

    source: str
    source_sha256: str
    rows_loaded: int


@dataclass(frozen=True)
class ZoneReport:
    """What was done with the table."""

    action: str
    """`loaded`, `replaced` or `nothing to do`."""

    reason: str
    load_id: str
    target: str
    """The warehouse, without credentials."""

    table: str
    source: str
    source_url: str
    source_bytes: int
    source_sha256: str
    rows_loaded: int
    run_id: str
    run_name: str
    taxietl_version: str
    loaded_at: datetime
    replaced: PreviousZones | None = None


@runtime_checkable
class ZoneLoader(Protocol):
    """A loader whose warehouse can have the zone table."""

    def plan_zones(self, request: ZoneRequest) -> tuple[str, str]:
        """What `load_zones` would do, `load`, `replace` or `nothing`, and why; changes nothing.

        Raises:
            TargetError: the target refused, or something that is not ours is there.
        """
        ...

    def load_zones(self, request: ZoneRequest, cancellation: Cancellation) -> ZoneReport:
        """Replace the table whole, in one transaction, unless it is as it should be.

        Raises:
            TargetError: the target refused; it is as it was.
            TryLaterError: somebody else holds it.
        """
        ...


def decide(
    request: ZoneRequest, current: ZoneReport | None, present: Sequence[Zone] | None
) -> tuple[str, str]:
    """`load`, `replace` or `nothing`, and why.

    Args:
        request: what is to be there.
        current: the table's last load.
        present: its rows now; None if there is no table.
    """
    if current is None or present is None:
        return "load", "not loaded yet" if current is None else "the table is gone"
    if request.force:
        return "replace", "--force"
    if current.source_sha256 != request.file.sha256:
        before, now = current.source_sha256[:12], request.file.sha256[:12]
        return "replace", f"restated: SHA-256 {before} became {now}"
    if sorted(present) != sorted(request.zones):
        return "replace", "the table holds other rows than were loaded"
    return "nothing", (
        f"the same file (SHA-256 {current.source_sha256[:12]}); {current.rows_loaded:,} zones "
        f"loaded by run {current.run_name!r}"
    )
