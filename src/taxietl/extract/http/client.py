"""Ask a server, read its answer piece by piece, and stop at once when told to.

The asking is done by a thread of its own, since nothing can interrupt a name look-up, a connection
being made or a read that waits: who asked leaves, and the thread ends when the network lets it.
Redirects are followed, but never out of TLS. The only module that knows httpx: it obeys the usual
proxy variables and SSL_CERT_FILE, and has what is needed here since long.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from taxietl.errors import ConfigError, SourceError, TransferError
from taxietl.extract.http.failures import told
from taxietl.steps.protocols import Cancellation
from taxietl.version import __version__

if TYPE_CHECKING:
    import httpx

_CHUNKS_AHEAD = 64
"""Of at most 64 KB each."""

_MAX_REDIRECTS = 10

CONNECTIONS = 4
"""To one server at a time, however many months are fetched side by side."""

_LOOK_SECONDS = 0.1
_places: dict[str, threading.Semaphore] = {}
_places_lock = threading.Lock()


@dataclass(frozen=True)
class Patience:
    """Seconds to wait before giving up."""

    connect: float = 10.0
    """For a connection."""

    stall: float = 30.0
    """For the next byte."""


@dataclass(frozen=True)
class Question:
    """One request; its address is written nowhere but without its query, which may be a token."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What messages call it: the address without its query."""
        return urlunsplit(urlsplit(self.url)._replace(query=""))


class Response:
    """Status and headers, and the body as it comes over the line, not unpacked."""

    def __init__(self, status: int, headers: Mapping[str, str], exchange: _Exchange) -> None:
        self.status, self.headers = status, headers
        self._exchange = exchange

    def chunks(self) -> Iterator[bytes]:
        """The body, once.

        Raises:
            TransferError: it was cut or stalled.
        """
        while chunk := self._exchange.take():
            yield chunk


@contextmanager
def ask(
    question: Question, *, patience: Patience, cancellation: Cancellation
) -> Iterator[Response]:
    """Ask, and let go of the answer when the block ends, whether or not it was read.

    Raises:
        TransferError: no answer this time.
        SourceError: none that another try would change.
        ConfigError: the proxy or the certificates that the environment names cannot be used.
    """
    exchange = _Exchange(question, patience, cancellation)
    with _place(question, cancellation), cancellation.on_cancel(exchange.abandon):
        try:
            exchange.start()
            yield Response(*exchange.head(), exchange)
        finally:
            exchange.abandon()


@contextmanager
def _place(question: Question, cancellation: Cancellation) -> Iterator[None]:
    """One of the few connections that a server is asked over."""
    with _places_lock:
        server = urlsplit(question.url).netloc
        places = _places.setdefault(server, threading.Semaphore(CONNECTIONS))
    while not places.acquire(timeout=_LOOK_SECONDS):
        cancellation.check()
    try:
        yield
    finally:
        places.release()


class _Exchange:
    """A request and its answer, carried out by a thread."""

    def __init__(self, question: Question, patience: Patience, cancellation: Cancellation) -> None:
        self._question, self._patience, self._cancellation = question, patience, cancellation
        self._changed = threading.Condition()
        self._head: tuple[int, Mapping[str, str]] | None = None
        self._chunks: deque[bytes] = deque()
        self._error: Exception | None = None
        self._is_over = self._is_abandoned = False
        self._socket: socket.socket | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name="taxietl-http", daemon=True).start()

    def head(self) -> tuple[int, Mapping[str, str]]:
        """Wait for status and headers."""
        with self._changed:
            self._changed.wait_for(lambda: self._head or self._is_over or self._is_abandoned)
            if self._head is None or self._is_abandoned:
                self._check()
            assert self._head is not None
            return self._head

    def take(self) -> bytes:
        """Wait for the next piece of the body; empty at its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._is_over or self._is_abandoned)
            if self._chunks and not self._is_abandoned:
                self._changed.notify_all()
                return self._chunks.popleft()
            self._check()
            return b""

    def abandon(self) -> None:
        """Wake who waits, and have the thread end."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()
            if self._socket is not None and not self._is_over:
                with suppress(OSError):  # closed already
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _check(self) -> None:
        if self._error is not None and not self._is_abandoned:
            found = told(self._error, self._question.name, stall=self._patience.stall)
            raise found from (self._error if found is not self._error else None)
        if self._is_abandoned:
            self._cancellation.check()
            raise TransferError(f"{self._question.name}: the transfer was given up.")

    def _run(self) -> None:
        """The thread: ask, then read ahead of who takes."""
        error: Exception | None = None
        try:
            response = self._answer()
            try:
                with self._changed:
                    self._head = response.status_code, response.headers
                    self._changed.notify_all()
                self._read(response)
            finally:
                response.close()
        except Exception as caught:  # noqa: BLE001  told to who waits for the answer
            error = caught
        with self._changed:
            self._error, self._is_over = error, True
            self._changed.notify_all()

    def _read(self, response: httpx.Response) -> None:
        if self._question.method != "HEAD":  # whose connection may soon be another exchange's
            with self._changed:
                self._socket = response.extensions["network_stream"].get_extra_info("socket")
        for chunk in response.iter_raw():
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_abandoned or len(self._chunks) < _CHUNKS_AHEAD
                )
                if self._is_abandoned:
                    return
                self._chunks.append(chunk)
                self._changed.notify_all()

    def _answer(self) -> httpx.Response:
        """Follow redirects to the answer that is none."""
        client = _client(os.getpid())
        question, patience = self._question, self._patience
        timeout = {
            "connect": patience.connect,
            "pool": patience.connect,
            "read": patience.stall,
            "write": patience.stall,
        }
        headers = dict(question.headers)
        if question.method != "HEAD":
            headers["Connection"] = "close"  # `abandon` must hit this exchange, and no later one
        request = client.build_request(
            question.method, question.url, headers=headers, extensions={"timeout": timeout}
        )
        for _ in range(_MAX_REDIRECTS):
            response = client.send(request, stream=True)
            following = response.next_request
            if following is None:
                return response
            response.close()
            if request.url.scheme == "https" != following.url.scheme:
                raise SourceError(
                    f"{question.name} leads from https to {following.url.scheme}://"
                    f"{following.url.host}, where anybody could change the file.",
                    hint="Tell whoever runs that server, or name another with --source.",
                )
            request = following
        raise SourceError(
            f"{question.name} leads from one address to the next, {_MAX_REDIRECTS} times and on.",
            hint="Check the address, or name another with --source.",
        )


@functools.cache
def _client(pid: int) -> httpx.Client:  # noqa: ARG001  a connection does not survive a fork
    """The process's one client."""
    import httpx

    # They log addresses as they are, and those that servers redirect to are often signed.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    agent = f"taxietl/{__version__} (python-httpx/{httpx.__version__})"
    try:
        # A packed transfer would have another length, ETag and ranges than the file.
        client = httpx.Client(headers={"User-Agent": agent, "Accept-Encoding": "identity"})
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        raise ConfigError(
            f"The environment's proxy or certificates cannot be used: {type(error).__name__}.",
            hint="Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY (http://HOST:PORT) and "
            "SSL_CERT_FILE (a file of certificates that is there).",
        ) from None
    atexit.register(client.close)
    return client
