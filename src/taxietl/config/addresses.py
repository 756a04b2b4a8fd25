"""A database named by its address, where the name of a profile is expected.

People type `--to postgresql://user:password@host/database`, so that works: the address is made a
profile. So are `duckdb:///FILE` and `env:NAME`, a variable that holds an address. Such a profile is
called what was typed, but for its password, which stands as `***`: what is shown and stored are
names. An address without a password, and `env:NAME`, mean the same in any process.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import SecretStr, ValidationError

from taxietl.config.base import AN_ADDRESS
from taxietl.config.databases import DuckDBProfile, PostgresProfile
from taxietl.config.paths import Surroundings
from taxietl.config.problems import problems_of
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.errors import ConfigError
from taxietl.masking import name_shown

if TYPE_CHECKING:
    from taxietl.config.base import Profile
    from taxietl.config.sections import Settings

_ADDRESS = re.compile(r"\A\s*env:|://|=|:.*@", re.DOTALL)
_KNOWN = re.compile(r"\s*(postgres(?:ql)?(?:\+\w+)?|duckdb)://(.*?)\s*", re.DOTALL)
_MASKED = re.compile(r":\*\*\*@|=\*\*\*")
_FORMS = (
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or duckdb:///FILE; env:NAME, a variable that "
    "holds one; or the name of a profile: `taxietl profiles ls`"
)


def is_address(name: str) -> bool:
    """Whether that is no profile's name, but meant as a database's address."""
    return _ADDRESS.search(name) is not None


def is_masked(name: str) -> bool:
    """Whether that is the name of an address that was given with a password."""
    return _MASKED.search(name) is not None


def with_address(settings: Settings, address: str) -> tuple[Settings, str]:
    """The settings with a profile for that address, and what it is called.

    Raises:
        ConfigError: it is the address of no database.
    """
    profile = profile_at(address, settings.home)
    known = MappingProxyType({**settings.profiles, profile.name: profile})
    return replace(settings, profiles=known), profile.name


def profile_at(address: str, home: Path) -> Profile:
    """The profile of a database by its address.

    Args:
        address: as it was typed; nothing of it is shown but `name_shown`.
        home: TAXIETL_HOME.

    Raises:
        ConfigError: it is the address of no database, or its password was masked.
    """
    name = name_shown(address)
    outcome = _profile(address, name, home)
    if isinstance(outcome, ConfigError):
        raise outcome  # out of reach of the address
    return outcome.known_as(name, AN_ADDRESS)


def _profile(address: str, name: str, home: Path) -> Profile | ConfigError:
    if is_masked(address):
        return ConfigError(
            f"The password of {name} is kept nowhere.", hint="Give the whole address again."
        )
    variable = address.strip().removeprefix("env:") if address.strip().startswith("env:") else ""
    if variable:
        found = os.environ.get(variable)
        if found is None:
            return ConfigError(
                f"The environment variable {variable} is not set.",
                hint=f"Set it where taxietl runs: export {variable}='postgresql://…'.",
            )
        address, name = found, f"The value of {variable}"
    match = _KNOWN.fullmatch(address)
    if match is None:
        return ConfigError(f"{name} is not the address of a database.", hint=f"Give {_FORMS}.")
    if match[1] == "duckdb":
        return _duckdb(match[2], name, home)
    secret = SecretReference("env", variable) if variable else LiteralSecret(SecretStr(address))
    return PostgresProfile(url=secret)


def _duckdb(rest: str, name: str, home: Path) -> Profile | ConfigError:
    """`duckdb:///FILE`, as SQLAlchemy writes it: four slashes begin an absolute path."""
    if not rest.startswith("/") or rest == "/" or "?" in rest:
        return ConfigError(
            f"{name} names no DuckDB file.",
            hint="Write duckdb:///taxi.duckdb, or duckdb:////data/taxi.duckdb for a path from the "
            "root; options are for a profile.",
        )
    try:
        return DuckDBProfile.model_validate(
            {"path": rest[1:]}, context=Surroundings(Path.cwd(), home)
        )
    except ValidationError as error:
        (problem, *_) = problems_of(error, (), DuckDBProfile)
        return ConfigError(f"{name}: {problem.text}.", hint=f"Give {_FORMS}.")
