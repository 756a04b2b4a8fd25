"""What tests of several parts share."""

from __future__ import annotations

import logging
import os
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from postgres import Server, remove_leftovers
from postgres_binaries import binaries
from psycopg2 import sql
from receivers import Mail, Webhook, serving

# Started in the background by a shell, or by some CI, a process ignores Ctrl-C, and hands that on
# to the processes it starts; the tests of Ctrl-C need the usual.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long a machine takes for an example is no matter of the code, and a change is judged by the
# examples that the one before it was; `--hypothesis-profile default` tries new ones.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts PostgreSQL or another server of its own."""
    for item in items:
        if "postgres" in {*getattr(item, "fixturenames", ())} or re.search(
            "postgres|fake_gcs_server", item.path.name
        ):
            item.add_marker("server")


@pytest.fixture(autouse=True)
def _logging_as_found() -> Iterator[None]:
    """A command called in this process sets up logging for good; here it is set back."""
    root, ours = logging.getLogger(), logging.getLogger("taxietl")
    level = root.level
    _take_ours_away(root, ours)  # of a fixture that several tests share
    yield
    root.setLevel(level)
    _take_ours_away(root, ours)


def _take_ours_away(root: logging.Logger, ours: logging.Logger) -> None:
    ours.setLevel(logging.NOTSET)
    for handler in root.handlers[:]:
        if type(handler).__module__.startswith("taxietl."):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def tlc_data() -> Path:
    """The folder of real TLC files; tests that need them skip where there is none."""
    folder = os.environ.get("TAXIETL_TLC_DATA")
    if not folder:
        pytest.skip("TAXIETL_TLC_DATA is not set: no real TLC files at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lives as long as the session; its data are not safe from a crash."""
    remove_leftovers()
    with Server(binaries(), tmp_path_factory.getbasetemp() / "postgres.log") as server:
        yield server


@pytest.fixture
def warehouse(postgres: Server) -> Iterator[str]:
    """URL of an empty database that lives as long as one test."""
    name = f"taxietl_{uuid.uuid4().hex[:12]}"
    with closing(psycopg2.connect(postgres.url())) as admin:
        admin.autocommit = True  # CREATE DATABASE refuses a transaction
        with admin.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield postgres.url(name)
            finally:
                cursor.execute(
                    sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
                )


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A web server on loopback that keeps what it is sent."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Webhook()) as server:
        yield server


@pytest.fixture
def mail() -> Iterator[Mail]:
    """A mail server on loopback that keeps what it is sent."""
    with serving(Mail()) as server:
        yield server
