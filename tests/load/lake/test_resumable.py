"""A session whose service says odd things; what it does when it fails is in `test_gcs`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
from lakes import Slept

from taxietl.errors import TargetError
from taxietl.load.lake.line import Lines
from taxietl.load.lake.patience import Patience
from taxietl.load.lake.resumable import Transfer
from taxietl.steps.protocols import NEVER, untold

SIZE = 300_000


@contextmanager
def _session(tells_whole: int, asked: list[str]) -> Iterator[str]:
    """One that says so often that it has all, before it says what was made of it."""

    class Session(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Content-Range"])
            body = b"{}" if len(asked) > tells_whole else b""
            self.send_response(200 if body else 308)
            self.send_header("Range", f"bytes=0-{SIZE - 1}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/session"
        finally:
            server.shutdown()
            thread.join()


def _transfer(url: str, path: Path) -> Transfer:
    patience = Patience(attempts=4, sleep=Slept(), rng=Random(1))
    path.write_bytes(b"x" * SIZE)
    return Transfer(url, path, "upload it", patience=patience, cancellation=NEVER, progress=untold)


def test_where_all_has_arrived_it_is_asked_what_was_made_of_it(tmp_path: Path) -> None:
    asked: list[str] = []
    lines = Lines()

    with _session(2, asked) as url:
        assert _transfer(url, tmp_path / "file").run(lines) == {}

    assert asked == [f"bytes 0-{SIZE - 1}/{SIZE}", f"bytes */{SIZE}", f"bytes */{SIZE}"]


def test_a_service_that_has_all_and_makes_nothing_of_it_is_not_asked_for_ever(
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    with (
        _session(99, asked) as url,
        pytest.raises(TargetError, match="has all, and makes no object"),
    ):
        _transfer(url, tmp_path / "file").run(Lines())

    assert asked[1:] == [f"bytes */{SIZE}"] * 4
