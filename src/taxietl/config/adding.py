"""Add a profile to the configuration file; all else in the file stays as it is, byte by byte.

What is to be written is loaded first, from a file beside, which then takes the place of the old
one: a profile that does not load, or a crash, leaves the configuration as it was.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from taxietl.config.base import Profile
from taxietl.config.files import FILE_NAME
from taxietl.config.loading import load_settings
from taxietl.config.paths import Surroundings
from taxietl.config.profile_types import profile_type
from taxietl.config.secrets import ReferenceKind
from taxietl.config.sections import Settings
from taxietl.errors import ConfigError, TryLaterError, UnknownNameError
from taxietl.filelock import waiting_lock
from taxietl.replacing import replacing

_LOCK_SECONDS = 10.0
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_REFERENCE = re.compile(rf"({'|'.join(get_args(ReferenceKind))}):(.+)", re.DOTALL)


@dataclass(frozen=True)
class Key:
    """A key that a profile of some type may have."""

    name: str
    is_required: bool
    is_secret: bool
    default: object
    """What holds where it is left out; None where that is not one value."""


def keys_of(kind: type[Profile]) -> list[Key]:
    """The keys of a type, in the order to ask for them."""
    try:
        kind.model_validate({}, context=Surroundings(Path.cwd(), Path.cwd()))
        required = set()
    except ValidationError as error:
        missing = [each for each in error.errors() if each["type"] == "missing"]
        required = {str(each["loc"][0]) for each in missing}
    names = {info.alias or field: info for field, info in kind.model_fields.items()}
    return [
        Key(
            name,
            is_required=name in required,
            is_secret=name in kind.secret_keys,
            default=None if info.is_required() else info.default,
        )
        for name, info in names.items()
        if name != "type"
    ]


def check_is_new(name: str, settings: Settings) -> None:
    """Refuse a name that is taken; the built-in `warehouse` may be put in one's own words.

    Raises:
        ConfigError: it is taken.
    """
    found = settings.profiles.get(name)
    if found is not None and found.origin != "built in":
        raise ConfigError(
            f"There is a profile {name!r} already, in {found.origin}.",
            hint="It is left as it is. Edit it there, or choose another name.",
        )


def add_profile(
    name: str, kind: str, values: Mapping[str, str], settings: Settings
) -> tuple[Path, Profile]:
    """Append the profile to the configuration file in force, or to a new `./taxietl.toml`.

    Args:
        name: what to call it.
        kind: its type.
        values: by key, as typed; a secret as its place, such as `env:PGPASSWORD`.
        settings: those in force.

    Returns:
        The file, and the profile as it was loaded from there.

    Raises:
        ConfigError: the name is taken, a value is wrong, or the file cannot be written; it is as
            it was.
    """
    table = _table(name, kind, values)
    # A link stays one: what it leads to is replaced.
    file = (settings.config_file or Path.cwd() / FILE_NAME).resolve()
    try:
        with waiting_lock(file.with_name(f".{file.name}.lock"), seconds=_LOCK_SECONDS):
            if file.exists():  # others may have written to it since
                settings = load_settings(config=settings.config_file or file, home=settings.home)
            check_is_new(name, settings)
            before = file.read_bytes() if settings.config_file else b""
            _replace(file, _appended(before, table), settings)
    except TimeoutError as error:
        raise TryLaterError(
            f"Another process has been writing to {file} for {_LOCK_SECONDS:.0f} s.",
            hint="Try again.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.", hint="Name another: --config FILE."
        ) from error
    added = load_settings(config=settings.config_file or file, home=settings.home)
    return file, added.profile(name)


def _table(name: str, kind: str, values: Mapping[str, str]) -> str:
    """The profile in TOML."""
    model = profile_type(kind)
    keys = {each.name: each for each in keys_of(model)}
    lines = [f"[profiles.{_quoted_key(name)}]", f"type = {_quoted(kind)}"]
    for key, text in values.items():
        if key not in keys:
            raise UnknownNameError(f"key of a {kind} profile", key, keys)
        variable = model.secret_keys.get(key)
        value = _secret(key, text, variable) if variable else _value(keys[key], text)
        lines.append(f"{key} = {value}")
    return "".join(f"{line}\n" for line in lines)


def _secret(key: str, text: str, variable: str) -> str:
    """A reference as TOML has it; a literal is refused, and not repeated."""
    reference = _REFERENCE.fullmatch(text)
    if reference is None:
        raise ConfigError(
            f"{key} is a secret, and is not written out here.",
            hint=f"Give the place it is read from: env:{variable} (an environment variable), "
            f"file:PATH or credential:NAME.",
        )
    return f"{{ {reference[1]} = {_quoted(reference[2])} }}"


def _value(key: Key, text: str) -> str:
    """The text as TOML has it, a number or a claim bare; what is neither fails when loaded."""
    if isinstance(key.default, bool):
        return text if text in ("true", "false") else _quoted(text)
    is_number = isinstance(key.default, int) and re.fullmatch(r"0|[1-9][0-9]*", text)
    return text if is_number else _quoted(text)


def _quoted(text: str) -> str:
    # A TOML string is a JSON string, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quoted_key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _appended(before: bytes, table: str) -> bytes:
    newline = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before else newline if before.endswith(b"\n") else newline * 2
    added = gap + table.replace("\n", newline)
    return before + added.encode("utf-8", "surrogateescape")


def _replace(file: Path, content: bytes, settings: Settings) -> None:
    """Write beside, see whether that loads, put it in place."""
    with replacing(file) as beside:
        # Of mode 0600: secrets may follow.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if settings.config_file:
            _keep_mode_and_owner(file, beside)
        _check_loads(beside, file, settings.home)


def _keep_mode_and_owner(file: Path, beside: Path) -> None:
    stat = file.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may give a file away
            os.chown(beside, stat.st_uid, stat.st_gid)
    beside.chmod(stat.st_mode & 0o7777)


def _check_loads(beside: Path, file: Path, home: Path) -> None:
    try:
        load_settings(config=beside, home=home)
    except ConfigError as error:
        message, hint = error.message.replace(str(beside), str(file)), error.hint
    else:
        return
    raise ConfigError(message, hint=f"Nothing was written. {hint}")
