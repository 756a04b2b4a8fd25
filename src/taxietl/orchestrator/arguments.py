"""A call's arguments as JSON, to be shown: no secret is in it, and it is never read again.

(`canonical.py` makes what tells calls apart, `results.py` writes what is to be read again.)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from taxietl.masking import MASK, is_secret_name, masked
from taxietl.orchestrator.canonical import NoDigestError, attributes, told_apart
from taxietl.orchestrator.results import MAX_BYTES, NATIVE, is_native

_HIDDEN = re.compile(r'"<|\*{10}')
_BIG = re.compile(r'"<(\w+ of [\d,]+|ndarray|DataFrame|Table)>"')


def shown(arguments: Mapping[str, object]) -> str:
    """Arguments as JSON for the history: secrets masked, what has no JSON form as `<type>`."""
    text = json.dumps(_plain(arguments), ensure_ascii=False)
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
    if _BIG.search(text):
        return ""
    if not _HIDDEN.search(text) and all(map(is_native, arguments.values())):
        return None
    try:
        return told_apart(arguments)
    except NoDigestError:
        return ""


def _plain(value: object) -> object:
    """A value made of JSON's types only."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, str):
        # A password in a URL has no type to tell it by.
        return masked(value)
    if isinstance(value, NATIVE):
        return value
    if isinstance(value, (list, tuple, Mapping, AbstractSet)) and len(value) > 10_000:
        return f"<{type(value).__name__} of {len(value):,}>"
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {masked(str(key)): _named(key, each) for key, each in value.items()}
        return sorted(([_plain(key), _plain(each)] for key, each in value.items()), key=json.dumps)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, AbstractSet):
        return sorted((_plain(each) for each in value), key=json.dumps)
    if callable(getattr(value, "get_secret_value", None)):
        return MASK
    if (parts := attributes(value)) is not None:
        return {name: _named(name, each) for name, each in parts.items()}
    return _scalar(value)


def _named(name: str, value: object) -> object:
    """The value of that name, which may say that it is a secret."""
    is_secret = isinstance(value, str) and value and is_secret_name(name)
    return MASK if is_secret else _plain(value)


def _scalar(value: object) -> object:
    """A value without parts."""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (PurePath, Decimal, UUID)):
        return masked(str(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return f"<{type(value).__name__}>"
