"""A dashboard of a home of the test's own, and a browser that may see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from web import TOKEN, Browser

from taxietl.config import Settings, activate, load_settings
from taxietl.orchestrator import Engine
from taxietl.ui.access import Access
from taxietl.ui.app import application
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.server import names_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and an empty working directory."""
    for name in ("TAXIETL_CONFIG", "TAXIETL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path / "home"


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    with Engine(home) as made:
        yield made


@pytest.fixture
def dashboard(home: Path) -> Iterator[Dashboard]:
    access = Access(TOKEN, 4280)
    options = ("--home", str(home))

    def read_settings() -> Settings:
        activate(found := load_settings(home=home))
        return found

    made = Dashboard(home, access, read_settings, options)
    yield made
    made.close()
    activate(None)


@pytest.fixture
def app(dashboard: Dashboard) -> Starlette:
    return application(dashboard, hosts=names_of("127.0.0.1"))


@pytest.fixture
def stranger(app: Starlette) -> Browser:
    """A browser that has not been given the link."""
    return Browser(app)


@pytest.fixture
def browser(app: Starlette) -> Browser:
    """A browser in which the link was opened."""
    made = Browser(app)
    assert made.get(f"/?token={TOKEN}").status_code == 303
    return made
