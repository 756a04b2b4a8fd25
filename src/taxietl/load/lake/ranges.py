"""Objects as files of which only what is asked for is fetched: at once, or ahead of the reader."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from taxietl.errors import TargetError
from taxietl.load.lake.errands import Errands
from taxietl.load.lake.store import Store
from taxietl.load.lake.values import StoredObject


@dataclass(frozen=True)
class Piece:
    """Bytes of an object that are on their way, or here."""

    start: int
    end: int
    arrived: Future[bytes]


class Ahead:
    """Fetches ranges of objects, several at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failure: Exception | None = None
        """What went wrong first; Arrow and DuckDB hand on no more than its words."""

        self._errands = Errands()
        self._is_stopped = False

    def fetch(self, found: StoredObject, start: int, end: int) -> Piece:
        """Begin to fetch these bytes."""
        return Piece(start, end, self._errands.begin(partial(self._read, found, start, end)))

    def stop(self) -> None:
        """Fetch nothing more; whoever waits for bytes is told so."""
        self._is_stopped = True
        self._errands.stop()

    def failed(self, error: Exception) -> None:
        """Note what went wrong, unless something did before."""
        if self.failure is None and not self._is_stopped:
            self.failure = error

    def _read(self, found: StoredObject, start: int, end: int) -> bytes:
        try:
            return self._whole(self.store.read(found, start, end - start), found, end - start)
        except Exception as error:
            self.failed(error)
            raise

    def _whole(self, data: bytes, found: StoredObject, size_bytes: int) -> bytes:
        if len(data) != size_bytes:
            raise TargetError(
                f"{self.store.uri(found.key)} gave {len(data):,} of {size_bytes:,} bytes.",
                hint="Run it again; `taxietl lake verify` tells whether the object is whole.",
            )
        return data


class ObjectFile(io.RawIOBase):
    """An object as a file.

    Args:
        found: the object.
        read_range: gives its bytes from one offset up to another.
    """

    def __init__(self, found: StoredObject, read_range: Callable[[int, int], bytes]) -> None:
        self._found, self._read_range, self._at = found, read_range, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there."""
        self._at = offset + {0: 0, 1: self._at, 2: self._found.size_bytes}[whence]
        return self._at

    def read(self, size_bytes: int | None = -1) -> bytes:
        """The next bytes, all that were asked for."""
        left = max(0, self._found.size_bytes - self._at)
        wanted = left if size_bytes is None or size_bytes < 0 else min(size_bytes, left)
        if not wanted:
            return b""
        part = self._read_range(self._at, self._at + wanted)
        self._at += len(part)
        return part


@dataclass(frozen=True)
class Pieces:
    """Reads from what was fetched ahead; fetches what nobody thought of."""

    ahead: Ahead
    found: StoredObject
    pieces: tuple[Piece, ...]

    def __call__(self, start: int, end: int) -> bytes:
        parts: list[bytes | memoryview] = []
        while start < end:
            piece = next((each for each in self.pieces if each.start <= start < each.end), None)
            if piece is None:
                piece = self.ahead.fetch(self.found, start, end)
            till = min(end, piece.end)
            data = memoryview(piece.arrived.result())
            parts.append(data[start - piece.start : till - piece.start])
            start = till
        return b"".join(parts)
