"""Where objects lie: a bucket, or a folder. The one seam between the lake and either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from taxietl.errors import TargetError
from taxietl.load.lake.values import StoredObject
from taxietl.steps.protocols import Cancellation, Progress


class ChangedError(Exception):
    """The object is not of the generation that it had to be of; nothing was written."""


def replaced_meanwhile(uri: str) -> TargetError:
    """Nothing of the new is mixed with the old."""
    return TargetError(f"{uri} was replaced or taken away while it was read.", hint="Run it again.")


class Store(Protocol):
    """Objects by key. Keys have `/` on every platform."""

    address: str
    """The store in words: `gs://bucket`, or the folder."""

    def stat(self, key: str) -> StoredObject | None:
        """The object with its checksum; None if there is none."""
        ...

    def objects(self) -> Iterator[StoredObject]:
        """All objects but the manifests.

        Without checksums where those would have to be made; then the metadata need not be true.
        """
        ...

    def unfinished(self) -> Iterator[StoredObject]:
        """What uploads that died have left, as far as they cannot be under way any more."""
        ...

    def put(
        self,
        path: Path,
        key: str,
        *,
        crc32c: str,
        metadata: Mapping[str, str],
        if_generation: int,
        cancellation: Cancellation,
        progress: Progress,
    ) -> StoredObject:
        """Make a file's bytes the object, whole or not at all.

        Args:
            if_generation: what is to be replaced; 0 for nothing.

        Raises:
            ChangedError: another generation is there.
            TargetError: the store refused, or what arrived is not what was sent.
        """
        ...

    def read(self, found: StoredObject, start: int, size_bytes: int) -> bytes:
        """A part of that very object.

        Raises:
            TargetError: another is there by now, or none; or the store refuses.
        """
        ...

    def read_small(self, key: str) -> tuple[bytes, int] | None:
        """A small object and its generation; None if there is none."""
        ...

    def write_small(self, key: str, data: bytes, *, if_generation: int) -> None:
        """Make the bytes the object, whole or not at all.

        Raises:
            ChangedError: another generation is there.
        """
        ...

    def small_keys(self, prefix: str) -> list[str]:
        """The keys that begin so."""
        ...

    def delete(self, key: str, generation: int) -> None:
        """Take away an object of that generation; what has gone already is no error."""
        ...

    def uri(self, key: str) -> str:
        """The object's address, as other programs take it."""
        ...

    def link(self, key: str) -> str | None:
        """The page that shows the object; None where there is no such page."""
        ...
