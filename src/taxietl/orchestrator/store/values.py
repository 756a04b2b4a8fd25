"""What a value is made of: the one definition for all that look into values.

A mapping has keys and values, a list, tuple or set what is in it, a dataclass or a pydantic model
its fields. Anything else is whole: text, bytes, arrays, frames, streams, classes, members of an
enum. A value may hold itself, or be nested deep.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum, auto
from typing import Any

PLAIN = frozenset({type(None), bool, int, float, str, bytes, date, datetime})
"""Of just these types most values are: nothing is in them, nor looked for among them."""

NATIVE = (type(None), bool, int, float, str)
"""JSON's own scalars."""

SIMPLE = frozenset({type(None), bool, int, str})
"""Of just these types, JSON has any value; not so of a float."""

_WHOLE = (str, int, float, bytes, bytearray, Enum, type)
"""A subclass of these may be a container or dataclass besides; it is looked at as what it is."""

_MISSING = object()


class Shape(Enum):
    """How the parts of a value are in it."""

    MAPPING = auto()
    SEQUENCE = auto()
    SET = auto()
    FIELDS = auto()
    WHOLE = auto()
    """It has no parts."""


def shape(value: object) -> Shape:
    """How the parts of a value are in it, if it has any."""
    if type(value) in PLAIN or isinstance(value, _WHOLE):
        return Shape.WHOLE
    if isinstance(value, (list, tuple)):
        return Shape.SEQUENCE
    if isinstance(value, Mapping):
        return Shape.MAPPING
    if isinstance(value, AbstractSet):
        return Shape.SET
    return Shape.FIELDS if is_dataclass(value) or _is_model(value) else Shape.WHOLE


