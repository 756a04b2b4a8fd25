"""`prefect.blocks.system`: secrets by their place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from taxietl.config import settings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.errors import UnknownNameError


@dataclass(frozen=True)
class Secret:
    """A value of `[variables]`, looked up when it is asked for."""

    name: str
    _place: Any = field(repr=False)

    @classmethod
    def load(cls, name: str) -> Secret:
        """The secret of that name; UnknownNameError says what to write where there is none."""
        found = settings()
        if name not in found.variables:
            where = found.config_file or "taxietl.toml"
            variable = name.upper().replace("-", "_")
            raise UnknownNameError(
                *("secret", name, found.variables),
                hint=f'Write in {where}:\n[variables]\n{name} = {{ env = "{variable}" }}',
            )
        return cls(name, found.variables[name])

    def get(self) -> Any:
        """Its value now."""
        place = self._place
        if isinstance(place, SecretReference | LiteralSecret):
            return place.reveal(f"variables.{self.name}").get_secret_value()
        return place
