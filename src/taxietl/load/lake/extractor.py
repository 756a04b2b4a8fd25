"""The lake as a source: its months go on into a warehouse, with no second transfer from the TLC.

Such a file holds the contract's own columns, of whatever era the month was.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from taxietl.config.templates import open_fields
from taxietl.errors import ConfigError, CorruptFileError, MissingFileError, SourceError, TargetError
from taxietl.load.lake.lake import Lake, ending_of
from taxietl.load.lake.standing import (
    BrokenMonthError,
    State,
    demand_current,
    demand_whole,
    upload_line,
)
from taxietl.load.lake.values import StoredObject
from taxietl.replacing import replacing
from taxietl.steps.protocols import NEVER, Cancellation, Progress, untold
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from pathlib import Path

    from taxietl.config.lakes import LakeProfile

_PART_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class LakeMonths:
    """The clean Parquet files of a lake, by its profile; or what lies in it at another key."""

    profile: LakeProfile
    template: str | None = None
    """Another key than the profile's, in which `{color}`, `{year}` and `{month}` may be open."""

    def __post_init__(self) -> None:
        try:
            open_fields(self.template or "")
        except ValueError as error:
            raise ConfigError(
                f"The key of --source {error}.",
                hint="Braces may hold color, year and month: {color}/{year}-{month:02d}.parquet.",
            ) from None

    def probe(
        self,
        trip_file: TripFile,
        *,
        cancellation: Cancellation = NEVER,  # noqa: ARG002  one small request
    ) -> SourceVersion:
        """Ask for the month's object.

        Raises:
            MissingFileError: the lake never had it.
            BrokenMonthError: its object is gone, is another, or is not in its manifest.
            SourceError: it was uploaded under another contract, or the lake cannot be asked.
        """
        with as_source():
            lake = Lake(self.profile)
            found = self._found(lake, trip_file)
            if found is None:
                raise self._missing(lake, trip_file)
            address, url = lake.store.address, lake.store.uri(found.key)
        return SourceVersion(
            trip_file, f"lake {address}", url, str(found.generation), found.size_bytes
        )

    def extract(
        self,
        version: SourceVersion,
        *,
        into: Path,
        cancellation: Cancellation = NEVER,
        progress: Progress = untold,
    ) -> SourceFile:
        """Copy the object, comparing its checksum.

        Raises:
            SourceError: it is of another version by now, or cannot be read.
            CorruptFileError: what arrived is not what was stored.
        """
        import google_crc32c

        trip_file, crc, sha256 = version.trip_file, 0, hashlib.sha256()
        into.mkdir(parents=True, exist_ok=True)
        ending = ending_of(version.url) or ".parquet"
        path = into / f"{trip_file.stem}-lake-{version.etag}{ending}"
        with replacing(path) as beside:
            with as_source(), beside.open("wb") as file:
                lake = Lake(self.profile)
                found = self._same(lake, version)
                while (done := file.tell()) < found.size_bytes:
                    cancellation.check()
                    part = lake.store.read(found, done, min(_PART_BYTES, found.size_bytes - done))
                    if not part:
                        break
                    crc = google_crc32c.extend(crc, part)
                    sha256.update(part)
                    file.write(part)
                    progress(file.tell(), found.size_bytes)
            if base64.b64encode(crc.to_bytes(4, "big")).decode() != found.crc32c:
                raise CorruptFileError(
                    f"{version.url} is not what was stored: its CRC32C differs.",
                    hint="Run it again; `taxietl lake verify` tells whether the object is damaged.",
                )
        return SourceFile(version, path, found.size_bytes, sha256.hexdigest())

    def tail(
        self,
        version: SourceVersion,
        size_bytes: int,
        *,
        cancellation: Cancellation = NEVER,  # noqa: ARG002  one small request
    ) -> bytes:
        """The object's last bytes."""
        with as_source():
            lake = Lake(self.profile)
            found = self._same(lake, version)
            start = max(0, found.size_bytes - size_bytes)
            return lake.store.read(found, start, found.size_bytes - start)

    def _same(self, lake: Lake, version: SourceVersion) -> StoredObject:
        found = self._found(lake, version.trip_file)
        if found is None or str(found.generation) != version.etag:
            raise SourceError(
                f"{version.url} was replaced since it was asked for.", hint="Run it again."
            )
        return found

    def _found(self, lake: Lake, trip_file: TripFile) -> StoredObject | None:
        if self.template is None:
            standing = lake.parquet(trip_file)
            try:
                demand_whole([standing], lake.store.uri)
            except BrokenMonthError as error:
                if standing.version is None and standing.state is State.FOREIGN:
                    error.hint += f" To read it as it is: --source {lake.store.uri(standing.key)}."
                raise
            if standing.version:
                demand_current(standing.version, lake.store.uri(standing.key), trip_file)
            return standing.found
        month = {"color": trip_file.color, "year": trip_file.year, "month": trip_file.month}
        return lake.store.stat(self.template.format(**month))

    def _missing(self, lake: Lake, trip_file: TripFile) -> MissingFileError:
        there = f"{lake.store.address} has no {trip_file}"
        if self.template is not None:
            return MissingFileError(
                f"{there} at {self.template}.", hint="Check the key, and its case."
            )
        return MissingFileError(
            f"The lake {there}.", hint=f"Upload it first: {upload_line(trip_file)}."
        )


@contextmanager
def as_source() -> Iterator[None]:
    """A store that refuses is here where rows come from, not where they go to.

    A month that is not whole is told as by every other command.
    """
    try:
        yield
    except BrokenMonthError:
        raise
    except TargetError as error:
        raise SourceError(error.message, hint=error.hint) from error
