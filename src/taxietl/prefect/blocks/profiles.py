"""The profile that a block of that name is here; or what to write in the configuration for it."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from taxietl.config import Profile, settings
from taxietl.errors import ConfigError, UnknownNameError

P = TypeVar("P", bound=Profile)


def profile_of(name: str, kind: type[P], lines: str) -> P:
    """The profile of a block.

    Args:
        name: the block's.
        kind: what it has to be.
        lines: what the configuration is to say of it, below its heading.

    Raises:
        UnknownNameError: there is none; the hint has the lines to paste.
        ConfigError: it is of another type.
    """
    found = settings()
    if name not in found.profiles:
        where = found.config_file or "taxietl.toml"
        raise UnknownNameError(
            *("profile", name, found.profiles),
            hint=f"Write in {where}:\n[profiles.{name}]\n{lines}",
        )
    return found.profile(name, kind)


class Block:
    """What blocks have in common: they are loaded, and neither made nor saved in code."""

    def __init__(self, *_: object, **__: object) -> None:
        raise no_block(type(self).__name__)

    def save(self, *_: object, **__: object) -> NoReturn:
        """Refused: what a block was is written in the configuration."""
        raise no_block(type(self).__name__)

    register_type_and_schema = save


def no_block(name: str) -> ConfigError:
    """A block cannot be made in code."""
    return ConfigError(
        f"{name}(…) and save() are not possible: a connection is a profile of the configuration.",
        hint=f'`taxietl profiles add` writes one; {name}.load("NAME") opens it.',
    )
