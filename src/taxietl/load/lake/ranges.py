"""Objects as files of which only what is asked for is fetched: at once, or ahead of the reader."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from taxietl.errors import TargetError
from taxietl.load.lake.store import Store
from taxietl.load.lake.values import StoredObject

_AT_ONCE = 8


@dataclass(frozen=True)
class Piece:
    """Bytes of an object that are on their way, or here."""

    start: int
    end: int
    arrived: Future[bytes]


class Ahead:
    """Fetches ranges of objects, several at once, in threads that nobody need wait for.

    They are daemons: one that waits for an answer which never comes keeps no process from ending,
    as the threads of a `ThreadPoolExecutor` would.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failure: Exception | None = None
        """What went wrong first; Arrow and DuckDB hand on no more than its words."""

        self._wanted: SimpleQueue[tuple[StoredObject, Piece] | None] = SimpleQueue()
        self._open: set[Future[bytes]] = set()
        self._lock = threading.Lock()
        self._threads = 0
        self._is_stopped = False

    def fetch(self, found: StoredObject, start: int, end: int) -> Piece:
        """Begin to fetch these bytes."""
        piece = Piece(start, end, Future())
        with self._lock:
            if self._is_stopped:
                piece.arrived.set_exception(_stopped())
                return piece
            self._open.add(piece.arrived)
            if self._threads < _AT_ONCE:
                self._threads += 1
                threading.Thread(target=self._work, name="taxietl-range", daemon=True).start()
        self._wanted.put((found, piece))
        return piece

    def stop(self) -> None:
        """Fetch nothing more; whoever waits for bytes is told so."""
        with self._lock:
            self._is_stopped = True
            for each in self._open:
                with suppress(InvalidStateError):  # it arrived this very moment
                    each.set_exception(_stopped())
            self._open.clear()
            for _ in range(self._threads):
                self._wanted.put(None)

    def failed(self, error: Exception) -> None:
        """Note what went wrong, unless something did before."""
        with self._lock:
            if self.failure is None and not self._is_stopped:
                self.failure = error

    def _work(self) -> None:
        while (wanted := self._wanted.get()) is not None:
            found, piece = wanted
            if piece.arrived.done():
                continue
            try:
                data = self._read(found, piece)
            except Exception as error:  # noqa: BLE001  raised where the bytes are waited for
                self.failed(error)
                with suppress(InvalidStateError):
                    piece.arrived.set_exception(error)
            else:
                with suppress(InvalidStateError):
                    piece.arrived.set_result(data)
            with self._lock:
                self._open.discard(piece.arrived)

    def _read(self, found: StoredObject, piece: Piece) -> bytes:
        size = piece.end - piece.start
        data = self.store.read(found, piece.start, size)
        if len(data) != size:
            raise TargetError(
                f"{self.store.uri(found.key)} gave {len(data):,} of {size:,} bytes.",
                hint="Run it again; `taxietl lake verify` tells whether the object is whole.",
            )
        return data


def _stopped() -> TargetError:
    return TargetError("Reading was stopped.", hint="Run it again.")


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
