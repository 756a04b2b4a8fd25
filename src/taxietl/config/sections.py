"""The settings of one process: folders, the configuration's sections, sources and profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, overload

from pydantic import BeforeValidator, Field, PlainValidator, RootModel, ValidationInfo

from taxietl.config.alerts import AlertSettings
from taxietl.config.base import AS_READ, Profile, Table, Text, refuse_bool
from taxietl.config.secrets import parse_secret
from taxietl.config.sources import BUILT_IN, SourceSettings
from taxietl.errors import ConfigError, UnknownNameError

P = TypeVar("P", bound=Profile)

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)", re.IGNORECASE)
_UNITS = {
    f"{prefix}{binary}B": (1024 if binary else 1000) ** power
    for power, prefix in enumerate("KMGT", 1)
    for binary in ("", "I")
}


def _listed(given: object) -> object:
    """A list of rules; as one text, which a variable has to be, they stand apart by blanks."""
    rules = given.split() if isinstance(given, str) else given
    return () if rules in (["none"], ("none",)) else rules


class IngestSettings(Table):
    """What `ingest` does where its options do not say otherwise."""

    source: Text = "tlc"
    to: Text = "warehouse"
    max_rejects: Annotated[int, BeforeValidator(refuse_bool), Field(ge=0)] = 0
    """Lines of a month that may be unreadable before the load is refused."""
    max_shrink: Annotated[float, BeforeValidator(refuse_bool), Field(ge=0, le=1)] = 0.05
    """The part of a month's rows, 0 to 1, that a replacement may lack."""
    transforms: Annotated[tuple[Text, ...] | None, BeforeValidator(_listed)] = None
    """The rules applied, as --transform writes them; None for the colour's default."""


class LimitSettings(
    RootModel[dict[Text, Annotated[int, BeforeValidator(refuse_bool), Field(ge=0)]]]
):
    """How many attempts of tasks with a tag may be under way at a time, by tag."""

    model_config = AS_READ


def _variable(value: object, info: ValidationInfo) -> object:
    """A value as the file has it; a table says where a secret lies."""
    return parse_secret(value, info) if isinstance(value, dict) else value


class VariableSettings(RootModel[dict[Text, Annotated[Any, PlainValidator(_variable)]]]):
    """Values for flows of one's own, by name; some may be secrets."""

    model_config = AS_READ


def size_in_bytes(value: object) -> object:
    """A size as a configuration writes it: `"10GB"`, `"512MiB"`, `"0.5 TB"`."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < 1:
        raise ValueError('must be a size like "10GB" or "512MiB"')
    return size


class CacheSettings(Table):
    """What the cache may take of the disk."""

    max_size: Annotated[int, BeforeValidator(size_in_bytes)] = 10_000_000_000
    """Bytes of kept files and results; beyond, what was not used for longest is removed."""


class HistorySettings(Table):
    """How long is remembered what ran."""

    keep_days: Annotated[int, BeforeValidator(refuse_bool), Field(ge=1, le=100_000)] = 90
    """Runs that ended before that many days are removed, once a day."""


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
    limits: Mapping[str, int] = field(default_factory=dict)
    """By tag: how many attempts of its tasks may be under way at a time; others are unlimited."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """By name: what flows of one's own ask for; a secret is the place where it lies."""
    cache: CacheSettings = field(default_factory=CacheSettings)
    history: HistorySettings = field(default_factory=HistorySettings)
    sources: Mapping[str, SourceSettings] = field(default_factory=lambda: BUILT_IN)
    """By name; `tlc` and `mirror` are always there."""
    alerts: tuple[AlertSettings, ...] = ()
    """Who is told of what."""
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
        """The profile of that name, or of the database at that address.

        Args:
            name: as the configuration spells it, upper and lower case differ; or an address:
                `postgresql://…`, `duckdb:///FILE`, `env:NAME` of a variable that holds one.
            kinds: the types the caller can use; none means any.

        Raises:
            UnknownNameError: nobody has that name.
            ConfigError: it is of another type, names those that fit; or it is the address of no
                database.
        """
        from taxietl.config.addresses import is_address, profile_at

        found = self.profiles.get(name)
        if found is None and is_address(name):
            found = profile_at(name, self.home)
        if found is None:
            where = self.config_file or "a configuration file (`taxietl init` writes one)"
            raise UnknownNameError(
                "profile", name, self.profiles, hint=f"Add [profiles.{name}] to {where}."
            )
        if kinds and not isinstance(found, kinds):
            fitting = sorted(each for each, one in self.profiles.items() if isinstance(one, kinds))
            raise ConfigError(
                f"Profile {found.name!r} is of type {found.type!r}; "
                f"what is needed here is {_one_of(kinds)}.",
                hint=f"Profiles that fit: {', '.join(fitting) or 'none'}.",
            )
        return found


def _one_of(kinds: tuple[type[Profile], ...]) -> str:
    """The types as a configuration names them; a base class stands for those under it."""
    from taxietl.config.profile_types import profile_types

    fitting = (each for each in profile_types() if issubclass(each, kinds))
    return " or ".join(each.model_fields["type"].default for each in fitting)
