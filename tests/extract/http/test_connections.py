"""A server is asked over a few connections at a time, however many months are wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from taxietl.extract.http.client import CONNECTIONS, Patience, Question, ask
from taxietl.steps.protocols import NEVER


class _Counting(BaseHTTPRequestHandler):
    at_once = most = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        kind = type(self)
        with kind.lock:
            kind.at_once += 1
            kind.most = max(kind.most, kind.at_once)
        time.sleep(0.05)
        with kind.lock:
            kind.at_once -= 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Counting)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_server_is_asked_over_few_connections_at_a_time(server: ThreadingHTTPServer) -> None:
    url = f"http://127.0.0.1:{server.server_address[1]}/file"

    def status(_: int) -> int:
        with ask(Question("GET", url), patience=Patience(), cancellation=NEVER) as answer:
            return answer.status

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(status, range(12))) == {200}

    assert 1 < _Counting.most <= CONNECTIONS
