"""A download on its way: the bytes so far, and a note of which version they are of.

A part belongs to who holds the lock on it, which the system drops when that process dies. Whoever
comes while it is held takes a part of its own, and waits for nobody.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from taxietl.filelock import lock_open_file
from taxietl.forks import UnsharedFile
from taxietl.replacing import replacing
from taxietl.steps.values import SourceVersion

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """What a file in the cache is, or will be once it is whole."""

    url: str
    etag: str | None
    size_bytes: int | None
    last_modified: str | None = field(compare=False)
    sha256: str | None
    """Of the whole file; None while it is not."""

    @classmethod
    def of(cls, version: SourceVersion, sha256: str | None) -> Record:
        """The record of that version."""
        modified = version.last_modified.isoformat() if version.last_modified else None
        return cls(version.url, version.etag, version.size_bytes, modified, sha256)

    @classmethod
    def read(cls, final: Path) -> Record | None:
        """The record beside that file; None if there is none that can be read."""
        try:
            return cls(**json.loads(_beside(final).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def modified_at(self) -> datetime | None:
        """When the source said it was written."""
        return datetime.fromisoformat(self.last_modified) if self.last_modified else None

    def write(self, final: Path) -> None:
        """Put it beside that file."""
        with replacing(_beside(final)) as new:
            new.write_text(json.dumps(asdict(self)), encoding="utf-8")


class Part:
    """The bytes so far of the file that `final` will be."""

    def __init__(self, final: Path, path: Path, file: UnsharedFile, *, is_shared: bool) -> None:
        self.final, self.path = final, path
        self._file, self._is_shared = file, is_shared
        self.size_bytes = os.fstat(file.descriptor).st_size

    def chunks(self) -> Iterator[bytes]:
        """What is there; what is written next follows it."""
        os.lseek(self._file.descriptor, 0, os.SEEK_SET)
        while chunk := os.read(self._file.descriptor, _READ_BYTES):
            yield chunk

    def write(self, chunk: bytes) -> None:
        """Add to the end; nothing is held back in this process."""
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._file.descriptor, rest) :]
        self.size_bytes += len(chunk)

    def clear(self) -> None:
        """Begin anew."""
        os.ftruncate(self._file.descriptor, 0)
        os.lseek(self._file.descriptor, 0, os.SEEK_SET)
        self.size_bytes = 0

    def become(self, final: Path, record: Record) -> None:
        """Take the file's place, safe from a power cut, with what it was found to be."""
        os.fsync(self._file.descriptor)
        if sys.platform == "win32":
            self.close()  # an open file cannot be renamed there
        self.path.replace(final)
        record.write(final)
        _sync_folder(final.parent)

    def close(self) -> None:
        """Let go of it; one that nobody else could take up is removed."""
        if not self._file.is_open:
            return
        self._file.close()
        if not self._is_shared:
            self.path.unlink(missing_ok=True)


@contextmanager
def open_part(final: Path) -> Iterator[Part]:
    """The part of that file, as an earlier transfer left it, or a new one."""
    part = _claimed(final)
    try:
        yield part
    finally:
        part.close()


def _claimed(final: Path) -> Part:
    path = final.with_name(f"{final.name}.part")
    while True:
        file = _opened(path)
        # A locked file can be neither read nor renamed on Windows: every download has its own part.
        if sys.platform == "win32" or not lock_open_file(file.descriptor):
            file.close()
            own = final.with_name(f"{final.name}.{secrets.token_hex(4)}.part")
            return Part(final, own, _opened(own), is_shared=False)
        if _is_still(path, file.descriptor):
            return Part(final, path, file, is_shared=True)
        file.close()  # its last holder made it the file after we opened it


def _opened(path: Path) -> UnsharedFile:
    return UnsharedFile(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _beside(final: Path) -> Path:
    return final.with_name(f"{final.name}.json")


def _sync_folder(folder: Path) -> None:
    """Have the names last, too, where a folder can be opened."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
