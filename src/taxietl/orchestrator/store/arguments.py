"""A call's arguments as JSON, to be shown: no secret is in it, and it is never read again.

(`canonical.py` makes what tells calls apart, `results.py` writes what is to be read again.)
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from taxietl.masking import MASK, holds_secret, is_secret_name, masked
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart
from taxietl.orchestrator.store.results import MAX_BYTES
from taxietl.orchestrator.store.values import NATIVE, SIMPLE, Shape, attributes, is_native, shape

_MAX_LENGTH = 10_000
"""Of what is longer only the length is shown."""


def shown(arguments: Mapping[str, object]) -> str:
    """Arguments as JSON for the history: secrets masked, what has no JSON form as `<type>`."""
    return _Shown(arguments).text


def shown_with_digest(
    arguments: Mapping[str, object], *, bulk: bool | None = False
) -> tuple[str, str | None]:
    """Arguments as `shown` writes them, and what tells them apart where that text does not.

    Args:
        bulk: tell apart what is big, too: it is all read.

    Returns:
        The text and a digest. None where the text tells all there is; empty if the arguments
        have no canonical form, or are too big to be worth one.
    """
    written = _Shown(arguments)
    if written.leaves_out_bulk and not bulk:
        return written.text, ""
    is_whole = not (written.masks or written.is_cut or written.leaves_out_bulk)
    if is_whole and all(type(each) in SIMPLE or is_native(each) for each in arguments.values()):
        return written.text, None
    try:
        return written.text, told_apart(arguments)
    except NoDigestError:
        return written.text, ""


def shown_value(value: object, *, name: str = "") -> object:
    """One value of that name, made of JSON's types: masked, what has no JSON form as `<type>`."""
    try:
        return _Showing().named(name, value)
    except RecursionError:  # it holds itself
        return f"<{type(value).__name__}>"


def hides(value: object) -> bool:
    """Whether something in the value is masked where it is shown, as a secret is.

    Ten asterisks in a text of the user's own are none.
    """
    showing = _Showing()
    with suppress(RecursionError):  # what holds itself is not kept either
        showing.plain(value)
    return showing.masks


class _Shown:
    """Arguments as JSON, and what is not in it."""

    def __init__(self, arguments: Mapping[str, object]) -> None:
        showing = _Showing()
        try:
            self.text = json.dumps(showing.mapping(arguments), ensure_ascii=False)
        except RecursionError:  # one holds itself
            self.text = ""
        self.masks, self.leaves_out_bulk = showing.masks, showing.leaves_out_bulk
        self.is_cut = not self.text or len(self.text) > MAX_BYTES
        """Of each argument there is only its type."""
        if self.is_cut:
            types = {name: f"<{type(each).__name__}>" for name, each in arguments.items()}
            self.text = json.dumps(types)
            self.leaves_out_bulk = any(map(_is_bulk, arguments.values()))


class _Showing:
    """Values made of JSON's types only; knows what of them it did not write."""

    def __init__(self) -> None:
        self.masks = False
        """A secret was masked."""
        self.leaves_out_bulk = False
        """A long container, an array or a frame was left out."""

    def plain(self, value: object) -> object:
        """A value made of JSON's types only."""
        if isinstance(value, Enum):
            return self.plain(value.value)
        if isinstance(value, str):
            # A password in a URL has no type to tell it by.
            return self._masked(value)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)  # JSON has no NaN
        if isinstance(value, NATIVE):
            return value
        inner: Any = value
        found = shape(value)
        match found:
            case Shape.MAPPING | Shape.SEQUENCE | Shape.SET if len(inner) > _MAX_LENGTH:
                self.leaves_out_bulk = True
                return f"<{type(value).__name__} of {len(inner):,}>"
            case Shape.MAPPING:
                return self.mapping(inner)
            case Shape.SEQUENCE:
                return [self.plain(each) for each in inner]
            case Shape.SET:
                return sorted((self.plain(each) for each in inner), key=json.dumps)
        if callable(getattr(value, "get_secret_value", None)):
            return self._mask()
        if found is Shape.FIELDS:
            return {name: self.named(name, each) for name, each in attributes(value).items()}
        return self._scalar(value)

    def mapping(self, value: Mapping[Any, object]) -> object:
        """A mapping by its keys, or as pairs where one of them is no text."""
        if all(isinstance(key, str) for key in value):
            return {self._masked(str(key)): self.named(key, each) for key, each in value.items()}
        pairs = ([self.plain(key), self.plain(each)] for key, each in value.items())
        return sorted(pairs, key=json.dumps)

    def named(self, name: str, value: object) -> object:
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
        if (numpy := sys.modules.get("numpy")) and isinstance(value, numpy.generic):
            found = value.item()
            return self.plain(found if isinstance(found, NATIVE) else str(value))
        if isinstance(value, bytes):
            if holds_secret(value.decode("latin-1")):
                return self._mask()
            return base64.b64encode(value).decode()
        self.leaves_out_bulk = self.leaves_out_bulk or _is_bulk(value)
        return f"<{type(value).__name__}>"

    def _masked(self, text: str) -> str:
        found = masked(text)
        self.masks = self.masks or found != text
        return found

    def _mask(self) -> str:
        self.masks = True
        return MASK


def _is_bulk(value: object) -> bool:
    """An array of numpy's, a DataFrame or an Arrow table."""
    numpy = sys.modules.get("numpy")  # who has not loaded it has no array
    is_array = numpy is not None and type(value) is numpy.ndarray
    return is_array or frames.kind_of(value) is not None
