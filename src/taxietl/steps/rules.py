"""What `--transform` says, taken apart: which rule, and its options.

A rule is the name of an entry point or `FILE_OR_MODULE:NAME`; options follow after a colon:
`drop-impossible-trips:max_hours=12`, `rules.py:DropShort:miles=0.1,vendors=[1,2]`.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxietl.errors import ConfigError, UnknownNameError

_TEXT = re.compile(r"(?P<name>.+?)(?::(?P<options>[A-Za-z_]\w*=.*))?", re.DOTALL)
_NEXT_OPTION = re.compile(r",(?=[A-Za-z_]\w*=)")


@dataclass(frozen=True)
class Rule:
    """A rule asked for: its name, and its options as they were typed."""

    name: str
    options: Mapping[str, str]

    @property
    def location(self) -> tuple[str, str] | None:
        """`FILE_OR_MODULE` and `NAME`, if it is given by these; None for an entry point."""
        where, colon, attribute = self.name.rpartition(":")
        return (where, attribute) if colon else None

    @property
    def label(self) -> str:
        """The name in the ledger and the counts: the same wherever the rule's file lies."""
        if self.location is None:
            return self.name
        where, attribute = self.location
        return f"{Path(where).stem if where.endswith('.py') else where}:{attribute}"


def parse(text: str) -> Rule:
    """Take apart what `--transform` was given.

    Raises:
        ConfigError: it is empty, or gives an option twice.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ConfigError("The name of a transformer is empty.", hint="Write --transform NAME.")
    options: dict[str, str] = {}
    for each in _NEXT_OPTION.split(found["options"]) if found["options"] else ():
        name, _, value = each.partition("=")
        if name in options:
            raise ConfigError(f"{found['name']}: the option {name} is given twice.")
        options[name] = value
    return Rule(found["name"], options)


def values_of(rule: Rule, step: Callable[..., Any]) -> dict[str, Any]:
    """The rule's options as the types that the step's parameters say.

    Raises:
        UnknownNameError: the step has no such option.
        ConfigError: a text is no value of the option's type.
    """
    if not rule.options:
        return {}
    parameters = inspect.signature(step).parameters
    known = [name for name in parameters if name != "version"]
    values = {}
    for name, text in rule.options.items():
        if name not in known:
            raise UnknownNameError(f"option of the transformer {rule.label!r}", name, known)
        values[name] = _value(rule, name, text, _kind(parameters[name], step))
    return values


def _kind(parameter: inspect.Parameter, step: Callable[..., Any]) -> Any:
    """The parameter's type; anything goes where it has none that can be found out."""
    kind = parameter.annotation
    if isinstance(kind, str):
        module = sys.modules.get(step.__module__)
        try:
            kind = eval(kind, dict(vars(module)) if module else {})
        except Exception:  # noqa: BLE001  a name imported for type checking only
            return Any
    return Any if kind is inspect.Parameter.empty else kind


def _value(rule: Rule, name: str, text: str, kind: Any) -> Any:
    from pydantic import TypeAdapter, ValidationError

    adapter = TypeAdapter[Any](kind)
    try:
        if kind is not Any:
            return adapter.validate_strings(text)
    except ValidationError as error:
        reason = error.errors(include_url=False, include_input=False)[0]["msg"]
    else:
        reason = ""
    try:
        return adapter.validate_python(json.loads(text))
    except (ValidationError, json.JSONDecodeError):
        if kind is Any:
            return text
        raise ConfigError(
            f"{rule.label}: {name}={text} is not one: {reason}.",
            hint=f"Write {rule.name}:{name}=VALUE; several options are set apart by commas.",
        ) from None
