"""What every profile is: frozen, checked when read, and free of secrets when printed.

A profile knows everything about a connection but its secrets' values, which it looks up when it
connects. What a profile opens is in `connections.py`, loaded on use.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.masking import name_shown

AN_ADDRESS = "an address"
"""The origin of a profile that is in no configuration: see `addresses.py`."""

Text = Annotated[str, StringConstraints(min_length=1)]

AS_READ = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)
"""Of all that is read: an error repeats no value, which may be a secret; and what a process does
not use, most types of profiles, is not built at its start."""


class Table(BaseModel):
    """What is read of one table of the configuration; a key that it does not know is an error."""

    model_config = AS_READ | ConfigDict(extra="forbid")


def refuse_bool(value: object) -> object:
    """Python takes `true` for 1; a configuration that says `port = true` is a mistake."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


class Profile(Table):
    """A named connection; each type below is one. Frozen, and free of secrets when printed."""

    secret_keys: ClassVar[tuple[str, ...]] = ()
    """The keys whose values are secrets."""

    type: str
    _name: str = PrivateAttr(default="")
    _origin: str = PrivateAttr(default="")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_secret(cls, value: object, info: ValidationInfo) -> object:
        """What is no secret's place is shown in messages: no password may stand there."""
        is_shown = info.field_name not in cls.secret_keys
        if is_shown and isinstance(value, str) and name_shown(value) != value:
            places = " or ".join(cls.secret_keys)
            raise ValueError(
                f"must hold no password{f': it belongs in {places}' if places else ''}"
            )
        return value

    @property
    def name(self) -> str:
        """What the configuration calls it; its type where it was made by hand."""
        return self._name or self.type

    @property
    def origin(self) -> str:
        """Where it is defined: a file's path, "the environment", both, or "built in"."""
        return self._origin

    def known_as(self, name: str, origin: str) -> Self:
        """A copy that knows its name and where it was defined, for messages."""
        copy = self.model_copy()
        copy._name, copy._origin = name, origin
        return copy

    def describe(self) -> dict[str, str | int | bool]:
        """Every value that counts, by its key in the configuration; a secret as its place."""
        shown: dict[str, str | int | bool] = {}
        for field, info in type(self).model_fields.items():
            value = getattr(self, field)
            if value is not None and field not in self._unused():
                plain = isinstance(value, str | int)
                shown[info.alias or field] = value if plain else str(value)
        return shown

    def _unused(self) -> frozenset[str]:
        """Fields that another one makes void."""
        return frozenset()

    def snippet(self, name: str) -> str:
        """Python lines for a flow of one's own that use the profile of this name."""
        raise NotImplementedError

    def _reveal(self, key: str, secret: SecretReference | LiteralSecret) -> str:
        return secret.reveal(self.setting(key)).get_secret_value()

    def setting(self, key: str) -> str:
        """What to call the value of a key in messages; an address has no keys."""
        return self.name if self.origin == AN_ADDRESS else f"profiles.{self.name}.{key}"
