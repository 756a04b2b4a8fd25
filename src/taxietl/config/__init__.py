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
    from taxietl.config.example import EXAMPLE, write_example
    from taxietl.config.loading import load_settings
    from taxietl.config.profiles import (
        PROFILE_TYPES,
        BigQueryProfile,
        DatabaseProfile,
        DuckDBProfile,
        FolderProfile,
        GcpCredentialsProfile,
        GcsProfile,
        LakeProfile,
        PostgresProfile,
        Profile,
    )
    from taxietl.config.sections import CacheSettings, HistorySettings, IngestSettings, Settings
    from taxietl.config.sources import SourceSettings

__all__ = [
    "EXAMPLE",
    "PROFILE_TYPES",
    "AlertSettings",
    "BigQueryProfile",
    "CacheSettings",
    "DatabaseProfile",
    "DuckDBProfile",
    "FolderProfile",
    "GcpCredentialsProfile",
    "GcsProfile",
    "HistorySettings",
    "IngestSettings",
    "LakeProfile",
    "PostgresProfile",
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
    "EXAMPLE": "example",
    "HistorySettings": "sections",
    "IngestSettings": "sections",
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
    module = importlib.import_module(f"taxietl.config.{_HOMES.get(name, 'profiles')}")
    return getattr(module, name)
