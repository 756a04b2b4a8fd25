"""An HTTP session that another thread can cut, so that nobody waits for an answer in vain."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from taxietl.steps.protocols import Cancellation

if TYPE_CHECKING:
    from requests import Session


@contextmanager
def open_line(cancellation: Cancellation) -> Iterator[Session]:
    """A session whose connections end as soon as the run is asked to stop."""
    import requests
    from requests.adapters import HTTPAdapter

    sockets: list[socket.socket] = []

    class Adapter(HTTPAdapter):
        """Notes the socket of each connection it makes."""

        def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
            pool = super().get_connection_with_tls_context(*args, **kwargs)
            kind: Any = type(pool).ConnectionCls

            def connect(connection: Any) -> None:
                kind.connect(connection)
                sockets.append(connection.sock)

            pool.ConnectionCls = type("Connection", (kind,), {"connect": connect})
            return pool

    def cut() -> None:
        for each in sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    with requests.Session() as http, cancellation.on_cancel(cut):
        for scheme in ("http://", "https://"):
            http.mount(scheme, Adapter())
        yield http
