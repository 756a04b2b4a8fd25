"""What every profile is: frozen, checked when read, and free of secrets when printed.

A type of profiles is one class, found by its entry point in `taxietl.profiles`. It knows
everything about a connection but its secrets' values, which it looks up when it connects; what it
opens is imported then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from taxietl.config.paths import Surroundings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.findings import Finding
from taxietl.masking import name_shown

if TYPE_CHECKING:
    from sqlalchemy import Engine

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


_NONE: Mapping[str, frozenset[str]] = MappingProxyType({})


class Profile(Table):
    """A named connection; its fields are the keys of its table in the configuration."""

    secret_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """The keys whose values are secrets, each with the usual name of a variable that holds it."""

    replaces: ClassVar[Mapping[str, frozenset[str]]] = _NONE
    """Keys that make others void."""

    refers_to: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Keys whose value is the name of another profile, each with the type that one is of."""

    url_schemes: ClassVar[tuple[str, ...]] = ()
    """What the URLs begin with that can be given in place of a profile's name."""

    url_form: ClassVar[str] = ""
    """How such a URL is written, with what is to be filled in in capitals."""

    filled_by: ClassVar[str] = ""
    """The command that brings months there, where that is not `taxietl ingest`."""

    example: ClassVar[str] = ""
    """Its part of the configuration that `taxietl init` writes: lines that begin with `#`."""

    type: str
    _name: str = PrivateAttr(default="")
    _origin: str = PrivateAttr(default="")
    _referred: Mapping[str, Profile] = PrivateAttr(default_factory=dict)

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

    @classmethod
    def from_url(
        cls, url: str, *, secret: SecretReference | LiteralSecret, around: Surroundings
    ) -> Self:
        """The profile that a URL of one of `url_schemes` describes.

        Args:
            url: as typed, which may hold a password.
            secret: the same as a secret: a variable that holds it, or the URL itself.
            around: what relative paths are relative to.

        Raises:
            ValueError: it describes none; says so without a word of the URL.
        """
        raise NotImplementedError

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
        unused: frozenset[str] = frozenset()
        for key, others in self.replaces.items():
            if getattr(self, key) is not None:
                unused |= others
        return unused

    def referring(self, key: str, profile: Profile) -> Self:
        """A copy that holds the profile which a key of `refers_to` names."""
        copy = self.model_copy()
        copy._referred = {**self._referred, key: profile}
        return copy

    def snippet(self, name: str) -> str:
        """Python lines for a flow of one's own that use the profile of this name."""
        raise NotImplementedError

    def check(self) -> str:
        """Connect and look, changing nothing; returns what is there, in a sentence.

        Raises:
            TaxietlError: it cannot be reached, or commands would fail there; says why.
        """
        raise NotImplementedError

    def check_contents(self) -> Iterator[Finding]:
        """Hold what lies there to its ledger, as far as that costs little; changes nothing."""
        return iter(())

    @property
    def disk_path(self) -> Path | None:
        """Where on this machine's disks its months lie; None of a server."""
        return None

    def _reveal(self, key: str, secret: SecretReference | LiteralSecret) -> str:
        return secret.reveal(self.setting(key)).get_secret_value()

    def secret_files(self) -> Iterator[tuple[str, Path]]:
        """The files with a secret in them, each after the setting that names it."""
        for key in self.secret_keys:
            secret = getattr(self, key)
            if isinstance(secret, SecretReference) and secret.kind == "file":
                yield self.setting(key), Path(secret.place)

    def setting(self, key: str) -> str:
        """What to call the value of a key in messages; an address has no keys."""
        return self.name if self.origin == AN_ADDRESS else f"profiles.{self.name}.{key}"


class DatabaseProfile(Profile):
    """A database that is asked in SQL."""

    def engine(self) -> Engine:
        """A SQLAlchemy engine that only reads, and keeps nothing open between its uses."""
        raise NotImplementedError
