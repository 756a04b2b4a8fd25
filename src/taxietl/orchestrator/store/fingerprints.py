"""What a file was when a result that names it was stored, and whether it still is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from taxietl.digests import sha256_of
from taxietl.orchestrator.store.values import PLAIN, found_in


@dataclass(frozen=True)
class FileFingerprint:
    """A file as it was: where it lay, how long it was, which bytes it held."""

    path: str
    size: int
    sha256: str

    @classmethod
    def take(cls, path: Path) -> FileFingerprint:
        """The fingerprint of the file as it is now."""
        digest, size = sha256_of(path)
        return cls(str(path), size, digest)

    def difference(self) -> str:
        """Why the file is not what it was; empty if it is."""
        path = Path(self.path)
        if not path.is_file():
            return f"{path} is missing"
        try:
            if path.stat().st_size != self.size or FileFingerprint.take(path) != self:
                return f"{path} has changed"
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        return ""


def fingerprints_as_text(fingerprints: Iterable[FileFingerprint]) -> str:
    """Fingerprints as JSON."""
    return json.dumps([asdict(each) for each in fingerprints])


def file_difference(fingerprints: str | None) -> str:
    """Why a file of fingerprints written by `fingerprints_as_text` is not what it was, or empty."""
    if fingerprints is None:
        return ""
    differences = (FileFingerprint(**each).difference() for each in json.loads(fingerprints))
    return next((each for each in differences if each), "")


def files_in(value: object) -> list[Path]:
    """The existing regular files that a result names by a `Path`, at any depth."""
    if type(value) in PLAIN:
        return []
    return [path for path in found_in([value], (Path,)) if path.is_file()]
