"""How a host is reached: directly, or by the environment's proxy.

Directly it is `http.client` that speaks, which for a small object takes half the time of urllib3;
what proxies there are (of plain HTTP, tunnels, TLS, SOCKS) is urllib3's business. Either trusts the
certificates that `requests`, and so Google's client, trusts.
"""

from __future__ import annotations

import json
import socket
import ssl
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import certifi
from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import Timeout
from urllib3.exceptions import HTTPError
from urllib3.util import wait_for_read

NO_ANSWER: tuple[type[Exception], ...] = (HTTPError, HTTPException, OSError)
"""What an exchange raises for which no answer came."""


class Headers(Protocol):
    """Those of an answer, by name in any case."""

    def get(self, name: str, default: str, /) -> str: ...


@dataclass(frozen=True)
class Answer:
    """What came back, read to its end."""

    status_code: int
    headers: Headers
    content: bytes

    def json(self) -> Any:
        """The document that it is.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.content)


class Way(Protocol):
    """To one host, with one connection at most."""

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        timeouts: tuple[float, float],
    ) -> Answer:
        """One request, sent once.

        Args:
            target: path and query.
            headers: the length of the body is among them.
            timeouts: to connect and for each block of the body; and for the answer.

        Raises:
            NO_ANSWER: none came.
        """
        ...

    def cut(self) -> None:
        """End the connection, from any thread."""
        ...

    def close(self) -> None:
        """Be done with it."""
        ...


def way_to(host: str) -> Way:
    """By the environment's proxy, if it has one for the host.

    Args:
        host: `https://storage.googleapis.com`.
    """
    with Session() as session:
        settings = session.merge_environment_settings(host, {}, None, None, None)
    if select_proxy(host, settings["proxies"]):
        return _Proxied(host, settings)
    return _Direct(host, settings["verify"])


class _Direct:
    """See `Way`."""

    def __init__(self, host: str, verify: str | bool) -> None:
        to = urlsplit(host)
        # The port is always said: of an IPv6 address the last part would be taken for it.
        self._connection = (
            HTTPSConnection(to.hostname or "", to.port or 443, context=_trusting(verify))
            if to.scheme == "https"
            else HTTPConnection(to.hostname or "", to.port or 80)
        )
        # Kept beside the connection, which forgets it while a last answer is still read.
        self._socket: socket.socket | None = None
        weakref.finalize(self, self._connection.close)

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        timeouts: tuple[float, float],
    ) -> Answer:
        """See `Way`."""
        try:
            to_send, to_answer = timeouts
            opened = self._opened(to_send)
            # A service may answer, and hang up, before it has read everything.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                self._connection.request(method, target, body, headers)
            opened.settimeout(to_answer)
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except BaseException:
            self._connection.close()
            raise

    def _opened(self, timeout_seconds: float) -> socket.socket:
        """The connection that is there, unless the other side has ended it; else a new one."""
        connection = self._connection
        if connection.sock is not None and wait_for_read(connection.sock, timeout=0):
            connection.close()
        if connection.sock is None:
            connection.timeout = timeout_seconds
            connection.connect()
        self._socket = opened = connection.sock
        opened.settimeout(timeout_seconds)
        return opened

    def cut(self) -> None:
        """See `Way`."""
        _end(self._socket)

    def close(self) -> None:
        """See `Way`."""
        self._connection.close()


@cache
def _trusting(verify: str | bool) -> ssl.SSLContext:
    """Of certificates by those in that file or folder, or by the usual ones."""
    path = verify if isinstance(verify, str) else certifi.where()
    if Path(path).is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


class _Proxied(HTTPAdapter):
    """See `Way`."""

    def __init__(self, host: str, settings: Mapping[str, Any]) -> None:
        super().__init__(pool_maxsize=1)
        self._socket: Any = None
        request = PreparedRequest()
        request.prepare(method="GET", url=f"{host}/")
        proxies, verify, certificate = (settings[each] for each in ("proxies", "verify", "cert"))
        self._pool = self.get_connection_with_tls_context(
            request, verify, proxies=proxies, cert=certificate
        )
        self.cert_verify(self._pool, host, verify, certificate)
        self._pool.ConnectionCls = _noted(self._pool.ConnectionCls, self._note)
        # A proxy of plain HTTP is told the host, too.
        self._prefix = self.request_url(request, proxies).removesuffix("/")

    def exchange(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: Iterable[bytes] | bytes,
        timeouts: tuple[float, float],
    ) -> Answer:
        """See `Way`."""
        answer = self._pool.urlopen(
            method,
            self._prefix + target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=timeouts[0], read=timeouts[1]),
        )
        return Answer(answer.status, answer.headers, answer.data)

    def cut(self) -> None:
        """See `Way`."""
        _end(self._socket)

    def close(self) -> None:
        """See `Way`."""
        self._pool.close()  # the adapter's own only forgets it

    def _note(self, opened: Any) -> None:
        self._socket = opened


def _noted(kind: Any, note: Callable[[Any], None]) -> Any:
    """That class of connections; each socket is noted when it is open."""

    def connect(connection: Any) -> None:
        kind.connect(connection)
        note(connection.sock)

    return type("Connection", (kind,), {"connect": connect})


def _end(connected: Any) -> None:
    """Whoever waits at it waits no more.

    Args:
        connected: a socket, or what urllib3 has for TLS inside a proxy's TLS; None for none.
    """
    if connected is not None:
        with suppress(OSError):
            # Not TLS's own: that one first forgets to encrypt what another thread still sends.
            socket.socket.shutdown(getattr(connected, "socket", connected), socket.SHUT_RDWR)
