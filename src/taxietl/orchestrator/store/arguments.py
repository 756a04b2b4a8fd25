"""A call's arguments as JSON, to be shown: no secret is in it, and it is never read again.

(`canonical.py` makes what tells calls apart, `results.py` writes what is to be read again.)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from uuid import UUID

from taxietl.masking import MASK, holds_secret, is_secret_name, masked
from taxietl.orchestrator.store.canonical import NoDigestError, attributes, told_apart
from taxietl.orchestrator.store.results import MAX_BYTES, NATIVE, is_native

_HIDDEN = re.compile(r'"<|\*{10}')
_BIG = re.compile(r'"<(\w+ of [\d,]+|ndarray|DataFrame|Table)>"')


def shown(arguments: Mapping[str, object]) -> str:
    """Arguments as JSON for the history: secrets masked, what has no JSON form as `<type>`."""
    try:
        text = json.dumps(_Showing().plain(arguments), ensure_ascii=False)
    except RecursionError:  # one holds itself
        text = ""
    if not text or len(text) > MAX_BYTES:
        text = json.dumps({name: f"<{type(each).__name__}>" for name, each in arguments.items()})
    return text


def hides(value: object) -> bool:
    """Whether something in the value is masked where it is shown, as a secret is.

    Ten asterisks in a text of the user's own are none.
    """
    showing = _Showing()
    with suppress(RecursionError):  # what holds itself is not kept either
        showing.plain(value)
    return showing.hides


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


class _Showing:
    """Values made of JSON's types only; knows whether something in them was masked."""

    def __init__(self) -> None:
        self.hides = False

    def plain(self, value: object) -> object:
        """A value made of JSON's types only."""
        if isinstance(value, Enum):
            return self.plain(value.value)
        if isinstance(value, str):
            # A password in a URL has no type to tell it by.
            return self._masked(value)
        if isinstance(value, NATIVE):
            return value
        if isinstance(value, (list, tuple, Mapping, AbstractSet)) and len(value) > 10_000:
            return f"<{type(value).__name__} of {len(value):,}>"
        if isinstance(value, Mapping):
            if all(isinstance(key, str) for key in value):
                return {
                    self._masked(str(key)): self._named(key, each) for key, each in value.items()
                }
            return sorted(
                ([self.plain(key), self.plain(each)] for key, each in value.items()), key=json.dumps
            )
        if isinstance(value, (list, tuple)):
            return [self.plain(each) for each in value]
        if isinstance(value, AbstractSet):
            return sorted((self.plain(each) for each in value), key=json.dumps)
        if callable(getattr(value, "get_secret_value", None)):
            return self._mask()
        if (parts := attributes(value)) is not None:
            return {name: self._named(name, each) for name, each in parts.items()}
        return self._scalar(value)

    def _named(self, name: str, value: object) -> object:
        """The value of that name, which may say that it is a secret."""
        is_secret = isinstance(value, (str, bytes)) and value and is_secret_name(name)
        return self._mask() if is_secret else self.plain(value)

    def _scalar(self, value: object) -> object:
        """A value without parts."""
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, (PurePath, Decimal, UUID)):
            return self._masked(str(value))
        if isinstance(value, bytes):
            if holds_secret(value.decode("latin-1")):
                return self._mask()
            return base64.b64encode(value).decode()
        return f"<{type(value).__name__}>"

    def _masked(self, text: str) -> str:
        found = masked(text)
        self.hides = self.hides or found != text
        return found

    def _mask(self) -> str:
        self.hides = True
        return MASK
