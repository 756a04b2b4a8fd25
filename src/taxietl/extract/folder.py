"""A folder of trip files under the TLC's names, as Parquet, CSV or CSV.gz."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from taxietl.errors import CorruptFileError, MissingFileError
from taxietl.extract.local import hashed, tail, version_of
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile

FORMS = ("parquet", "csv.gz", "csv")
"""Endings in order of preference: Parquet is the form the TLC still mends."""


_PARTS = (".parquet", ".csv", ".gz")


@dataclass(frozen=True)
class Folder:
    """Finds `green_tripdata_2021-01.parquet` in the folder, or in its folder `green`."""

    path: Path

    def probe(self, trip_file: TripFile, **_: object) -> SourceVersion:
        """Find the month's file.

        Raises:
            MissingFileError: the folder has none of it.
            CorruptFileError: a folder of parts lies there instead of a file.
        """
        found = [
            path
            for form in FORMS
            for folder in (self.path, self.path / trip_file.color)
            if (path := folder / f"{trip_file.stem}.{form}").is_file()
        ]
        if not found:
            self._refuse_parts(trip_file)
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

    def _refuse_parts(self, trip_file: TripFile) -> None:
        """Tell a folder under the month's name, as Spark writes one, from nothing."""
        for name in (trip_file.stem, *(f"{trip_file.stem}.{form}" for form in FORMS)):
            for path in (self.path / name, self.path / trip_file.color / name, self.path):
                if path.name != name or not path.is_dir():
                    continue
                ends = Counter(each.suffix for each in path.iterdir() if each.suffix in _PARTS)
                if not ends:
                    continue
                (end, count), *_ = ends.most_common(1)
                parts = "Parquet" if end == ".parquet" else "CSV"
                raise CorruptFileError(
                    f"{path} is a folder of {count:,} {parts} part{'s'[: count > 1]}, not a file.",
                    hint=f"Write it as one file: duckdb -c \"COPY (FROM '{path}/*{end}') TO "
                    "'trips.parquet'\", and give --source trips.parquet.",
                )

    def extract(self, version: SourceVersion, **_: object) -> SourceFile:
        """Hash the file where it lies; nothing is copied."""
        return hashed(version, path_of(version))

    def tail(self, version: SourceVersion, size_bytes: int, **_: object) -> bytes:
        """The file's last bytes."""
        return tail(path_of(version), size_bytes)


def path_of(version: SourceVersion) -> Path:
    """The local path behind a `file://` address."""
    return Path(url2pathname(urlsplit(version.url).path))
