"""From a profile's name to its lake."""

from __future__ import annotations

from taxietl.config import LakeProfile, Settings, settings
from taxietl.config.addresses import is_address
from taxietl.errors import ConfigError
from taxietl.load.lake.lake import Lake

_LINES = """\
[profiles.{name}]
type = "gcs"
bucket = "my-bucket"
credentials = "gcp"            # left out: application default credentials

[profiles.gcp]
type = "gcp-credentials"
service_account_file = "~/.gc/key.json"

or, for the same lake on disk:

[profiles.{name}]
type = "folder"
path = "lake"
"""


def healed(key: str) -> str:
    """The warning that a month's manifest lacked its object."""
    return f"{key} was in the lake and not in its manifest, as after a crash: now it is"


_opened: dict[str, tuple[Settings, Lake]] = {}


def open_lake(name: str) -> Lake:
    """The lake of the profile of that name in the active settings.

    The same one as long as these settings are in force: its connections and its token serve all
    tasks of a run, which may use it from several threads.

    Raises:
        UnknownNameError: there is no such profile, but another lake.
        ConfigError: there is no lake at all, with the lines to paste; or the profile is none.
    """
    chosen = settings()
    of, kept = _opened.get(name, (None, None))
    if of is chosen and kept is not None:
        return kept
    is_any = any(isinstance(each, LakeProfile) for each in chosen.profiles.values())
    if name not in chosen.profiles and not is_any and not is_address(name):
        file = chosen.config_file or "./taxietl.toml"
        raise ConfigError(
            f"There is no profile named {name!r}, and so no lake.",
            hint=f"Put this into {file}, with your own names:\n\n{_LINES.format(name=name)}",
        )
    lake = Lake(chosen.profile(name, LakeProfile))
    _opened[name] = (chosen, lake)
    return lake
