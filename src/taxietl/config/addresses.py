"""A database named by its address, where the name of a profile is expected.

People type `--to postgresql://user:password@host/database`, so that works: the address is made a
profile. So are `duckdb:///FILE` and `env:NAME`, a variable that holds an address. Such a profile is
called what was typed, but for its password, which stands as `***`: what is shown and stored are
names. An address without a password, and `env:NAME`, mean the same in any process.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr, ValidationError

from taxietl.config.base import AN_ADDRESS
from taxietl.config.paths import Surroundings
from taxietl.config.problems import problems_of
from taxietl.config.profile_types import profile_types, type_of_scheme
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.errors import ConfigError
from taxietl.masking import name_shown

if TYPE_CHECKING:
    from taxietl.config.base import Profile

_ADDRESS = re.compile(r"\A\s*env:|://|=|:.*@", re.DOTALL)
_URL = re.compile(r"([a-z][a-z0-9.-]*)(\+\w+)?://.*", re.DOTALL)
_MASKED = re.compile(r":\*\*\*@|=\*\*\*")


def is_address(name: str) -> bool:
    """Whether that is no profile's name, but meant as a database's address."""
    return _ADDRESS.search(name) is not None


def is_masked(name: str) -> bool:
    """Whether that is the name of an address that was given with a password."""
    return _MASKED.search(name) is not None


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
    match = _URL.fullmatch(address.strip())
    kind = type_of_scheme(match[1]) if match else None
    if kind is None:
        return ConfigError(f"{name} is not the address of a database.", hint=_forms())
    secret = SecretReference("env", variable) if variable else LiteralSecret(SecretStr(address))
    try:
        return kind.from_url(address.strip(), secret=secret, around=Surroundings(Path.cwd(), home))
    except ValidationError as error:
        text = problems_of(error, (), kind)[0].text
    except ValueError as error:
        text = str(error)
    return ConfigError(f"{name}: {text}.", hint=_forms())


def _forms() -> str:
    forms = " or ".join(each.url_form for each in profile_types() if each.url_form)
    return (
        f"Give {forms}; env:NAME, a variable that holds one; or the name of a profile: "
        "`taxietl profiles ls`."
    )
