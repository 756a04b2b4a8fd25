"""The settings in force in this process."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import MappingProxyType

from taxietl.config.base import Profile
from taxietl.config.loading import load_settings
from taxietl.config.sections import Settings

_lock = threading.Lock()
_active: Settings | None = None


def settings() -> Settings:
    """The active settings; the first call loads them by the usual order if nobody set any.

    Raises:
        ConfigError: the configuration is wrong.
    """
    global _active
    with _lock:
        if _active is None:
            _active = load_settings()
        return _active


def activate(chosen: Settings | None) -> None:
    """Put these settings in force; None means: load them anew at the next use."""
    global _active
    with _lock:
        _active = chosen


def profile(name: str) -> Profile:
    """The profile of that name in the active settings, as a flow of one's own asks for it."""
    return settings().profile(name)


def profile_named(given: str | None = None) -> str:
    """The name of the profile that is meant, of `[ingest] to` if none is given; an address is
    made a profile first.

    A password in it stays behind in this process's settings: whoever is handed the name, a run
    and its history among them, has none.
    """
    active = settings()
    name = given or active.ingest.to
    if name in active.profiles:
        return name
    from taxietl.config.addresses import is_address, profile_at  # costs a flow's start else

    if not is_address(name):
        return name
    found = profile_at(name, active.home)
    known = MappingProxyType({**active.profiles, found.name: found})
    activate(replace(active, profiles=known))
    return found.name
