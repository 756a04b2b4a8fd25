"""A lake's months: what is there, and the record of it.

The object comes first, its manifest last. Whoever looks at a month before the manifest is written
finds the object's own facts, and writes what is missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from taxietl.errors import TargetError, TryLaterError
from taxietl.load.lake.errands import all_of
from taxietl.load.lake.manifest import (
    BrokenManifestError,
    Manifest,
    manifest_key,
    manifest_of,
    manifest_of_key,
)
from taxietl.load.lake.standing import Standing, standing_of
from taxietl.load.lake.store import ChangedError, Store
from taxietl.load.lake.values import MANIFESTS, Facts, Form, Version, month_of, trip_file_of
from taxietl.steps.protocols import Cancellation, Progress
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from taxietl.config.lakes import LakeProfile

_TRIES = 20
"""How often a manifest is read anew because somebody else wrote to it meanwhile."""

_ENDINGS = (".parquet", ".csv.gz", ".csv")


class Lake:
    """Months in a store, where the profile's template puts them."""

    def __init__(self, profile: LakeProfile, store: Store | None = None) -> None:
        self._profile = profile
        self.store: Store = store or profile.open_store()

    def key(self, trip_file: TripFile, form: Form, url: str) -> str:
        """Where an upload puts a month; where it lies is its manifest's word (`standing`).

        Published bytes go under `raw/`, with their own ending.
        """
        key = self._profile.object_key(
            color=trip_file.color, year=trip_file.year, month=trip_file.month
        )
        if form is Form.PARQUET:
            return key
        return f"raw/{key.removesuffix('.parquet')}{ending_of(url)}"

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

    def recorded_months(self, color: str) -> list[TripFile]:
        """The colour's months that have a manifest, by one list; none is read."""
        keys = self.store.small_keys(f"{MANIFESTS}{color}/")
        months = [trip_file_of(*manifest_of_key(each)) for each in keys]
        return sorted(each for each in months if each is not None)

    def standing(self, trip_file: TripFile | None, form: Form, *, else_at: str) -> Standing:
        """Which object the month is, by the one rule; changes nothing. None is the zone table.

        Args:
            trip_file: the month.
            form: in which.
            else_at: where to look for it if it was never recorded.
        """
        color, month = (trip_file.color, month_of(trip_file)) if trip_file else (None, None)

        def looked() -> Standing:
            manifest = self.manifest(color, month)
            return standing_of(manifest, form, else_at=else_at, look=self.store.stat)

        found = looked()
        # Perhaps an upload ended between the two looks: then both are right by now.
        return looked() if found.problem else found

    def parquet(self, trip_file: TripFile) -> Standing:
        """Which object the month's Parquet is."""
        key = self.key(trip_file, Form.PARQUET, "")
        return self.standing(trip_file, Form.PARQUET, else_at=key)

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
