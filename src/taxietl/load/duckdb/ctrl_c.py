"""Hear a Ctrl-C outside a run, whatever DuckDB is at; within one the run's own handler does.

Python raises it in the main thread, once that is back from DuckDB; raised in what DuckDB calls, to
read a stream for one, it would become an error of DuckDB's, or be lost. So a thread hears it, too.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_AGAIN_SECONDS = 0.1


@contextmanager
def heard_ctrl_c(interrupt: Callable[[], object]) -> Iterator[None]:
    """Have a Ctrl-C in the block end what DuckDB is at, and come out as itself.

    Args:
        interrupt: ends a statement, from any thread; called until the block is left, since between
            two statements nothing hears it.

    Raises:
        KeyboardInterrupt: also where the block went on, or made another error of it.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    is_asked = threading.Event()
    hearing, telling = socket.socketpair()
    with hearing, telling:
        listener = threading.Thread(
            target=_hear, args=(hearing, is_asked, interrupt), name="taxietl-ctrl-c", daemon=True
        )
        listener.start()
        telling.setblocking(False)
        before = signal.set_wakeup_fd(telling.fileno())
        try:
            yield
        except Exception:
            if is_asked.is_set():
                raise KeyboardInterrupt from None
            raise
        finally:
            signal.set_wakeup_fd(before)
            telling.shutdown(socket.SHUT_WR)
            listener.join()
    if is_asked.is_set():
        raise KeyboardInterrupt


def _hear(
    hearing: socket.socket, is_asked: threading.Event, interrupt: Callable[[], object]
) -> None:
    """Until the other end is shut; the bytes that come are numbers of signals."""
    while heard := hearing.recv(1):
        if heard[0] == signal.SIGINT:
            is_asked.set()
            hearing.settimeout(_AGAIN_SECONDS)
            break
    while is_asked.is_set():
        interrupt()
        with suppress(TimeoutError):
            if not hearing.recv(1):
                return
