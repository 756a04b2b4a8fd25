"""The settings of one process: its folders, the `[ingest]` defaults and the profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar, overload

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from taxietl.config.base import Profile, Text, refuse_bool
from taxietl.errors import ConfigError, UnknownNameError

P = TypeVar("P", bound=Profile)


def _listed(given: object) -> object:
    """A list of rules; as one text, which a variable has to be, they stand apart by blanks."""
    if not isinstance(given, str):
        return given
    return () if given == "none" else tuple(given.split())


class IngestSettings(BaseModel):
    """What `ingest` does where its options do not say otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Text = "tlc"
    to: Text = "warehouse"
    max_rejects: Annotated[int, BeforeValidator(refuse_bool), Field(ge=0)] = 0
    """Lines of a month that may be unreadable before the load is refused."""
    max_shrink: Annotated[float, BeforeValidator(refuse_bool), Field(ge=0, le=1)] = 0.05
    """The part of a month's rows, 0 to 1, that a replacement may lack."""
    transforms: Annotated[tuple[Text, ...] | None, BeforeValidator(_listed)] = None
    """The rules applied, as --transform writes them; None for the colour's default."""


@dataclass(frozen=True)
class Settings:
    """All that was configured, checked."""

    config_file: Path | None
    """The file that was read; None where there was none, and none is needed."""
    home: Path
    """Where history, cache and the default warehouse lie; may not exist yet."""
    ingest: IngestSettings
    profiles: Mapping[str, Profile]
    """By name; there is always one named `warehouse`."""
    warnings: tuple[str, ...] = ()
    """What a user should be told once: secrets written out in the file."""

    @property
    def cache_dir(self) -> Path:
        """Where fetched files are kept."""
        return self.home / "cache"

    @property
    def rejects_dir(self) -> Path:
        """Where the rejected lines of refused loads are written."""
        return self.home / "rejects"

    @overload
    def profile(self, name: str) -> Profile: ...
    @overload
    def profile(self, name: str, *kinds: type[P]) -> P: ...
    def profile(self, name: str, *kinds: type[Profile]) -> Profile:
        """The profile of that name.

        Args:
            name: as the configuration spells it; upper and lower case differ.
            kinds: the types the caller can use; none means any.

        Raises:
            UnknownNameError: nobody has that name.
            ConfigError: it is of another type; names those that fit.
        """
        found = self.profiles.get(name)
        if found is None:
            where = self.config_file or "a configuration file (`taxietl init` writes one)"
            raise UnknownNameError(
                "profile", name, self.profiles, hint=f"Add [profiles.{name}] to {where}."
            )
        if kinds and not isinstance(found, kinds):
            fitting = sorted(each for each, one in self.profiles.items() if isinstance(one, kinds))
            raise ConfigError(
                f"Profile {name!r} is of type {found.type!r}; "
                f"what is needed here is {_one_of(kinds)}.",
                hint=f"Profiles that fit: {', '.join(fitting) or 'none'}.",
            )
        return found


def _one_of(kinds: tuple[type[Profile], ...]) -> str:
    """The types as a configuration names them; a base class stands for those under it."""
    from taxietl.config.profiles import PROFILE_TYPES

    return " or ".join(name for name, kind in PROFILE_TYPES.items() if issubclass(kind, kinds))
