"""A lake's months: what is there, what must be done, and the record of it.

The object comes first, its manifest last. Whoever looks at a month before the manifest is written
finds the object's own facts, and writes what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import NotOursError, TargetError, TryLaterError
from taxietl.load.lake.errands import all_of
from taxietl.load.lake.store import ChangedError, Store, open_store
from taxietl.load.lake.values import (
    MANIFESTS,
    BrokenManifestError,
    Facts,
    Form,
    Manifest,
    StoredObject,
    Version,
    manifest_key,
    manifest_of,
    manifest_of_key,
    month_of,
    tells_of_itself,
)
from taxietl.steps.plan import Plan, decide
from taxietl.steps.protocols import Cancellation, Progress
from taxietl.steps.values import Entry, SourceVersion, Transform
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from taxietl.config.profiles import LakeProfile

_TRIES = 20
"""How often a manifest is read anew because somebody else wrote to it meanwhile."""

_ENDINGS = (".parquet", ".csv.gz", ".csv")


@dataclass(frozen=True)
class Standing:
    """What the lake has of a month at one key."""

    found: StoredObject | None
    version: Version | None
    """What taxietl put there last; None if it never did."""

    is_recorded: bool
    """Whether the manifest has the version of the object that is there."""

    @property
    def generation(self) -> int:
        """Of the object that is there; 0 for none."""
        return self.found.generation if self.found else 0

    @property
    def is_intact(self) -> bool:
        """Whether the bytes that are there are those that were put there."""
        return (
            self.found is not None
            and self.version is not None
            and self.found.crc32c == self.version.facts.crc32c
        )


class Lake:
    """Months in a store, where the profile's template puts them."""

    def __init__(self, profile: LakeProfile, store: Store | None = None) -> None:
        self._profile = profile
        self.store = store or open_store(profile)

    def key(self, trip_file: TripFile, form: Form, url: str) -> str:
        """Where a month lies. Published bytes lie under `raw/`, with their own ending."""
        key = self._profile.object_key(
            color=trip_file.color, year=trip_file.year, month=trip_file.month
        )
        if form is Form.PARQUET:
            return key
        return f"raw/{key.removesuffix('.parquet')}{ending_of(url)}"

    def left_at(self, trip_file: TripFile) -> str | None:
        """Where the month's Parquet lies if `key` put it elsewhere before; None if it does not."""
        for version in self.manifest(trip_file.color, month_of(trip_file)).newest():
            is_elsewhere = version.facts.form is Form.PARQUET and not self.puts_there(version.facts)
            if is_elsewhere and self.store.stat(version.facts.key):
                return self.store.uri(version.facts.key)
        return None

    def puts_there(self, facts: Facts) -> bool:
        """Whether the profile's template, as it is now, puts that object where it lies."""
        trip_file = facts.trip_file
        if trip_file is None:
            return True  # the zone table, which no template moves
        return self.key(trip_file, facts.form, facts.source_url) == facts.key

    def manifest(self, color: str | None, month: str | None) -> Manifest:
        """What was recorded of a month, or with None of the zone table; nothing if it never was.

        Raises:
            BrokenManifestError: what lies there is none of that month.
        """
        return self._manifest(color, month)[0]

    def manifests(self, color: str | None = None) -> list[Manifest]:
        """Those of all months, by colour and month; the zone table's too, but for one colour.

        Raises:
            BrokenManifestError: what lies in the place of one of them is none.
        """
        whole, broken = self.whole_and_broken_manifests(color)
        if broken:
            raise broken[0]
        return whole

    def whole_and_broken_manifests(
        self, color: str | None = None
    ) -> tuple[list[Manifest], list[BrokenManifestError]]:
        """As `manifests`, and beside them what is wrong with those that cannot be read."""

        def read(key: str) -> Manifest | BrokenManifestError:
            try:
                return self.manifest(*manifest_of_key(key))
            except BrokenManifestError as error:
                return error

        prefix = f"{MANIFESTS}{color}/" if color else MANIFESTS
        found = all_of(read, self.store.small_keys(prefix))
        return (
            [each for each in found if isinstance(each, Manifest)],
            [each for each in found if isinstance(each, BrokenManifestError)],
        )

    def standing(self, trip_file: TripFile | None, key: str) -> Standing:
        """What is there, and what is known of it; changes nothing. None is the zone table."""
        found = self.store.stat(key)
        manifest = (
            self.manifest(trip_file.color, month_of(trip_file))
            if trip_file
            else self.manifest(None, None)
        )
        recorded = manifest.at(key)
        if found is None:
            return Standing(None, recorded, is_recorded=False)
        if manifest.holds(key, found.generation):
            return Standing(found, recorded, is_recorded=True)
        if facts := tells_of_itself(found):
            return Standing(found, Version(facts, found.generation), is_recorded=False)
        # Copied or touched: the same bytes under another generation are nobody else's.
        is_same = recorded is not None and recorded.facts.crc32c == found.crc32c
        return Standing(found, recorded, is_recorded=is_same)

    def heal(self, standing: Standing) -> bool:
        """Record what the object tells and the manifest lacks; whether that was so."""
        if standing.is_recorded or not standing.is_intact or standing.version is None:
            return False
        self.record(standing.version)
        return True

    def put(
        self,
        path: Path,
        facts: Facts,
        *,
        if_generation: int,
        cancellation: Cancellation,
        progress: Progress,
    ) -> Version:
        """Make a file the month's object, in the place of that generation only.

        Raises:
            TryLaterError: somebody else put another there meanwhile.
            TargetError: the store refused; what was there is as it was.
        """
        try:
            stored = self.store.put(
                path,
                facts.key,
                crc32c=facts.crc32c,
                metadata=facts.metadata(),
                if_generation=if_generation,
                cancellation=cancellation,
                progress=progress,
            )
        except ChangedError:
            raise TryLaterError(
                f"Another upload put {self.store.uri(facts.key)} there meanwhile.",
                hint="Nothing of this one was kept. Run again: it compares what is there now.",
            ) from None
        return Version(facts, stored.generation)

    def record(self, version: Version) -> None:
        """Add a version to its month's manifest, beside whatever others add meanwhile."""
        facts = version.facts
        for _ in range(_TRIES):
            manifest, generation = self._manifest(facts.color, facts.month)
            added = manifest.with_version(version)
            if added is manifest:
                return
            try:
                self.store.write_small(
                    manifest_key(facts.color, facts.month),
                    added.dumped(),
                    if_generation=generation,
                )
            except ChangedError:  # or this very write, whose answer was lost: look
                continue
            return
        raise TargetError(
            f"The manifest {self.store.uri(manifest_key(facts.color, facts.month))} "
            f"changed {_TRIES} times meanwhile.",
            hint="The month's object is there. Run again: what is missing is written then.",
        )

    def _manifest(self, color: str | None, month: str | None) -> tuple[Manifest, int]:
        key = manifest_key(color, month)
        found = self.store.read_small(key)
        if found is None:
            return Manifest(color, month), 0
        return manifest_of(found[0], self.store.uri(key), color, month), found[1]


