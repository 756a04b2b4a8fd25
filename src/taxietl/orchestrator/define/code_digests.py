"""What a function does, as far as its own code tells: a digest that a changed body changes.

It covers the function's instructions and constants, the functions defined in it, and what it takes
from an enclosing function: other functions, and values that cannot be changed (text, numbers,
dates, paths, members of an enum, tuples and frozen dataclasses of these). It does not cover
functions that it calls by a global name, nor global values, nor what is captured and can be
changed. Comments and docstrings do not count, the place in the file neither.

Of the compiled code, not of the source: a file may have been edited since it was loaded. So
another minor version of Python gives another digest; a patch release does not.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import CodeType
from typing import Any
from uuid import UUID

from taxietl.orchestrator.store.canonical import NoDigestError, canonical
from taxietl.orchestrator.store.places import type_place

PREFIX = "code:"
"""What a version begins with that is such a digest."""
_KINDS = 0x3FF
"""Flags that say what a call does: takes `*args`, gives a generator. Others are of the module."""
_HAS_DOCSTRING = 0x4000000  # Python 3.14 on; before, a docstring is the first constant
_FIXED = (
    str,
    int,
    float,
    complex,
    bytes,
    Enum,
    date,
    time,
    timedelta,
    PurePath,
    Decimal,
    UUID,
    type,
)


def code_version(function: Callable[..., Any]) -> str:
    """A version made of a function's code; see above for what it covers."""
    text = json.dumps(_described(function, frozenset()), sort_keys=True)
    return PREFIX + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def fixed_version(function: Callable[..., Any]) -> str | None:
    """The same where it will not change: of a function that captures nothing; else None."""
    is_fixed = inspect.isfunction(function) and not function.__closure__
    return code_version(function) if is_fixed else None


def _described(function: Any, above: frozenset[int]) -> object:
    """A function as JSON's types; `above` are those that it is described within."""
    if not inspect.isroutine(function):  # the function of a task or flow
        function = getattr(function, "function", function)
    if id(function) in above:
        return "itself"
    above |= {id(function)}
    if isinstance(function, functools.partial):
        given = [_fixed(each, above) for each in (*function.args, *function.keywords.items())]
        return ["partial", _described(function.func, above), given]
    if inspect.ismethod(function):
        return ["method", _described(function.__func__, above), _fixed(function.__self__, above)]
    if inspect.isfunction(function):
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        captured = {name: _captured(cell, above) for name, cell in cells}
        return ["function", _code(function.__code__), captured]
    if callable(wrapped := getattr(function, "__wrapped__", None)):
        return ["wrapper", type_place(type(function)), _described(wrapped, above)]
    call = vars(type(function)).get("__call__")
    if inspect.isfunction(call):
        return ["callable", _described(call, above), _fixed(function, above)]
    return [type_place(type(function)), str(getattr(function, "__qualname__", ""))]


def _captured(cell: Any, above: frozenset[int]) -> object:
    try:
        value = cell.cell_contents
    except ValueError:
        return "empty"
    is_code = inspect.isroutine(value) or callable(getattr(value, "function", None))
    return _described(value, above) if is_code else _fixed(value, above)


def _fixed(value: object, above: frozenset[int]) -> object:
    """A value that cannot be changed; of others, only what they are."""
    if inspect.isroutine(value):
        return _described(value, above)
    try:
        if _is_fixed(value):
            return canonical(value)
    except (NoDigestError, RecursionError):
        pass
    return [type_place(type(value))]


def _is_fixed(value: object) -> bool:
    if isinstance(value, (tuple, frozenset)):
        return all(_is_fixed(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return bool(type(value).__dataclass_params__.frozen)  # type: ignore[attr-defined]
    return value is None or isinstance(value, _FIXED)


def _code(code: CodeType) -> list[object]:
    constants = list(code.co_consts)
    if _has_docstring(code):
        constants[0] = None
    return [
        code.co_code.hex(),
        code.co_exceptiontable.hex(),
        code.co_flags & _KINDS,
        [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount],
        [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars],
        [_constant(each) for each in constants],
    ]


def _has_docstring(code: CodeType) -> bool:
    if sys.version_info >= (3, 14):
        return bool(code.co_flags & _HAS_DOCSTRING)
    return bool(code.co_consts) and isinstance(code.co_consts[0], str) and code.co_name[0] != "<"


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return _code(value)
    if isinstance(value, tuple):
        return ["tuple", [_constant(each) for each in value]]
    if isinstance(value, frozenset):  # in an order that differs between processes
        return ["set", sorted((_constant(each) for each in value), key=json.dumps)]
    return [type(value).__name__, repr(value)]
