"""The process of the dashboard: how it is started, where it listens, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Run, flow
from taxietl.orchestrator.store.dashboards import announced, dashboard_address
from taxietl.ui.server import is_loopback, names_of, serve


@pytest.fixture
def started(
    home: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A dashboard as a user starts it, and the link that it prints."""
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "ui", "--port", "0"]
    command += getattr(request, "param", [])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def has_ipv6() -> bool:
    """Whether this machine has IPv6's loopback address; some containers have none."""
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "started",
    [
        pytest.param([], id="IPv4"),
        pytest.param(
            ["--host", "::1"],
            id="IPv6",
            marks=pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here"),
        ),
    ],
    indirect=True,
)
def test_the_link_that_is_printed_opens_the_dashboard(
    started: tuple[subprocess.Popen[str], str], home: Path
) -> None:
    process, link = started
    address, _, token = link.partition("/?token=")

    with httpx.Client(follow_redirects=True) as client:
        assert client.get(f"{address}/runs").status_code == 401
        page = client.get(link)
        assert (page.status_code, str(page.url)) == (200, f"{address}/")
        assert "server" not in page.headers
        assert client.get(f"{address}/runs").status_code == 200
    assert (home / "ui.token").read_text().strip() == token
    assert dashboard_address(home) == address

    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - before < 3
    assert dashboard_address(home) is None


def test_it_ends_at_once_and_in_silence_whoever_looks(
    started: tuple[subprocess.Popen[str], str],
) -> None:
    process, link = started
    address, _, token = link.partition("/?token=")
    bearer = {"authorization": f"Bearer {token}"}

    with httpx.stream("GET", f"{address}/live", headers=bearer, timeout=10) as stream:
        assert next(stream.iter_lines()) == "event: changed"
        process.send_signal(signal.SIGINT)
        before = time.monotonic()
        assert process.wait(10) == 0

    assert time.monotonic() - before < 3
    assert process.stderr
    assert process.stderr.read() == "Open that link. Ctrl-C ends the dashboard; runs go on.\n"


def test_a_home_has_one_dashboard(started: tuple[subprocess.Popen[str], str], home: Path) -> None:
    _, link = started

    second = subprocess.run(
        [sys.executable, "-m", "taxietl", "--home", str(home), "ui", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert second.returncode == 75
    assert f"hint: Open {link.partition('/?')[0]}" in second.stderr


def test_what_a_dashboard_that_was_killed_leaves_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "ui.lock").write_text("http://127.0.0.1:4280")

    assert dashboard_address(tmp_path) is None
    with announced(tmp_path, "http://127.0.0.1:1") as is_first:
        assert is_first
        assert dashboard_address(tmp_path) == "http://127.0.0.1:1"
    assert not (tmp_path / "ui.lock").exists()


def refused(home: Path, **options: object) -> ConfigError:
    settings = load_settings(home=home)
    given = {"host": "127.0.0.1", "port": 0, "with_token": True, **options}
    with pytest.raises(ConfigError) as error:
        serve(
            settings,
            options=(),
            folders=(),
            read_settings=lambda: settings,
            ready=lambda _link: pytest.fail("it is up"),
            **given,  # type: ignore[arg-type]
        )
    return error.value


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_no_token_is_for_this_machine_alone(home: Path, host: str) -> None:
    error = refused(home, host=host, with_token=False)

    assert str(error) == f"Without a token, all who reach {host} would see the history."


def test_a_port_that_is_taken_is_named(home: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused(home, port=port)

    assert f"127.0.0.1 port {port}" in str(error)
    assert "--port" in error.hint


def test_an_address_that_is_not_ours_is_named(home: Path) -> None:
    assert "203.0.113.7" in str(refused(home, host="203.0.113.7"))


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        *((host, True) for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org")),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local


def test_on_all_addresses_it_is_known_by_the_machines_own_alone() -> None:
    names = names_of("0.0.0.0")

    assert os.uname().nodename in names
    assert "127.0.0.1" in names
    assert "*" not in names
    assert "example.org" not in names
    assert set(names_of("127.0.0.1")) == {"127.0.0.1", "localhost", "[::1]"}


def test_without_the_extra_its_name_is_told(home: Path, tmp_path: Path) -> None:
    """As where taxietl was installed without `[ui]`."""
    code = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda n, *a: None if n == 'uvicorn' else find(n, *a);"
        "from taxietl.cli.main import main; sys.exit(main(['--home', sys.argv[1], 'ui']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], capture_output=True, text=True, timeout=30
    )

    assert done.returncode == 2
    assert "uvicorn" in done.stderr
    assert "pip install 'taxietl[ui]'" in done.stderr


@flow(run_name="seen")
def seen() -> None:
    pass


def test_a_run_says_where_it_can_be_looked_at_while_a_dashboard_is_up(home: Path) -> None:
    with Engine(home) as engine:
        with announced(home, "http://127.0.0.1:4280"):
            during = engine.run(seen)
        after = engine.run(seen)

        def says(run: Run[None]) -> list[str]:
            lines = engine.history.logs(run.id)
            return [each.message for each in lines if each.message.startswith("View at")]

        assert says(during) == [f"View at http://127.0.0.1:4280/runs/{during.id}"]
        assert says(after) == []
