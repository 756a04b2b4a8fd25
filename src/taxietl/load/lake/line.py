"""HTTP lines that another thread can cut, so that nobody waits for an answer in vain.

They are kept between uploads: a handshake with the service costs more than a small object. Each
request goes to the adapter of `requests` directly: what a session would find out for every one of
them (the proxy and certificates of the environment) is asked once a host, and neither redirects,
cookies nor `~/.netrc` are for an upload.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

import taxietl
from taxietl.steps.protocols import Cancellation

_AGENT = f"taxietl/{taxietl.__version__}"


class Line:
    """What one thread at a time sends by; it has at most one connection to a host."""

    def __init__(self) -> None:
        self._adapter = _Adapter()
        self._surroundings: dict[str, dict[str, Any]] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        size_bytes: int,
        timeouts: tuple[float, float],
    ) -> Response:
        """One request, sent once; its answer, read to the end.

        Args:
            size_bytes: of the body.
            timeouts: to connect and for each block of the body; and for the answer.

        Raises:
            requests.RequestException: no answer came.
        """
        request = PreparedRequest()
        request.method, request.url = method, url
        request.headers = CaseInsensitiveDict(
            {"User-Agent": _AGENT, "Content-Length": str(size_bytes), **headers}
        )
        request.body = body
        answer = self._adapter.send(request, timeout=timeouts, **self._around(url))
        answer.content  # noqa: B018  read, so that the connection can be used again
        return answer

    def _around(self, url: str) -> dict[str, Any]:
        """The environment's proxy and certificates for a host."""
        split = urlsplit(url)
        host = f"{split.scheme}://{split.netloc}"
        if host not in self._surroundings:
            with Session() as session:
                self._surroundings[host] = dict(
                    session.merge_environment_settings(host, {}, None, None, None)
                )
        return self._surroundings[host]

    def cut(self) -> None:
        """End its connections, from any thread."""
        for each in list(self._adapter.sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Be done with it."""
        self._adapter.close()


class Lines:
    """Lines at rest, for whoever uploads next."""

    def __init__(self) -> None:
        self._resting: list[Line] = []

    @contextmanager
    def taken(self, cancellation: Cancellation) -> Iterator[Line]:
        """One for this thread alone, which ends as soon as the run is asked to stop."""
        try:
            line = self._resting.pop()
        except IndexError:
            line = Line()
        try:
            with cancellation.on_cancel(line.cut):
                yield line
        except BaseException:
            line.close()
            raise
        self._resting.append(line)


class _Adapter(HTTPAdapter):
    """Knows the socket of each connection it has."""

    def __init__(self) -> None:
        self.sockets: set[socket.socket] = set()
        super().__init__(pool_maxsize=1)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        if not hasattr(pool.ConnectionCls, "noted_in"):
            pool.ConnectionCls = _noted(pool.ConnectionCls, self.sockets)
        return pool


def _noted(kind: Any, sockets: set[socket.socket]) -> Any:
    """That class of connections, whose sockets are noted while they are open."""

    def connect(connection: Any) -> None:
        kind.connect(connection)
        sockets.add(connection.sock)

    def close(connection: Any) -> None:
        sockets.discard(connection.sock)
        kind.close(connection)

    return type("Connection", (kind,), {"connect": connect, "close": close, "noted_in": sockets})
