"""How a host is reached: kept connections, early answers, certificates, proxies."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from certificates import Certificate, certificate_for
from gcs import Gcs

from taxietl.load.lake.line import Line
from taxietl.load.lake.ways import NO_ANSWER, Answer, _Direct, way_to

ListeningTls = Callable[[Callable[[socket.socket], None]], AbstractContextManager[str]]
ANSWER = b"HTTP/1.1 412 Precondition Failed\r\nX-Told: yes\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address where each connection, one after the other, is served so, then closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with suppress(OSError):  # closed: the test is over
                while True:
                    connected, _ = server.accept()
                    connected.settimeout(60)
                    # What is not sent when a connection is closed unread will not be.
                    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with connected, suppress(OSError):
                        serve(connected)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _read_head(connected: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read:
        more = connected.recv(1)
        if not more:
            break
        read += more
    return read


def _send(line: Line, url: str, body: bytes = b"") -> Answer:
    return line.send(
        "POST", f"{url}/a?b=c", headers={}, body=body, size_bytes=len(body), timeouts=(30, 30)
    )


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


def test_an_answer_is_read_to_its_end(line: Line) -> None:
    asked: list[bytes] = []

    def serve(connected: socket.socket) -> None:
        asked.append(_read_head(connected))
        connected.sendall(ANSWER)

    with _listening(serve) as url:
        answer = _send(line, url)

    assert (answer.status_code, answer.content, answer.json()) == (412, b"{}", {})
    assert answer.headers.get("x-told", "") == "yes"
    assert asked[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"\r\nUser-Agent: taxietl/" in asked[0]


def test_a_connection_that_the_other_side_ended_meanwhile_is_made_anew(line: Line) -> None:
    ended = threading.Semaphore(0)

    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(ANSWER)  # and it is kept, for all the answer says
        connected.shutdown(socket.SHUT_RDWR)
        ended.release()

    with _listening(serve) as url:
        for _ in range(3):
            assert _send(line, url).status_code == 412
            assert ended.acquire(timeout=30)


def test_an_answer_that_comes_before_all_was_sent_is_taken(line: Line) -> None:
    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(ANSWER)

    with _listening(serve) as url:
        assert _send(line, url, b"x" * 5_000_000).status_code == 412


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
def test_what_is_no_whole_answer_is_none(line: Line, said: bytes) -> None:
    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(said)

    with _listening(serve) as url, pytest.raises(NO_ANSWER):
        _send(line, url)


def test_after_what_was_no_answer_the_next_request_is_sent(line: Line) -> None:
    said = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", ANSWER]

    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(said.pop(0))

    with _listening(serve) as url:
        with pytest.raises(NO_ANSWER):
            _send(line, url)
        assert _send(line, url).status_code == 412


def test_an_answer_that_is_the_last_of_its_connection_can_be_cut(line: Line) -> None:
    answering = threading.Event()

    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nx")
        answering.set()
        connected.recv(1)

    def cut() -> None:
        answering.wait(30)
        while cutting.is_set():
            line.cut()

    cutting = threading.Event()
    cutting.set()
    cutter = threading.Thread(target=cut)
    cutter.start()
    with _listening(serve) as url:
        begun = time.monotonic()
        with pytest.raises(NO_ANSWER):
            _send(line, url)
    cutting.clear()
    cutter.join()
    assert time.monotonic() - begun < 10  # and not when it had been silent for too long


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443)])
def test_an_ipv6_host_needs_no_port(scheme: str, port: int) -> None:
    way = way_to(f"{scheme}://[2001:db8::1]")

    assert isinstance(way, _Direct)
    assert (way._connection.host, way._connection.port) == ("2001:db8::1", port)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_for("localhost", tmp_path_factory.mktemp("ways") / "tls")


@pytest.fixture
def secure(certificate: Certificate) -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving(certificate=(certificate.certificate, certificate.key)):
        yield service


def _asked(line: Line, service: Gcs) -> int:
    return line.send(
        "GET",
        f"{service.url}/storage/v1/b/lake",
        headers={},
        body=b"",
        size_bytes=0,
        timeouts=(30, 30),
    ).status_code


def test_a_service_whose_certificate_nobody_trusts_is_told_nothing(line: Line, secure: Gcs) -> None:
    with pytest.raises(NO_ANSWER, match="CERTIFICATE"):
        _asked(line, secure)

    assert secure.seen == []


def test_the_environment_says_whose_certificates_to_trust(
    line: Line, secure: Gcs, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))

    assert _asked(line, secure) == 200


@pytest.fixture
def listening_tls(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> ListeningTls:
    """As `_listening`, over TLS that is trusted."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)

    @contextmanager
    def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
        def secured(connected: socket.socket) -> None:
            with context.wrap_socket(connected, server_side=True) as secure:
                serve(secure)

        with _listening(secured) as url:
            yield url.replace("http://127.0.0.1", "https://localhost")

    return listening


