"""What tells the arguments of two calls apart: a form that only the same arguments have.

Each value that is no JSON scalar goes with its type, so that 50 °C are not 50 °F, nor a path its
text. A digest is made of the form, in which secrets take part and cannot be read.
(`arguments.py` writes what is shown.)
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from taxietl.masking import masked
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.places import type_place
from taxietl.orchestrator.store.values import NATIVE, Shape, attributes, shape

_JSON_CONTAINERS = (list, dict)
_MAX_TYPES = 100
_BASES: dict[type, Callable[[Any], object]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}
_MAY_HOLD_MORE = (
    *(str, int, float, complex, bytes, bytearray, dict, list, tuple, set, frozenset),
    *(date, time, timedelta, Decimal),
)
"""Of a subclass of these, a value may have attributes."""


class NoDigestError(Exception):
    """An argument has no canonical form by which it could be told apart; says which type."""


def told_apart(arguments: Mapping[str, object]) -> str:
    """A digest of arguments that is the same for equal ones of the same types, in any process.

    Raises:
        NoDigestError: an argument has no canonical form.
    """
    try:
        form = {name: canonical(each) for name, each in arguments.items()}
    except RecursionError:
        raise NoDigestError("a value that holds itself has no canonical form") from None
    return hashlib.sha256(_text(form).encode("utf-8", "surrogatepass")).hexdigest()


def types_in(arguments: Mapping[str, object]) -> dict[str, str]:
    """The types of what is not JSON's own among the arguments, by where it stands: `a.b[0]`."""
    found: dict[str, str] = {}
    try:
        for name, value in arguments.items():
            for where, kind in _types(name, value):
                found[masked(where)] = kind  # a key of a mapping may be a URL
                if len(found) == _MAX_TYPES:
                    return found
    except RecursionError:
        pass
    return found


def canonical(value: object) -> object:
    """A value made of JSON's types: a scalar as it is, anything else as `[type, content]`."""
    if type(value) in NATIVE:
        return value
    form = [type_place(type(value)), _content(value)]
    if more := _beside(value):
        form.append({name: canonical(each) for name, each in more.items()})
    return form


def _content(value: object) -> object:
    """What a value of its type is."""
    if isinstance(value, Enum):
        return _member(value)
    for base, plain in _BASES.items():  # of a subclass, past what it may have overridden
        if isinstance(value, base):
            return plain(value)
    if callable(reveal := getattr(value, "get_secret_value", None)):
        return canonical(reveal())
    inner: Any = value
    match shape(value):
        case Shape.MAPPING:
            pairs = ([canonical(key), canonical(each)] for key, each in inner.items())
            return list(pairs) if isinstance(value, OrderedDict) else sorted(pairs, key=_text)
        case Shape.SEQUENCE:
            return [canonical(each) for each in inner]
        case Shape.SET:
            return sorted((canonical(each) for each in inner), key=_text)
        case Shape.FIELDS:
            return {name: canonical(each) for name, each in attributes(value).items()}
        case Shape.WHOLE:
            return _scalar(value)


def _beside(value: object) -> dict[str, object]:
    """What a value holds beside its content: a number of a class of its own may have a unit.

    A dataclass is what its fields are, as `==` has it; a pydantic model its private ones, too.
    """
    if isinstance(value, Enum):
        return {}
    if not isinstance(value, _MAY_HOLD_MORE):
        return dict(getattr(value, "__pydantic_private__", None) or {})
    state = object.__getstate__(value)
    parts = state if isinstance(state, tuple) else (state,)  # the second: what is in slots
    return {name: each for part in parts if part for name, each in part.items()}


def _member(value: Enum) -> object:
    """A member by its name, and by its value if that has a form: either may be changed."""
    try:
        return [value.name, canonical(value.value)]
    except NoDigestError:
        return [value.name]


def _scalar(value: object) -> object:
    """A value without parts."""
    if isinstance(value, (datetime, time)):
        zone = value.tzinfo
        # A zone and a fixed offset may agree today, and not after a day was added.
        form = [value.isoformat(), zone and [type_place(type(zone)), getattr(zone, "key", None)]]
        return [*form, value.fold] if value.fold else form  # an hour that comes twice
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return [value.days, value.seconds, value.microseconds, getattr(value, "nanoseconds", 0)]
    if isinstance(value, (PurePath, Decimal, UUID)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, type):
        return type_place(value)
    if isinstance(value, (complex, range)) or value is Ellipsis:
        return repr(value)
    return _array(value)


def _array(value: object) -> object:
    """A scalar or an array of numpy's, a DataFrame or an Arrow table."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.generic, numpy.ndarray)):
        if getattr(value, "__dict__", None):
            raise NoDigestError(f"a {type(value).__name__} has no canonical form")  # a mask
        array: Any = numpy.asarray(value)
        if array.dtype.hasobject:
            return [str(array.dtype), list(array.shape), canonical(array.tolist())]
        content = hashlib.sha256(array.tobytes()).hexdigest()
        return [str(array.dtype), list(array.shape), content]
    if (digest := frames.digest(value)) is not None:
        # What a user has noted of a frame goes with it.
        return [digest, canonical(noted)] if (noted := getattr(value, "attrs", None)) else digest
    raise NoDigestError(f"a {type(value).__name__} has no canonical form")


def _text(form: object) -> str:
    return json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _types(where: str, value: object) -> Iterator[tuple[str, str]]:
    kind = type(value)
    if kind in NATIVE:
        return
    if kind not in _JSON_CONTAINERS:
        yield where, type_place(kind)
    inner: Any = value
    match shape(value):
        case Shape.MAPPING | Shape.FIELDS as found:
            named = inner if found is Shape.MAPPING else attributes(value)
            for name, each in named.items():
                yield from _types(f"{where}.{name!s}", each)
        case Shape.SEQUENCE:
            for number, each in enumerate(inner):
                yield from _types(f"{where}[{number}]", each)