def ending_of(name: str) -> str:
    """How a published file's name or address ends; nothing if in no known way."""
    return next((each for each in _ENDINGS if name.endswith(each)), "")


def decide_upload(
    version: SourceVersion,
    sha256: str | None,
    standing: Standing,
    *,
    uri: str,
    transforms: tuple[Transform, ...],
    force: bool,
    loaded_last_modified: datetime | None = None,
) -> Plan:
    """What must be done with a month; as `steps.plan.decide`, which knows tables.

    Raises:
        NotOursError: something else lies where the month goes.
        RefusedLoadError: the month came from another source, and has other bytes.
    """
    known = standing.version
    if standing.found is None:
        return Plan("load", "not in the lake yet" if known is None else "the object is gone")
    if force:
        return Plan("replace", "--force")
    if known is None:
        raise NotOursError(
            f"{uri} was not put there by taxietl.",
            hint="It was left as it is. Replace it with --force, or change `key` in the profile.",
        )
    if not standing.is_intact:
        return Plan("replace", f"the object is not what run {known.facts.run_name!r} put there")
    return decide(
        version,
        sha256,
        entry_of(known, version.trip_file),
        transforms=transforms,
        force=False,
        loaded_last_modified=loaded_last_modified,
    ).allowed()


def entry_of(version: Version, trip_file: TripFile) -> Entry:
    """A version as a warehouse's ledger would have it."""
    from taxietl.load.lake.values import uploaded_at
    from taxietl.steps.values import LoadReport

    facts = version.facts
    nothing: Mapping[str, int] = {}
    is_raw = facts.form is Form.RAW  # which no contract changes
    report = LoadReport(
        action="loaded",
        reason="",
        load_id=facts.upload_id,
        trip_file=trip_file,
        target="",
        table=facts.key,
        source=facts.source,
        source_url=facts.source_url,
        source_etag=facts.source_etag,
        source_bytes=facts.source_bytes,
        source_sha256=facts.source_sha256,
        era=facts.era or "",
        contract_version=facts.current_contract if is_raw else facts.contract_version,
        rows_read=facts.rows_read or 0,
        rows_loaded=facts.rows or 0,
        rows_dropped=facts.rows_dropped,
        rows_rejected=facts.rows_rejected,
        values_nulled=nothing,
        column_stats={},
        transforms=facts.transforms,
        new_columns=facts.columns_left_out,
        run_id=facts.run_id,
        run_name=facts.run_name,
        taxietl_version=facts.taxietl_version,
        loaded_at=uploaded_at(facts),
    )
    return Entry(report, rows_present=report.rows_loaded)
