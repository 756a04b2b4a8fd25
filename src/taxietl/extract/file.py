"""One file, whatever its name; whose month it is, the command line says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from taxietl.extract.local import hashed, tail, version_of
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class File:
    """The file at a path."""

    path: Path
    is_one_file = True

    def probe(self, trip_file: TripFile, **_: object) -> SourceVersion:
        """Look at the file's size and times.

        Raises:
            MissingFileError: it is gone.
        """
        return version_of(self.path, trip_file, source=self.path)

    def extract(self, version: SourceVersion, **_: object) -> SourceFile:
        """Hash the file where it lies; nothing is copied."""
        return hashed(version, self.path)

    def tail(self, version: SourceVersion, size_bytes: int, **_: object) -> bytes:  # noqa: ARG002
        """The file's last bytes."""
        return tail(self.path, size_bytes)
