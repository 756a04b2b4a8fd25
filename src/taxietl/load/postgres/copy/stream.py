"""Send blocks of bytes by COPY while a thread of their own makes the next ones.

Encoding and all before it go on while the connection sends. The queue between is bounded, so
memory is too. An error on either side ends the other, and comes out as itself.
"""

from __future__ import annotations

import queue
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psycopg2  # noqa: TID253  imported only where rows are sent to PostgreSQL
from psycopg2.extensions import connection as Connection  # noqa: N812, TID253
from psycopg2.extensions import cursor as Cursor  # noqa: N812, TID253

from taxietl.errors import TargetError
from taxietl.load.postgres.copy.encode import Block

READ_BYTES = 1 << 20
"""What psycopg2 asks for at a time: a block in one piece."""

BLOCKS_AHEAD = 8
WAIT_SECONDS = 0.1
"""How soon either side sees that the other has gone, or that the run is to stop."""


def copy_rows(
    cursor: Cursor, statement: str, blocks: Iterable[Block], *, check: Callable[[], None]
) -> None:
    """Run a `COPY … FROM STDIN` fed with the blocks.

    Args:
        cursor: of a connection in a transaction, which is the caller's to end.
        statement: the COPY.
        blocks: iterated in another thread.
        check: called before each block is sent and while one is waited for; raises to stop.

    Raises:
        psycopg2.Error: the server refused, or is gone.
        TargetError: the server answered before all was sent, and not with an error.

    What the blocks or the check raise comes out as it is.
    """

    def is_refused() -> bool:
        return _has_failed(cursor.connection)

    with _first_error(), Readable(blocks, check=check, is_refused=is_refused) as rows:
        # The stubs want `readline` too, which psycopg2 never calls.
        cursor.copy_expert(statement, rows, size=READ_BYTES)  # type: ignore[arg-type]
    if rows.was_cut:
        raise TargetError(
            "The server answered in the middle of the rows; not all were sent.",
            hint="Nothing was loaded. The server's log may say more; then run it again.",
        )


class Readable:
    """A file of the blocks, to be read once, inside `with`.

    psycopg2 only quotes an error of `read`; leaving the `with` raises the error itself.
    """

    def __init__(
        self,
        blocks: Iterable[Block],
        *,
        check: Callable[[], None],
        is_refused: Callable[[], bool] = lambda: False,
    ) -> None:
        """See `copy_rows`; `is_refused` says that reading on is in vain."""
        self.was_cut = False
        """Whether it ended early because of `is_refused`."""
        self._blocks = blocks
        self._check = check
        self._is_refused = is_refused
        self._waiting: queue.Queue[Block | None] = queue.Queue(BLOCKS_AHEAD)
        self._rest: Block = b""
        self._is_done = False
        self._stopped = threading.Event()
        self._failure: BaseException | None = None
        """What ended the blocks."""
        self._raised: BaseException | None = None
        """What `read` raised: that, or the check's."""
        self._thread = threading.Thread(target=self._fill, name="taxietl-encode", daemon=True)

    def __enter__(self) -> Readable:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        if self._raised is not None and error is not self._raised:
            raise self._raised from None

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, all of a block without one; b"" after the last."""
        try:
            while not self._rest and self._next():
                pass
        except BaseException as error:
            self._raised = error
            raise
        taken = self._rest
        if 0 <= size < len(taken):
            taken, self._rest = taken[:size], memoryview(taken)[size:]
        else:
            self._rest = b""
        return taken if isinstance(taken, bytes) else bytes(taken)

    def _next(self) -> bool:
        """Wait for the next block; False after the last."""
        while not self._is_done:
            self._check()
            if self._is_refused():
                self._is_done = self.was_cut = True
                break
            try:
                block = self._waiting.get(timeout=WAIT_SECONDS)
            except queue.Empty:
                continue
            if block is not None:
                self._rest = block
                return True
            self._is_done = True
            if self._failure is not None:
                raise self._failure
        return False

    def _fill(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    return
        except BaseException as error:  # noqa: BLE001  raised again where it is read
            self._failure = error
        self._put(None)

    def _put(self, block: Block | None) -> bool:
        """Put unless the reader has gone; False then."""
        while not self._stopped.is_set():
            try:
                self._waiting.put(block, timeout=WAIT_SECONDS)
            except queue.Full:
                continue
            return True
        return False


def _has_failed(connection: Connection) -> bool:
    """Whether the server has answered with an error while rows are still being sent.

    libpq would go on sending, and the server throwing away, to the stream's end. Not always seen:
    not under TLS, nor when libpq has read the answer already; the error then comes at the end.
    """
    if connection.info.ssl_in_use:
        return False
    peeking = socket.socket(fileno=connection.fileno())
    try:
        return peeking.recv(1, socket.MSG_PEEK) == b"E"  # ErrorResponse; libpq's never block
    except OSError:
        return False
    finally:
        peeking.detach()


@contextmanager
def _first_error() -> Generator[None, None, None]:
    """Raise the first of a COPY's errors, where psycopg2 raises the last.

    A server that ends the connection sends its reason, then libpq adds that it is gone. psycopg2
    (2.9) raises the latter, and prints the former by way of `sys.excepthook`, in a SystemError
    that it comes by in between.
    """
    with _PRINTED.caught() as printed:
        try:
            yield
        except psycopg2.Error:
            for error in printed:
                if isinstance(error.__cause__, psycopg2.Error):
                    raise error.__cause__ from None
            raise


class _PrintedErrors:
    """Keeps `sys.excepthook` from printing psycopg2's errors, in the threads that ask for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before: Any = None
        self._thread = threading.local()

    @contextmanager
    def caught(self) -> Generator[list[BaseException], None, None]:
        """Gather this thread's errors."""
        with self._lock:
            if not self._users:
                self._before, sys.excepthook = sys.excepthook, self._hook
            self._users += 1
        caught: list[BaseException] = []
        self._thread.caught = caught
        try:
            yield caught
        finally:
            del self._thread.caught
            with self._lock:
                self._users -= 1
                if not self._users and sys.excepthook == self._hook:
                    sys.excepthook = self._before

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        caught = getattr(self._thread, "caught", None)
        if caught is not None and isinstance(error, SystemError):
            caught.append(error)
        else:
            self._before(kind, error, trace)


_PRINTED = _PrintedErrors()
