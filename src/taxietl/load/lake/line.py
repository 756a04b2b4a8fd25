"""HTTP lines that another thread can cut, so that nobody waits for an answer in vain.

They are kept between uploads: a handshake with the service costs more than a small object.
`requests` says how a host is reached (the proxy and certificates of the environment), once; then
each request goes to urllib3 beneath it, which takes half the time: neither redirects, cookies nor
`~/.netrc` are for an upload.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, Timeout

import taxietl
from taxietl.steps.protocols import Cancellation

_AGENT = f"taxietl/{taxietl.__version__}"


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The document that it is.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.content)


class Line:
    """What one thread at a time sends by; it has at most one connection to a host."""

    def __init__(self) -> None:
        self._adapter = _Adapter()
        self._ways: dict[str, _Way] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        size_bytes: int,
        timeouts: tuple[float, float],
    ) -> Answer:
        """One request, sent once.

        Args:
            size_bytes: of the body.
            timeouts: to connect and for each block of the body; and for the answer.

        Raises:
            urllib3.exceptions.HTTPError: no answer came.
        """
        split = urlsplit(url)
        host = f"{split.scheme}://{split.netloc}"
        if host not in self._ways:
            self._ways[host] = self._adapter.way_to(host)
        way = self._ways[host]
        answer = way.pool.urlopen(
            method,
            way.prefix + url.removeprefix(host),
            body=body,
            headers={"User-Agent": _AGENT, "Content-Length": str(size_bytes), **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=timeouts[0], read=timeouts[1]),
        )
        return Answer(answer.status, answer.headers, answer.data)

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


@dataclass(frozen=True)
class _Way:
    """How a host is reached."""

    pool: HTTPConnectionPool
    prefix: str
    """Of what is asked for: a proxy of plain HTTP is told the host, too."""


class _Adapter(HTTPAdapter):
    """Knows the socket of each connection it has."""

    def __init__(self) -> None:
        self.sockets: set[socket.socket] = set()
        super().__init__(pool_maxsize=1)

    def way_to(self, host: str) -> _Way:
        """By the environment's proxy and with its certificates."""
        with Session() as session:
            found = session.merge_environment_settings(host, {}, None, None, None)
        request = PreparedRequest()
        request.prepare(method="GET", url=f"{host}/")
        pool = self.get_connection_with_tls_context(
            request, found["verify"], proxies=found["proxies"], cert=found["cert"]
        )
        self.cert_verify(pool, host, found["verify"], found["cert"])
        pool.ConnectionCls = _noted(pool.ConnectionCls, self.sockets)
        return _Way(pool, self.request_url(request, found["proxies"]).removesuffix("/"))


def _noted(kind: Any, sockets: set[socket.socket]) -> Any:
    """That class of connections, whose sockets are noted while they are open."""

    def connect(connection: Any) -> None:
        kind.connect(connection)
        sockets.add(connection.sock)

    def close(connection: Any) -> None:
        sockets.discard(connection.sock)
        kind.close(connection)

    return type("Connection", (kind,), {"connect": connect, "close": close})
