"""A webhook and a mail server on loopback, which keep what they are sent."""

from __future__ import annotations

import email
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook(ThreadingHTTPServer):
    """Takes JSON by POST, and pings by GET."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.messages: list[dict[str, Any]] = []
        self.pings: list[str] = []
        self.status = 200

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self._answer()

    def do_GET(self) -> None:
        self.server.pings.append(self.path)
        self._answer()

    def _answer(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *given: object) -> None:
        pass


class Mail(socketserver.ThreadingTCPServer):
    """Takes mail by SMTP, with any password."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[tuple[str, str]] = []
        """Subjects and texts."""

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: Mail

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline().strip():
            match line.split()[0].upper():
                case b"EHLO":
                    self._say("250-loopback\r\n250 AUTH PLAIN")
                case b"AUTH":
                    self._say("235 welcome")
                case b"DATA":
                    self._say("354 go on")
                    self._keep()
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 fine")

    def _keep(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        mail = email.message_from_bytes(b"".join(lines), policy=policy.default)
        text = mail.get_body(("plain", "html"))
        assert text is not None
        self.server.mails.append((mail["Subject"], text.get_content()))
        self._say("250 kept")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def serving(server: Any) -> Iterator[Any]:
    """The server, answering until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
