"""A set-up of its own, and some of the checks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxietl.config import Settings, activate, load_settings
from taxietl.doctor.checkup import checks_of
from taxietl.doctor.examination import examine
from taxietl.errors import ConfigError
from taxietl.findings import Finding

Examine = Callable[..., list[Finding]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home that nobody has made yet; the working directory is empty, too."""
    for name in ("TAXIETL_CONFIG", "TAXIETL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield tmp_path / "home"
    activate(None)


@pytest.fixture
def found(home: Path) -> Examine:
    """Carries out all checks but those with another name than asked for."""

    def run(*names: str, config: str | None = None, **changed: object) -> list[Finding]:
        if config is not None:
            file = Path("taxietl.toml")
            file.touch(0o600)
            file.write_text(config)
        settings: Settings | ConfigError
        try:
            settings = load_settings(home=home)
            activate(settings)
        except ConfigError as error:
            settings = error
        checks = checks_of(settings, home, **changed)  # type: ignore[arg-type]
        return examine([each for each in checks if each.name in names])

    return run
