"""Secrets by reference: where a value is to be had, and the value only at the moment of use.

A configuration names an environment variable, a file or a systemd credential. Nothing is looked
up while it is read, so a profile can be shown where its secret is not at hand. A literal is taken
too (whoever reads the file warns) and is a `SecretStr` from then on. Neither `str` nor `repr`
of anything here holds a value.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import PlainSerializer, PlainValidator, SecretStr, ValidationInfo

from taxietl.config.paths import absolute
from taxietl.errors import ConfigError

HIDDEN = "**********"
ReferenceKind = Literal["env", "file", "credential"]
_KINDS: tuple[str, ...] = get_args(ReferenceKind)
_FORMS = '{ env = "…" }, { file = "…" } or { credential = "…" }'


@dataclass(frozen=True, repr=False)
class SecretReference:
    """A secret that lies elsewhere: in an environment variable, a file, a systemd credential."""

    kind: ReferenceKind
    place: str
    """The variable's name, the file's absolute path, or the credential's name."""

    def reveal(self, owner: str) -> SecretStr:
        """Look the value up now.

        Args:
            owner: the setting it is for, such as `profiles.warehouse.password`.

        Raises:
            ConfigError: it is not there; names `owner` and the place, never a value.
        """
        match self.kind:
            case "env":
                return self._from_environment(owner)
            case "file":
                return _from_file(Path(self.place), owner)
            case "credential":
                return _from_file(self._credential_file(owner), owner)

    def _from_environment(self, owner: str) -> SecretStr:
        value = os.environ.get(self.place)
        if value is None:
            raise ConfigError(
                f"{owner}: the environment variable {self.place} is not set.",
                hint=f"Set it where taxietl runs, for instance: export {self.place}=…",
            )
        return SecretStr(value)

    def _credential_file(self, owner: str) -> Path:
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise ConfigError(
                f"{owner}: the credential {self.place!r} is not at hand: "
                "CREDENTIALS_DIRECTORY is not set.",
                hint=f"systemd sets it for units with LoadCredential={self.place}:FILE.",
            )
        return Path(folder) / self.place

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"

    __repr__ = __str__


@dataclass(frozen=True, repr=False)
class LiteralSecret:
    """A secret that was written out where a reference would have been better."""

    value: SecretStr

    def reveal(self, owner: str) -> SecretStr:  # noqa: ARG002 - one signature for both
        """The value; a literal needs no look-up."""
        return self.value

    def __str__(self) -> str:
        return HIDDEN

    __repr__ = __str__


def _from_file(path: Path, owner: str) -> SecretStr:
    """A file's text without the newline that editors and `echo` put at its end."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError(
            f"{owner}: the secret file {path} cannot be read: {error.strerror}.",
            hint="Check the path, and that this user may read it.",
        ) from None
    except UnicodeDecodeError:
        text = None  # raised below: the decoder's error holds the bytes, and would be its context
    if text is None:
        raise ConfigError(
            f"{owner}: the secret file {path} is not text.", hint="It should hold UTF-8 text."
        )
    return SecretStr(text.removesuffix("\n").removesuffix("\r"))


def parse_secret(value: object, info: ValidationInfo) -> SecretReference | LiteralSecret:
    """Take a reference or a literal; the messages never repeat what was given."""
    match value:
        case SecretReference() | LiteralSecret():
            return value
        case SecretStr():
            return LiteralSecret(value)
        case str():
            return LiteralSecret(SecretStr(value))
        case dict():
            return _parse_reference(value, info)
    raise ValueError(f"must be text in quotes, or {_FORMS}")


def _parse_reference(table: dict[str, object], info: ValidationInfo) -> SecretReference:
    for key in table:
        if key not in _KINDS:
            close = difflib.get_close_matches(str(key), _KINDS, n=1)
            guess = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"unknown key {key!r} in a secret.{guess} It must be {_FORMS}")
    if len(table) != 1:
        raise ValueError(f"must be exactly one of {_FORMS}")
    [(kind, place)] = table.items()
    if not isinstance(place, str) or not place.strip():
        raise ValueError(f"{kind} must be text that is not empty")
    match kind:
        case "file":
            return SecretReference("file", str(absolute(place, info)))
        case "credential":
            # A credential is one file in systemd's folder; a path could leave it.
            if Path(place).name != place or place == "..":
                raise ValueError("credential must be a name, not a path")
            return SecretReference("credential", place)
    return SecretReference("env", place)


Secret = Annotated[
    SecretReference | LiteralSecret,
    PlainValidator(parse_secret),
    PlainSerializer(str, return_type=str),
]