def test_over_tls_too_an_answer_that_comes_before_all_was_sent_is_taken(
    line: Line, listening_tls: ListeningTls
) -> None:
    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.sendall(ANSWER)

    with listening_tls(serve) as url:
        assert _send(line, url, b"x" * 5_000_000).status_code == 412


def _cutting(line: Line) -> Iterator[bytes]:
    yield b"x"
    line.cut()
    yield b"x"


def test_what_is_sent_over_tls_is_never_plain_when_it_is_cut(
    line: Line, listening_tls: ListeningTls
) -> None:
    def serve(connected: socket.socket) -> None:
        _read_head(connected)
        connected.recv(100)

    with listening_tls(serve) as url:
        way = line._ways[url] = way_to(url)
        assert isinstance(way, _Direct)

        def body() -> Iterator[bytes]:
            yield b"x"
            line.cut()
            assert isinstance(way._socket, ssl.SSLSocket)
            versions.append(way._socket.version())  # None for one that does not encrypt any more
            yield b"x"

        versions: list[str | None] = []
        with pytest.raises(NO_ANSWER):
            line.send("PUT", url, headers={}, body=body(), size_bytes=2, timeouts=(30, 30))

    assert versions == ["TLSv1.3"]


def _through(connected: socket.socket) -> None:
    """A proxy's tunnel to where it is asked for.

    By one thread: of one TLS connection two at a time may not make use.
    """
    method, target, _ = _read_head(connected).decode().split(" ", 2)
    assert method == "CONNECT"
    host, port = target.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as beyond:
        connected.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        to = {connected: beyond, beyond: connected}
        while True:
            decrypted = isinstance(connected, ssl.SSLSocket) and connected.pending()
            readable = [connected] if decrypted else select.select([*to], [], [])[0]
            for source in readable:
                data = source.recv(65536)
                if not data:
                    return
                to[source].sendall(data)


def test_a_proxy_is_asked_for_a_tunnel_to_what_speaks_tls(
    line: Line, secure: Gcs, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.certificate))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    tunnels: list[str] = []

    def serve(connected: socket.socket) -> None:
        tunnels.append("opened")
        _through(connected)

    with _listening(serve) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        assert [_asked(line, secure), _asked(line, secure)] == [200, 200]
        line.close()

    assert tunnels == ["opened"]


def test_a_tunnel_through_a_proxy_that_speaks_tls_itself_can_be_cut(
    line: Line, secure: Gcs, listening_tls: ListeningTls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with listening_tls(_through) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        assert _asked(line, secure) == 200
        with pytest.raises(NO_ANSWER):
            line.send(
                "POST",
                f"{secure.url}/upload/storage/v1/b/lake/o?uploadType=multipart",
                headers={},
                body=_cutting(line),
                size_bytes=2,
                timeouts=(30, 30),
            )
        line.close()


def test_a_folder_of_certificates_will_do(
    line: Line,
    secure: Gcs,
    certificate: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate.certificate],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (tmp_path / f"{hashed}.0").write_bytes(certificate.certificate.read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))

    assert _asked(line, secure) == 200
