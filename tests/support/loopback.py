"""What the stand-ins of Google's services have in common: real HTTP, and faults on order."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str = "invalid",
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason
        self.retry_after = retry_after


@dataclass
class Fault:
    """What goes wrong with some request, once or `times` times.

    One of: an answer of that `status`; the connection `reset` after so many bytes of the body;
    a `stall` (nothing is read or answered); the request is done and its `answer` lost; the
    session is `gone`; the answer names a wrong checksum (`lies`).
    """

    on: str
    status: int | None = None
    reason: str = "backendError"
    message: str = "planned"
    retry_after: int | None = None
    reset_after: int | None = None
    stall: bool = False
    lose_answer: bool = False
    gone: int | None = None
    lies: bool = False
    until: threading.Event | None = None
    """Nothing goes wrong, but it waits for that."""

    after: int = 0
    """How many such requests pass before."""

    times: int = 1


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    kind: str
    path: str
    authorization: str | None
    content_range: str | None
    size: int
    range: str | None = None
    """The bytes that were asked for: `bytes=0-9`."""


class Service:
    """What it saw, who is let in, and what is to go wrong."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.token: str | None = None
        """What a request must carry; None lets everybody in."""

        self.granted: str | None = None
        """What an account is given that asks for a token; None for the one that is needed."""

        self.denied: set[str] = set()
        """Permissions that nobody has here."""

        self.connections = 0
        """That were made to it."""

        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.url = ""

    def handler(self) -> type[Handler]:
        """What answers."""
        raise NotImplementedError

    def fail(self, on: str, **how: Any) -> None:
        """Plan a fault."""
        self.faults.append(Fault(on, **how))

    def kinds(self) -> list[str]:
        """What was asked for, in order."""
        return [each.kind for each in self.seen]

    def fault(self, kind: str) -> Fault | None:
        """What goes wrong with this request."""
        with self.lock:
            for fault in self.faults:
                if fault.on != kind:
                    continue
                if fault.after:
                    fault.after -= 1
                    return None
                if fault.times:
                    fault.times -= 1
                    return fault
        return None

    @contextmanager
    def serving(self, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Self]:
        """Answer on a free port while the block runs; over TLS with a certificate and its key."""
        server = _Server(("127.0.0.1", 0), self.handler())
        server.service = self
        self.url = f"http://127.0.0.1:{server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            self.url = f"https://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            server.shutdown()
            thread.join()
            server.close_all()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    service: Service

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.service.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)

    def close_all(self) -> None:
        """End every connection, so that no thread outlives the test."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no matter."""


class Cut(Exception):
    """The connection is to end here."""


class Done(Exception):
    """The request was answered."""


class Handler(BaseHTTPRequestHandler):
    """Answers one kind of request by the method of that name: `object.get` by `_object_get`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _unread = 0

    def kind(self, path: str) -> tuple[str, tuple[str, ...]]:
        """What is asked for, and of what."""
        raise NotImplementedError

    def is_open(self, kind: str) -> bool:
        """Whether that needs no token."""
        return kind == "token"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _handle(self) -> None:
        service = self.server.service
        split = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self._unread = int(self.headers.get("Content-Length") or 0)
        kind, arguments = self.kind(split.path)
        service.seen.append(
            Seen(
                kind, self.path, self.headers.get("Authorization"),
                self.headers.get("Content-Range"), self._unread, self.headers.get("Range"),
            )
        )  # fmt: skip
        self.fault = service.fault(kind)
        try:
            self.allowed(kind, arguments)
        except Done:
            pass
        except Cut:
            self._cut()

    def allowed(self, kind: str, arguments: tuple[str, ...]) -> None:
        """Do what is asked for; what is refused is said."""
        try:
            self.before(kind, arguments)
            getattr(self, "_" + kind.replace(".", "_"))(*arguments)
        except Refused as refused:
            self._refuse(refused)

    def before(self, kind: str, arguments: tuple[str, ...]) -> None:
        """What goes wrong before the request is looked at, and who is not let in."""
        service, fault = self.server.service, self.fault
        if fault and fault.stall:
            service.closing.wait()
            raise Cut
        if fault and fault.until:
            fault.until.wait(60)
        if fault and fault.status:
            self._body()
            raise Refused(fault.status, fault.message, fault.reason, retry_after=fault.retry_after)
        told = self.headers.get("Authorization")
        if service.token and not self.is_open(kind) and told != f"Bearer {service.token}":
            self._body()
            raise Refused(401, "Invalid Credentials", "authError")

    def _token(self) -> None:
        asked = parse_qs(self._body().decode())
        if not asked.get("assertion"):
            raise Refused(400, "no assertion")
        service = self.server.service
        self._answer(200, {"access_token": service.granted or service.token, "expires_in": 3600})

    def _body(self, size: int | None = None) -> bytes:
        size = self._unread if size is None else min(size, self._unread)
        data = self.rfile.read(size)
        self._unread -= len(data)
        if len(data) < size:
            raise Cut
        return data

    def _refuse(self, refused: Refused) -> None:
        error = {"reason": refused.reason, "domain": "global", "message": refused.message}
        document = {
            "error": {"code": refused.status, "message": refused.message, "errors": [error]}
        }
        if self.path == "/token":
            document = {"error": refused.reason, "error_description": refused.message}  # type: ignore[dict-item]
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if refused.retry_after is not None:
            headers["Retry-After"] = str(refused.retry_after)
        with suppress(Done):
            self._body()  # else what is left of it would be taken for the next request
            self._send(refused.status, headers, json.dumps(document).encode())

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        self._send(status, headers, json.dumps(document).encode())

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, *, cut_after: int | None = None
    ) -> None:
        """Answer, and be done with the request."""
        if self.fault and self.fault.lose_answer:
            raise Cut
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut_after])
        if cut_after is not None:
            raise Cut
        raise Done

    def _cut(self) -> None:
        """End the connection without an answer, as a broken line does."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
