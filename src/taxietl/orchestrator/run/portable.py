"""Pickles for the way between a run and an isolated task's process; never for storage.

An exception is pickled by its class, `args` and attributes, and made again without calling its
constructor, which may ask for something else than `args`: `Retry(on=HttpError)` has to see an
`HttpError`. What cannot travel of it (an attribute that holds a socket, a class that no module
has by its name) is left out or replaced by the next best: the text, the class above.
"""

from __future__ import annotations

import io
import pickle
import types
from collections.abc import Callable
from typing import Any


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseException) and not _has_own_way(type(obj)):
            return _made_again, _reduced(obj)
        return NotImplemented


def dumps(value: object) -> bytes:
    """A value as bytes; raises whatever pickling it raises."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()


def error_dumps(error: BaseException) -> bytes | None:
    """An exception as bytes from which `pickle.loads` makes it again; None if nothing will do."""
    makers: tuple[Callable[[BaseException], object], ...] = (lambda each: each, _substitute)
    for make in makers:
        try:
            data = dumps(make(error))
            pickle.loads(data)
        except Exception:  # noqa: BLE001 - then the next best has to do
            continue
        return data
    return None


def _has_own_way(kind: type) -> bool:
    """Its author has said how it is pickled, and that works as it was meant."""
    return isinstance(kind.__reduce__, types.FunctionType) or isinstance(
        kind.__reduce_ex__, types.FunctionType
    )


def _reduced(error: BaseException) -> tuple[Any, ...]:
    """What `_made_again` takes."""
    # A built-in class may keep more than `args` and `__dict__`: a file's name, say.
    reduced: Any = error.__reduce__()
    args, state = reduced[1], (reduced[2] or {}) if len(reduced) > 2 else {}
    attributes = {name: _portable(value) for name, value in state.items()}
    is_hidden = error.__suppress_context__ or error.__context__ is error.__cause__
    cause, context = error.__cause__, None if is_hidden else error.__context__
    chain = [each and error_dumps(each) for each in (cause, context)]
    return type(error), tuple(map(_portable, args)), attributes, chain, error.__suppress_context__


def _made_again(
    kind: type[BaseException],
    args: tuple[Any, ...],
    attributes: dict[str, Any],
    chain: list[bytes | None],
    suppresses: bool,
) -> BaseException:
    error = kind.__new__(kind, *args)
    # The constructor of the built-in class it comes from sets what is kept outside `__dict__`.
    initializers: list[Any] = [vars(each).get("__init__") for each in kind.__mro__]
    native = next(each for each in initializers if isinstance(each, types.WrapperDescriptorType))
    native(error, *args)
    error.__setstate__(attributes)
    error.__cause__, error.__context__ = [pickle.loads(each) if each else None for each in chain]
    error.__suppress_context__ = suppresses
    return error


def _portable(value: object) -> object:
    """The value if it can travel, else its text."""
    if isinstance(value, (str, bytes, int, float, bool, type(None))):
        return value
    try:
        pickle.loads(dumps(value))
    except Exception:  # noqa: BLE001 - whatever its own code raises
        return repr(value)
    return value


def _substitute(error: BaseException) -> BaseException:
    """An error of the nearest class above that can travel, with the text of this one."""
    text = f"{type(error).__qualname__}: {error}"
    kinds = [each for each in type(error).__mro__[1:] if issubclass(each, BaseException)]
    for kind in kinds[: kinds.index(Exception)] if Exception in kinds else []:
        try:
            substitute = kind.__new__(kind, text)
            BaseException.__init__(substitute, text)
            pickle.loads(dumps(substitute))
        except Exception:  # noqa: BLE001 - it cannot be made so, or cannot travel either
            continue
        return _like(substitute, error)
    return _like(RuntimeError(text), error)


def _like(substitute: BaseException, error: BaseException) -> BaseException:
    """With the attributes and notes of that error, which `retry_if=` may look at."""
    vars(substitute).update({name: _portable(value) for name, value in vars(error).items()})
    return substitute
