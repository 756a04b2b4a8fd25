"""Configuration: where values come from, named connections, and secrets that stay secret.

The names below load on first use: pydantic takes 0.07 s, and `taxietl --help` needs none of it.
No module here is called `settings`, since importing it would put the module in the place of
the function.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxietl.config.active import activate, profile, profile_named, settings
    from taxietl.config.alerts import AlertSettings
    from taxietl.config.base import DatabaseProfile, Profile
    from taxietl.config.example import write_example
    from taxietl.config.lakes import LakeProfile
    from taxietl.config.loading import load_settings
    from taxietl.config.sections import CacheSettings, HistorySettings, IngestSettings, Settings
    from taxietl.config.sources import SourceSettings

__all__ = [
    "AlertSettings",
    "CacheSettings",
    "DatabaseProfile",
    "HistorySettings",
    "IngestSettings",
    "LakeProfile",
    "Profile",
    "Settings",
    "SourceSettings",
    "activate",
    "load_settings",
    "profile",
    "profile_named",
    "settings",
    "write_example",
]

_HOMES = {
    "AlertSettings": "alerts",
    "CacheSettings": "sections",
    "DatabaseProfile": "base",
    "HistorySettings": "sections",
    "IngestSettings": "sections",
    "LakeProfile": "lakes",
    "Profile": "base",
    "Settings": "sections",
    "SourceSettings": "sources",
    "activate": "active",
    "load_settings": "loading",
    "profile": "active",
    "profile_named": "active",
    "settings": "active",
    "write_example": "example",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'taxietl.config' has no attribute {name!r}")
    module = importlib.import_module(f"taxietl.config.{_HOMES[name]}")
    return getattr(module, name)
