"""The settings that one invocation uses: chosen before the command, loaded when it asks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taxietl.config import Settings


@dataclass
class _Chosen:
    config: Path | None = None
    home: Path | None = None


_chosen = _Chosen()


def choose(*, config: Path | None = None, home: Path | None = None) -> None:
    """Keep what --config and --home said."""
    _chosen.config, _chosen.home = config, home


def chosen_home() -> Path:
    """The home folder in force."""
    from taxietl.config.files import find_home

    return find_home(_chosen.home)


def named_in_config(section: str) -> dict[str, str]:
    """The names in a section of the configuration in force, each with its type."""
    from taxietl.config.names import configured_names

    return configured_names(section, config=_chosen.config)


def open_settings(*, warned: bool = True) -> Settings:
    """Load the settings, put them in force, and pass on what a user should be told once."""
    from taxietl.cli.stderr import warn
    from taxietl.config import activate, load_settings

    settings = load_settings(config=_chosen.config, home=_chosen.home)
    activate(settings)
    for warning in settings.warnings if warned else ():
        warn(warning)
    return settings


def options_given() -> tuple[str, ...]:
    """What `taxietl` is to be given, in whatever folder, to mean what it means here."""
    config = ("--config", str(_chosen.config.absolute())) if _chosen.config else ()
    return ("--home", str(chosen_home().absolute()), *config)


def profile_named(given: str | None = None) -> str:
    """The profile that --to or --on means, or `[ingest] to`; an address is made one first."""
    from taxietl.config import profile_named

    return profile_named(given)


def go_to(folder: Path) -> None:
    """Work in another folder; --config, --home and their variables mean what they meant here."""
    from taxietl.config import load_settings

    here = load_settings(config=_chosen.config, home=_chosen.home)
    if _chosen.config or os.environ.get("TAXIETL_CONFIG"):
        _chosen.config = here.config_file
    _chosen.home = here.home
    os.chdir(folder)
