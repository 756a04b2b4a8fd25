"""What a file was when a result that names it was stored, and whether it still is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path

from taxietl.digests import sha256_of


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


def files_in(value: object) -> Iterator[Path]:
    """The existing regular files that a result names by a `Path`, at any depth."""
    if isinstance(value, Path):
        if value.is_file():
            yield value
    elif not isinstance(value, (str, bytes)):
        for part in _parts(value):
            yield from files_in(part)


def _parts(value: object) -> Iterable[object]:
    """What a container, dataclass or model holds."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, AbstractSet)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(getattr(type(value), "model_fields", None), dict):  # pydantic's
        return [getattr(value, name) for name in type(value).model_fields]  # type: ignore[attr-defined]
    return ()
