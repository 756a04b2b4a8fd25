"""Where a function or class is defined, so that two of one name are told apart.

A script is its file, whether it is run itself (`__main__`) or loaded by `taxietl run`; a module of
a package is its dotted name, wherever the package is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary


def module_place(namespace: Mapping[str, Any]) -> str | None:
    """What to find a module by: its name if it lies in a package, else its file.

    Args:
        namespace: the module's names.

    Returns:
        None for a module that is no file: a session, or one made in memory.
    """
    spec = namespace.get("__spec__")
    # `python -m package` runs `package.__main__`; a lone file is found by its path only.
    name = str(spec.name if spec is not None else namespace.get("__name__", ""))
    if "." in name:
        return name
    file = namespace.get("__file__")
    return str(Path(file).resolve()) if file and file.endswith(".py") else None


def function_place(function: Callable[..., Any]) -> str:
    """A function's module and qualified name: `/home/ana/flows.py:fetch`."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    # A function knows its module itself: by name, two scripts of one name are the same.
    namespace = getattr(function, "__globals__", None)
    module = str(getattr(function, "__module__", None) or type(function).__module__)
    if namespace is None:
        namespace = vars(sys.modules[module]) if module in sys.modules else {}
    return f"{module_place(namespace) or module}:{name}"


def type_place(kind: type) -> str:
    """A class's module and qualified name: `Path` is `pathlib.PosixPath`, `int` is `int`."""
    place = _known.get(kind)
    if place is None:
        place = _known[kind] = _type_place(kind)
    return place


_known: WeakKeyDictionary[type, str] = WeakKeyDictionary()


def _type_place(kind: type) -> str:
    if kind.__module__ == "builtins":
        return kind.__qualname__
    package = kind.__module__.partition(".")[0]
    if package in sys.stdlib_module_names:  # which file it is in differs between versions
        return f"{package}.{kind.__qualname__}"
    module = sys.modules.get(kind.__module__)
    place = module_place(vars(module)) if module else None
    return f"{place or kind.__module__}:{kind.__qualname__}"
