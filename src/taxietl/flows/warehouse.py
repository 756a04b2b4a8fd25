"""From a profile's name to the loader that knows such warehouses."""

from __future__ import annotations

from typing import cast

from taxietl.config import settings
from taxietl.errors import ConfigError
from taxietl.steps import registry
from taxietl.steps.protocols import Loader


def loader(name: str) -> Loader:
    """The loader for the profile of that name in the active settings.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: none that rows can be loaded into.
    """
    profile = settings().profile(name)
    known = registry.names("loaders")
    if profile.type not in known:
        fitting = sorted(each.name for each in settings().profiles.values() if each.type in known)
        raise ConfigError(
            f"Profile {name!r} is of type {profile.type!r}, into which this version cannot load.",
            hint=f"Types it can load into: {', '.join(known)}. "
            f"Profiles of these: {', '.join(fitting) or 'none'}.",
        )
    return cast(Loader, registry.load("loaders", profile.type)(profile))
