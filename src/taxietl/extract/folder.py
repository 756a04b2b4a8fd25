"""A folder of trip files under the TLC's names, as Parquet, CSV or CSV.gz."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from taxietl.errors import MissingFileError
from taxietl.extract.local import hashed, tail, version_of
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile

FORMS = ("parquet", "csv.gz", "csv")
"""Endings in order of preference: Parquet is the form the TLC still mends."""


@dataclass(frozen=True)
class Folder:
    """Finds `green_tripdata_2021-01.parquet` in the folder, or in its folder `green`."""

    path: Path

    def probe(self, trip_file: TripFile, **_: object) -> SourceVersion:
        """Find the month's file.

        Raises:
            MissingFileError: the folder has none of it.
        """
        found = [
            path
            for form in FORMS
            for folder in (self.path, self.path / trip_file.color)
            if (path := folder / f"{trip_file.stem}.{form}").is_file()
        ]
        if not found:
            names = ", ".join(f"{trip_file.stem}.{form}" for form in FORMS)
            raise MissingFileError(
                f"{self.path} has no file of {trip_file}.",
                hint=f"Looked for {names} there and in its folder {trip_file.color}.",
            )
        version = version_of(found[0], trip_file, source=self.path)
        if not found[1:]:
            return version
        taken, *others = (str(path.relative_to(self.path)) for path in found)
        said = (
            f"{self.path} has several files of {trip_file}: {taken} is taken, "
            f"{', '.join(others)} left"
        )
        return replace(version, warnings=(said,))

    def extract(self, version: SourceVersion, **_: object) -> SourceFile:
        """Hash the file where it lies; nothing is copied."""
        return hashed(version, path_of(version))

    def tail(self, version: SourceVersion, size_bytes: int, **_: object) -> bytes:
        """The file's last bytes."""
        return tail(path_of(version), size_bytes)


def path_of(version: SourceVersion) -> Path:
    """The local path behind a `file://` address."""
    return Path(url2pathname(urlsplit(version.url).path))
