"""Servers that cannot be reached, or must not be trusted; and a client that is asked to leave."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from file_server import FileServer, Hang, Status

from taxietl.errors import Cancelled, SourceError, TaxietlError, TransferError
from taxietl.extract.http import Http
from taxietl.extract.http.client import Patience
from taxietl.extract.http.failures import told
from taxietl.orchestrator import Cancellation
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

JANUARY = TripFile("green", 2021, 1)


def probed(address: str, **options: object) -> TaxietlError:
    with pytest.raises(SourceError) as error:
        Http(address, address).probe(JANUARY, **options)  # type: ignore[arg-type]
    return error.value


def is_worth_another_try(error: TaxietlError) -> bool:
    assert error.exit_code == 3
    assert error.hint
    return isinstance(error, TransferError)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signed itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl on this machine to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", "key.pem", "-out", "own.pem", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    with (folder / "own.pem").open("a") as file:
        file.write((folder / "key.pem").read_text())
    return folder / "own.pem"


class TestTls:
    def test_to_a_server_that_does_not_speak_it_is_told(self, server: FileServer) -> None:
        error = probed(server.url.replace("http:", "https:") + "/a.csv")

        assert "no TLS connection" in error.message
        assert not is_worth_another_try(error)

    def test_with_a_certificate_nobody_vouches_for_is_refused(self, certificate: Path) -> None:
        with FileServer(certificate=certificate) as server:
            error = probed(f"{server.url}/a.csv")

        assert "certificate is not trusted: self" in error.message
        assert "SSL_CERT_FILE" in error.hint
        assert not is_worth_another_try(error)

    def test_with_a_certificate_named_by_the_environment_works(
        self, certificate: Path, tmp_path: Path
    ) -> None:
        with FileServer(certificate=certificate) as server:
            server.put("a.csv", b"VendorID\r\n")
            seen = probe_elsewhere(f"{server.url}/a.csv", SSL_CERT_FILE=str(certificate))

        assert seen == "SourceVersion 10"

    def test_that_leads_out_of_itself_is_refused(
        self, certificate: Path, server: FileServer
    ) -> None:
        server.put("a.csv", b"VendorID\r\n")
        with FileServer(certificate=certificate) as safe:
            safe.answers["*"] = Status(302, {"Location": f"{server.url}/a.csv?signed=hunter2"})
            seen = probe_elsewhere(f"{safe.url}/a.csv", SSL_CERT_FILE=str(certificate))

        assert seen.startswith("SourceError")
        assert "leads from https to http://127.0.0.1" in seen
        assert "hunter2" not in seen
        assert server.requests == []


class TestTheEnvironment:
    def test_names_a_proxy_that_is_used(self, server: FileServer) -> None:
        server.answers["*"] = Status(200, {"ETag": '"proxied"'}, b"VendorID")
        seen = probe_elsewhere(
            "http://taxi.invalid/a.csv", HTTP_PROXY=server.url, NO_PROXY="example.org"
        )

        assert seen == "SourceVersion 8"
        assert server.requests[0].path == "http://taxi.invalid/a.csv"

    @pytest.mark.parametrize(
        "variables",
        [{"HTTP_PROXY": "gopher://me:hunter2@x"}, {"SSL_CERT_FILE": "/nowhere/hunter2"}],
        ids=["proxy", "certificates"],
    )
    def test_that_cannot_be_used_is_told(self, variables: dict[str, str]) -> None:
        seen = probe_elsewhere("http://taxi.invalid/a.csv", **variables)

        assert seen.startswith("ConfigError")
        assert "HTTPS_PROXY" in seen
        assert "SSL_CERT_FILE" in seen
        assert "hunter2" not in seen


PROBE = """
import sys
from taxietl.errors import TaxietlError
from taxietl.extract.http import Http
from taxietl.tlc.trip_file import TripFile

try:
    version = Http(sys.argv[1], sys.argv[1]).probe(TripFile("green", 2021, 1))
    print(type(version).__name__, version.size_bytes)
except TaxietlError as error:
    print(type(error).__name__, error.message, error.hint)
"""


def probe_elsewhere(address: str, **variables: str) -> str:
    """What a process with these variables says of an address: the client reads them once."""
    clean = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, address],
        env=clean | variables,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def caused(error: httpx.TransportError, cause: BaseException) -> httpx.TransportError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "said", "again"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "there is no host of that name", False),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "cannot be looked up now", True),
        (OSError(101, "Network is unreachable"), "no network leads there", True),
        (ConnectionRefusedError(111, "x"), "nobody answers at that port", True),
        (OSError(5, "x"), "no connection", True),
        (ssl.SSLCertVerificationError(1, "x"), "is not trusted", False),
    ],
)
def test_why_there_is_no_connection_is_told_in_words(
    cause: OSError, said: str, again: bool
) -> None:
    if isinstance(cause, ssl.SSLCertVerificationError):
        cause.verify_message = "expired"
    error = told(caused(httpx.ConnectError("x"), cause), "https://taxi.invalid/a.csv", stall=1)

    assert said in error.message
    assert is_worth_another_try(error) is again


@pytest.mark.parametrize(
    ("raised", "said", "again"),
    [
        (httpx.ConnectTimeout("x"), "no connection in time", True),
        (httpx.ReadTimeout("x"), "no byte came for 1 s", True),
        (httpx.ReadError("x"), "was cut", True),
        (httpx.RemoteProtocolError("x"), "was cut", True),
        (httpx.ProxyError("x"), "the proxy refuses", False),
        (httpx.UnsupportedProtocol("x"), "cannot be asked for", False),
        (ValueError("x"), "cannot be asked for", False),
    ],
)
def test_other_troubles_are_told_in_words(raised: Exception, said: str, again: bool) -> None:
    error = told(raised, "https://taxi.invalid/a.csv", stall=1)

    assert said in error.message
    assert is_worth_another_try(error) is again


class TestARequestToStop:
    def test_ends_the_wait_for_an_answer_at_once(self, server: FileServer) -> None:
        server.head_faults.append(Hang())
        cancellation = Cancellation()
        asked_at: list[float] = []

        def ask_to_stop() -> None:
            while not server.requests:
                time.sleep(0.001)
            asked_at.append(time.monotonic())
            cancellation.request("enough")

        thread = threading.Thread(target=ask_to_stop)
        thread.start()
        address = f"{server.url}/a.csv"
        with pytest.raises(Cancelled):
            Http(address, address, Patience(stall=60)).probe(JANUARY, cancellation=cancellation)
        thread.join()

        assert time.monotonic() - asked_at[0] < 10  # of 60, and it takes some milliseconds

    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
    def test_by_a_signal_ends_the_command_with_its_code(
        self, server: FileServer, tmp_path: Path, sent: signal.Signals
    ) -> None:
        server.head_faults.append(Hang())
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "taxietl", "--home", str(tmp_path)),
                *("ingest", "--color", "green", "--year", "2021", "--month", "1"),
                *("--source", f"{server.url}/a.parquet"),
            ],
            stderr=subprocess.DEVNULL,
            env=os.environ | {"NO_PROXY": "127.0.0.1"},
        )
        while not server.requests:
            assert process.poll() is None
            time.sleep(0.01)
        begun = time.monotonic()
        process.send_signal(sent)

        assert process.wait(20) == 128 + sent
        assert time.monotonic() - begun < 10  # and not the 30 s of a stall
