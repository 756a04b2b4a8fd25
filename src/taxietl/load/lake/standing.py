"""Which object a month is: the one that its manifest's newest version names. Everywhere.

`key` in the profile says where the next upload goes, and nothing else: a month lies where its
manifest says. What lies there now is compared with what was put there; a month whose object is
gone, is another or was never recorded is told by name: never read, never left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from taxietl.errors import SourceError, TargetError
from taxietl.load.lake.manifest import Manifest
from taxietl.load.lake.values import Form, StoredObject, Version, tells_of_itself
from taxietl.tlc.trip_file import TripFile


class State(StrEnum):
    """What lies in a month's place, held to its manifest."""

    ABSENT = "absent"
    """Nothing, and nothing was ever recorded."""

    WHOLE = "whole"
    """The bytes that were put there; a copy of them is as good."""

    MISSING = "missing"
    """Nothing, though the manifest has it."""

    UNRECORDED = "unrecorded"
    """A whole upload that the manifest lacks, as after a crash between the two."""

    FOREIGN = "foreign"
    """Something else."""


@dataclass(frozen=True)
class Standing:
    """A month in one form: its newest version, and what lies in its place."""

    manifest: Manifest
    form: Form
    key: str
    version: Version | None
    """The newest that is recorded; None if none is."""

    found: StoredObject | None

    @property
    def state(self) -> State:
        """See `State`."""
        if self.found is None:
            return State.MISSING if self.version else State.ABSENT
        if self.version and self.found.crc32c == self.version.facts.crc32c:
            return State.WHOLE
        return State.UNRECORDED if self.unrecorded else State.FOREIGN

    @property
    def unrecorded(self) -> Version | None:
        """The upload that the object tells of and its manifest lacks."""
        return lacking(self.manifest, self.form, self.found) if self.found else None

    def recorded(self) -> Standing:
        """The same once its manifest has what a crash kept from it."""
        version = self.unrecorded
        if version is None:
            return self
        manifest = self.manifest.with_version(version)
        return replace(self, manifest=manifest, version=version)

    @property
    def problem(self) -> str:
        """What is wrong with it, in words; nothing if nothing is."""
        match self.state:
            case State.MISSING:
                return "is not there, though its manifest has it"
            case State.UNRECORDED:
                return "is not in its manifest, as after a crash"
            case State.FOREIGN if self.version:
                return f"is not what run {self.version.facts.run_name!r} put there"
            case State.FOREIGN:
                return "was not put there by taxietl"
        return ""


def standing_of(
    manifest: Manifest, form: Form, *, else_at: str, look: Callable[[str], StoredObject | None]
) -> Standing:
    """The rule: which object that month is, and what lies there.

    Args:
        manifest: the month's.
        form: its Parquet, or the published bytes.
        else_at: where to look for a month that was never recorded.
        look: what lies at a key.
    """
    version = manifest.newest(form)
    key = version.facts.key if version else else_at
    return Standing(manifest, form, key, version, look(key))


def lacking(manifest: Manifest, form: Form, found: StoredObject) -> Version | None:
    """The version that an object tells of itself, where the month's manifest lacks it."""
    facts = tells_of_itself(found)
    if facts is None or manifest.holds(found.key, found.generation):
        return None
    is_its = (facts.color, facts.month, facts.form) == (manifest.color, manifest.month, form)
    return Version(facts, found.generation) if is_its else None


class BrokenMonthError(TargetError):
    """Months whose objects are not what their manifests say; no rows are read instead of them."""


_NAMED = 5


def demand_whole(standings: Sequence[Standing], uri: Callable[[str], str]) -> None:
    """Demand of months that are there, or were, that they are what was put there.

    Raises:
        BrokenMonthError: some are not; it names them.
    """
    broken = [each for each in standings if each.problem]
    if not broken:
        return
    told = [f"{uri(each.key)} {each.problem}" for each in broken[:_NAMED]]
    more = f"; and {len(broken) - _NAMED:,} more" if len(broken) > _NAMED else ""
    hint = f"{remedy(broken[0])} `taxietl lake verify` lists all that is wrong."
    raise BrokenMonthError("; ".join(told) + more + ".", hint=hint)


def demand_current(version: Version, uri: str, trip_file: TripFile) -> None:
    """Demand that the month was written as it would be now.

    Raises:
        SourceError: it was uploaded under another contract.
    """
    before, now = version.facts.contract_version, version.facts.current_contract
    if before != now:
        raise SourceError(
            f"{uri} was uploaded under contract {before}; the current one is {now}.",
            hint=f"Upload it again, which reads the source anew: {upload_line(trip_file)}.",
        )


def remedy(broken: Standing) -> str:
    """What to do about a month that is not whole."""
    trip_file = broken.manifest.trip_file
    is_theirs = broken.state is State.FOREIGN and broken.version is None
    if trip_file is None:
        return "Upload it again: taxietl zones --to LAKE."
    again = upload_line(trip_file, raw=broken.form is Form.RAW, force=is_theirs)
    if is_theirs:
        return f"Move it away, or replace it: {again}."
    return f"Upload it again: {again}."


def upload_line(trip_file: TripFile, *, raw: bool = False, force: bool = False) -> str:
    """What to type to have that month in the lake."""
    options = " --raw" * raw + " --force" * force
    return (
        f"taxietl upload-gcs --color {trip_file.color} --year {trip_file.year} "
        f"--month {trip_file.month}{options}"
    )