def is_native(value: object) -> bool:
    """JSON's own types, at any depth, and nothing that JSON would change in silence."""
    if type(value) is float:
        return math.isfinite(value)
    if type(value) in NATIVE:
        return True
    if type(value) is list:
        return all(is_native(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and is_native(each) for key, each in value.items())
    return False


def attributes(value: object) -> dict[str, object]:
    """The fields of a dataclass or pydantic model that are set, by name."""
    kind: Any = type(value)
    is_model = _is_model(value)
    names = kind.model_fields if is_model else [each.name for each in fields(kind)]
    found = {name: getattr(value, name, _MISSING) for name in names}
    if is_model:
        found |= getattr(value, "model_extra", None) or {}
    return {name: each for name, each in found.items() if each is not _MISSING}


def parts(value: object, *, keys: bool = True) -> Collection[object]:
    """What is directly in a value now (another thread may change it), keys or not."""
    match shape(value):
        case Shape.MAPPING:
            assert isinstance(value, Mapping)
            return [*(value.keys() if keys else ()), *value.values()]
        case Shape.SEQUENCE | Shape.SET:
            assert isinstance(value, Iterable)
            return list(value)
        case Shape.FIELDS:
            return attributes(value).values()
        case Shape.WHOLE:
            return ()


def found_in(
    values: Iterable[object], kinds: tuple[type, ...], *, closed: tuple[type, ...] = ()
) -> list[Any]:
    """The instances of classes among the values and all that is in them.

    Args:
        values: what to look at.
        kinds: the classes, none of them in `PLAIN`. Nothing is looked for in an instance.
        closed: classes whose instances are not looked into either.
    """
    edges = _edges(list(values), kinds, closed=closed)
    return [part for _, part in edges if isinstance(part, kinds)]


def replaced(
    value: Any,
    kinds: tuple[type, ...],
    by: Callable[[Any], object],
    *,
    closed: tuple[type, ...] = (),
) -> Any:
    """The same value with something else for each instance of classes in it.

    What holds none is passed on itself. What does is made anew, of the same class as far as that
    can be, past its constructor and validators. The keys of a mapping stay as they are: what an
    instance is replaced by need be no key, and need not differ from the others.

    Args:
        value: it may itself be an instance.
        kinds: the classes, none of them in `PLAIN`.
        by: gives what takes an instance's place.
        closed: classes whose instances stay as they are.
    """
    return _Replacing([value], kinds, by, closed).made(value)


def _edges(
    root: object, kinds: tuple[type, ...], *, closed: tuple[type, ...], keys: bool = True
) -> Iterator[tuple[object, object]]:
    """What is in the root at any depth and is no plain value, each after what it is directly in."""
    ends = (*kinds, *closed)
    seen: dict[int, object] = {}  # kept, for their ids to stay theirs
    ahead = [(root, iter(parts(root, keys=keys)))]
    while ahead:
        holder, inner = ahead[-1]
        for part in inner:
            if type(part) in PLAIN:
                continue
            yield holder, part
            if isinstance(part, ends) or id(part) in seen:
                continue
            seen[id(part)] = part
            ahead.append((part, iter(parts(part, keys=keys))))
            break
        else:
            ahead.pop()


class _Replacing:
    """Makes values anew that hold what is to be replaced.

    Args:
        root: the values are in it.
        kinds, by, closed: see `replaced`.
    """

    def __init__(
        self,
        root: object,
        kinds: tuple[type, ...],
        by: Callable[[Any], object],
        closed: tuple[type, ...],
    ) -> None:
        self._kinds, self._by = kinds, by
        self._made: dict[int, Any] = {}
        holders: dict[int, list[object]] = {}
        ahead = []
        for holder, part in _edges(root, kinds, closed=closed, keys=False):
            holders.setdefault(id(part), []).append(holder)
            if isinstance(part, kinds):
                ahead.append(holder)
        self._concerned: dict[int, object] = {}
        """What holds an instance, at any depth."""
        while ahead:
            holder = ahead.pop()
            if id(holder) not in self._concerned:
                self._concerned[id(holder)] = holder
                ahead += holders.get(id(holder), ())

    def made(self, value: Any) -> Any:
        """The value, or what takes its place."""
        if isinstance(value, self._kinds):
            return self._by(value)
        if id(value) not in self._concerned:
            return value
        if id(value) not in self._made:
            self._make(value)
        return self._made[id(value)]

    def _make(self, value: Any) -> None:
        """Make it anew; what can be there before its parts is, since they may hold it."""
        if shape(value) is Shape.FIELDS:
            self._made[id(value)] = new = _twin(value)
            for name, each in attributes(value).items():
                if (part := self.made(each)) is not each:
                    _set(new, name, part)
        elif isinstance(value, Mapping):
            self._made[id(value)] = new = _empty(value) if isinstance(value, dict) else {}
            # Past what a class of the user's own does when an item is set.
            put: Any = (OrderedDict if isinstance(new, OrderedDict) else dict).__setitem__
            for key, each in list(value.items()):
                put(new, key, self.made(each))
        elif isinstance(value, list):
            self._made[id(value)] = new = _empty(value)
            list.extend(new, map(self.made, value))
        else:
            inner = list(map(self.made, value))
            # Made meanwhile if one of its parts holds it.
            self._made.setdefault(id(value), _filled(value, inner))


def _filled(value: Any, inner: list[object]) -> Any:
    """A tuple or set like that one."""
    if isinstance(value, (tuple, frozenset)):
        new = _builtin_base(type(value)).__new__(type(value), inner)
    elif isinstance(value, set):
        new = set.__new__(type(value))
        set.update(new, inner)
    else:
        return set(inner)
    _copy_attributes(value, new)
    return new


def _empty(value: Any) -> Any:
    """An empty list or dict of the same class, which its constructor does not know of."""
    new = _builtin_base(type(value)).__new__(type(value))
    if hasattr(value, "default_factory"):
        new.default_factory = value.default_factory
    _copy_attributes(value, new)
    return new


def _twin(value: Any) -> Any:
    """A dataclass or model with the same in it, which its constructor does not know of."""
    if _is_model(value):
        return value.model_copy()
    try:
        new = object.__new__(type(value))
    except TypeError:  # an exception, say, which only its class can copy
        return copy(value)
    _copy_attributes(value, new)
    return new


def _set(value: Any, name: str, part: object) -> None:
    """Set a field, be it frozen."""
    extra = getattr(value, "model_extra", None) if _is_model(value) else None
    if extra and name in extra:
        extra[name] = part
    else:
        object.__setattr__(value, name, part)


def _copy_attributes(value: object, new: object) -> None:
    """Whatever is kept of the value beside what a built-in class keeps, in slots too."""
    state = object.__getstate__(value)
    own, in_slots = state if isinstance(state, tuple) else (state, None)
    if own:
        new.__dict__.update(own)
    for name, each in (in_slots or {}).items():
        object.__setattr__(new, name, each)


def _builtin_base(kind: type) -> Any:
    """The class it is made of whose instances are not made in Python."""
    return next(each for each in kind.__mro__ if getattr(each.__new__, "__self__", None) is each)


def _is_model(value: object) -> bool:
    kind = type(value)
    return isinstance(getattr(kind, "model_fields", None), dict) and hasattr(kind, "model_copy")
