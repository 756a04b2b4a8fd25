"""`prefect.variables`: the values of `[variables]` in the configuration."""

from __future__ import annotations

from typing import Any, NoReturn

from taxietl.config import settings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.errors import ConfigError


class Variable:
    """A value by its name."""

    @staticmethod
    def get(name: str, default: Any = None) -> Any:
        """What `[variables]` has for that name, or the default.

        Raises:
            ConfigError: it is a secret's place.
        """
        value = settings().variables.get(name, default)
        if isinstance(value, SecretReference | LiteralSecret):
            raise ConfigError(
                f"variables.{name} is a secret.", hint=f'Write Secret.load("{name}").get().'
            )
        return value

    @staticmethod
    def set(name: str, value: Any = None, **_: object) -> NoReturn:  # noqa: ARG004
        """Refused: a configuration is not changed by what runs."""
        raise ConfigError(
            f"Variable.set({name!r}, …) is not possible: a run does not change the configuration.",
            hint=f"Write under [variables] in {settings().config_file or 'taxietl.toml'}:"
            f" {name} = …",
        )
