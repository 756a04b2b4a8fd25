"""A real HTTP server on loopback with files to serve, and faults to commit when told to.

with FileServer() as server:
    server.files["/a.csv"] = ServedFile(b"...", etag='"1"')
    server.faults.append(Cut(after=100))      # for the next GET of a body
    ...
    server.requests                           # what was asked, in order
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass
class ServedFile:
    """One file, and how it is offered."""

    content: bytes
    etag: str | None = '"first"'
    last_modified: datetime | None = None
    content_type: str = "application/octet-stream"
    is_chunked: bool = False
    """Sent without a length, in chunks."""

    until_close: bool = False
    """Sent without a length and without chunks: its end is the connection's."""

    has_ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """Answer with that status, instead of the file."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Cut:
    """Close the connection after that many bytes of the body; by a reset if `hard`."""

    after: int
    hard: bool = False


@dataclass(frozen=True)
class Stall:
    """Send nothing more after that many bytes of the body, until the server closes."""

    after: int


@dataclass(frozen=True)
class Announce:
    """Say another length than that of the body, and close after it."""

    length: int


@dataclass(frozen=True)
class Hang:
    """Take the request, and answer nothing until the server closes."""


@dataclass(frozen=True)
class Ignore:
    """Send the whole file, whatever range was asked for."""


@dataclass(frozen=True)
class Shift:
    """Send a part that begins elsewhere than was asked."""

    by: int


Fault = Status | Cut | Stall | Announce | Hang | Ignore | Shift


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


class FileServer:
    """Serves until its block ends."""

    def __init__(self, *, certificate: Path | None = None) -> None:
        self.files: dict[str, ServedFile] = {}
        self.answers: dict[str, Status] = {}
        """By path, or by method and path (`HEAD /a`): always that status; `*` for every path."""

        self.faults: deque[Fault | None] = deque()
        """For the next GETs, one each; None for none."""

        self.head_faults: deque[Fault | None] = deque()
        self.requests: list[Asked] = []
        self.sent_bytes = 0
        self.closing = threading.Event()
        self.connections: list[socket.socket] = []
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.scheme = "https" if certificate else "http"
        self.port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def template(self) -> str:
        """The address under which `put` puts months."""
        return self.url + "/{color}_tripdata_{year}-{month:02}.parquet"

    def put(self, name: str, content: bytes, **options: Any) -> ServedFile:
        file = self.files[f"/{name}"] = ServedFile(content, **options)
        return file

    def asked(self, method: str) -> list[Asked]:
        return [each for each in self.requests if each.method == method]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
        # A client may keep connections, and the next server may get this one's port.
        for connection in self.connections:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what these tests are about."""


def _handler(server: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60
        disable_nagle_algorithm = True  # what is held back when a connection is reset is lost

        def setup(self) -> None:
            super().setup()
            server.connections.append(self.connection)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_HEAD(self) -> None:
            self._note()
            fault = server.head_faults.popleft() if server.head_faults else None
            self._answer(fault)

        def do_GET(self) -> None:
            self._note()
            fault = server.faults.popleft() if server.faults else None
            self._answer(fault)

        def _note(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append(Asked(self.command, self.path, headers))

        def _answer(self, fault: Fault | None) -> None:
            always = (
                server.answers.get(f"{self.command} {self.path}")
                or server.answers.get(self.path)
                or server.answers.get("*")
            )
            if isinstance(fault, Hang):
                server.closing.wait()
                self.close_connection = True
            elif isinstance(fault, Status) or always:
                status = fault if isinstance(fault, Status) else always
                assert status is not None
                self._status(status)
            elif (file := server.files.get(self.path.partition("?")[0])) is None:
                self._status(Status(404, body=b"Not Found"))
            else:
                self._file(file, fault)

        def _status(self, status: Status) -> None:
            self.send_response(status.status)
            for name, value in status.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(status.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(status.body)

        def _file(self, file: ServedFile, fault: Fault | None) -> None:
            first, last = self._range(file, fault)
            if first is None:
                body = file.content
                self.send_response(200)
            elif first >= len(file.content):
                self._status(Status(416, {"Content-Range": f"bytes */{len(file.content)}"}))
                return
            else:
                body = file.content[first : last + 1]
                self.send_response(206)
                shown = first + (fault.by if isinstance(fault, Shift) else 0)
                end = shown + len(body) - 1
                self.send_header("Content-Range", f"bytes {shown}-{end}/{len(file.content)}")
            self._headers(file, fault, body)
            if self.command != "HEAD":
                self._body(file, fault, body)

        def _range(self, file: ServedFile, fault: Fault | None) -> tuple[int | None, int]:
            text = self.headers.get("Range")
            guard = self.headers.get("If-Range")
            end = len(file.content) - 1
            if text is None or not file.has_ranges or isinstance(fault, Ignore):
                return None, end
            if guard is not None and guard != file.etag:
                return None, end
            start, _, stop = text.removeprefix("bytes=").partition("-")
            if not start:
                return max(0, len(file.content) - int(stop)), end
            return int(start), min(int(stop), end) if stop else end

        def _headers(self, file: ServedFile, fault: Fault | None, body: bytes) -> None:
            self.send_header("Content-Type", file.content_type)
            if file.etag is not None:
                self.send_header("ETag", file.etag)
            if file.last_modified is not None:
                self.send_header("Last-Modified", format_datetime(file.last_modified, usegmt=True))
            for name, value in file.headers.items():
                self.send_header(name, value)
            if isinstance(fault, Announce):
                self.send_header("Content-Length", str(fault.length))
                self.close_connection = True
            elif file.is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            elif file.until_close:
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def _body(self, file: ServedFile, fault: Fault | None, body: bytes) -> None:
            if isinstance(fault, Cut | Stall):
                body = body[: fault.after]
            is_chunked = file.is_chunked and not isinstance(fault, Announce)
            for at in range(0, len(body), 16_384):
                piece = body[at : at + 16_384]
                server.sent_bytes += len(piece)
                if is_chunked:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                else:
                    self.wfile.write(piece)
            if isinstance(fault, Cut):
                self._hang_up(hard=fault.hard)
            elif isinstance(fault, Stall):
                server.closing.wait()
                self.close_connection = True
            elif is_chunked:
                self.wfile.write(b"0\r\n\r\n")

        def _hang_up(self, *, hard: bool) -> None:
            self.wfile.flush()
            if hard:  # the kernel then sends a reset
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            self.close_connection = True

    return Handler
