"""A call's arguments as JSON: to be shown, and to be told apart; never to be read again.

What is shown holds no secret. What tells calls apart is a digest, in which secrets take part.
(`results.py` writes what is to be read again.)
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from taxietl.masking import MASK, is_secret_name, masked
from taxietl.orchestrator.results import MAX_BYTES, NATIVE

_HIDDEN = re.compile(r'"<|\*{10}')
_SHORTENED = re.compile(r'"<\w+ of [\d,]+>"')


class NoDigestError(Exception):
    """An argument has no canonical form by which it could be told apart; says which type."""


def shown(arguments: Mapping[str, object]) -> str:
    """Arguments as JSON for the history: secrets masked, what has no JSON form as `<type>`."""
    text = json.dumps(_plain(arguments, for_show=True), ensure_ascii=False)
    if len(text) > MAX_BYTES:
        text = json.dumps({name: f"<{type(each).__name__}>" for name, each in arguments.items()})
    return text


def digest_of(arguments: Mapping[str, object], text: str) -> str | None:
    """What tells arguments apart where the text shown does not; None where it does.

    Args:
        arguments: those of a call.
        text: the same as `shown` writes them.

    Returns:
        A digest; empty if they have no canonical form, or are too big to be worth one.
    """
    if not _HIDDEN.search(text):
        return None
    if _SHORTENED.search(text):
        return ""
    try:
        return told_apart(arguments)
    except NoDigestError:
        return ""


def told_apart(arguments: Mapping[str, object]) -> str:
    """A digest of arguments that is the same for equal ones, in any process.

    Secrets take part in it, and cannot be read from it.

    Raises:
        NoDigestError: an argument has no canonical form.
    """
    plain = _plain(arguments, for_show=False)
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object, *, for_show: bool) -> object:
    """A value made of JSON's types only."""

    def plain(part: object) -> object:
        return _plain(part, for_show=for_show)

    def named(name: str, part: object) -> object:
        is_secret = for_show and isinstance(part, str) and part and is_secret_name(name)
        return MASK if is_secret else plain(part)

    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        # A password in a URL has no type to tell it by.
        return masked(value) if for_show else str(value)
    if isinstance(value, NATIVE):
        return value
    if isinstance(value, (list, tuple, Mapping, AbstractSet)) and for_show and len(value) > 10_000:
        return f"<{type(value).__name__} of {len(value):,}>"
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {str(key): named(key, each) for key, each in value.items()}
        return sorted(([plain(key), plain(each)] for key, each in value.items()), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, AbstractSet):
        return sorted((plain(each) for each in value), key=json.dumps)
    if callable(reveal := getattr(value, "get_secret_value", None)):
        return MASK if for_show else plain(reveal())
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: named(field.name, getattr(value, field.name)) for field in fields(value)
        }
    if isinstance(getattr(type(value), "model_fields", None), dict):
        return {name: named(name, getattr(value, name)) for name in type(value).model_fields}  # type: ignore[attr-defined]
    return _scalar(value, for_show=for_show)


def _scalar(value: object, *, for_show: bool) -> object:
    """A value without parts."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (PurePath, Decimal, UUID)):
        return masked(str(value)) if for_show else str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if for_show:
        return f"<{type(value).__name__}>"
    raise NoDigestError(f"a {type(value).__name__} has no canonical form")
