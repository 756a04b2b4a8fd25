"""Whether a user's function can be called as it will be, found out when it is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from taxietl.errors import ConfigError


def refuse_misfit(what: str, function: Callable[..., Any], *, takes: str, hint: str) -> None:
    """Refuse a function that cannot be called with one argument, or is async.

    Args:
        what: where it was given, such as "Retry(retry_if=…)".
        takes: what the one argument is.
        hint: how to write it.

    Raises:
        ConfigError: it is not called with one argument, or what it gives has to be awaited.
    """
    name = getattr(function, "__qualname__", repr(function))
    if inspect.iscoroutinefunction(function):
        raise ConfigError(f"{what} is given {name}, which is async and would never run.", hint=hint)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a built-in that does not tell
        return
    try:
        signature.bind(None)
    except TypeError:
        raise ConfigError(
            f"{what} is given {name}{signature}, which is to be called with one argument, {takes}.",
            hint=hint,
        ) from None
