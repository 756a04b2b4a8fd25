"""A form for a flow, made from its type hints as its file writes them; nothing of it is run. Pure.

What a hint means beyond a few well-known types is known only to the process that runs the flow,
which reads each text as `taxietl run -p NAME=VALUE` does, and says what is wrong with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from taxietl.masking import is_secret_name
from taxietl.orchestrator.query.listing import ListedFlow, ListedParameter

_TRUE, _FALSE = "true", "false"


@dataclass(frozen=True)
class Field:
    """What is asked of one parameter."""

    name: str
    type: str
    """As the file has it; `any` where there is none."""

    kind: str
    """`text`, `number`, `date`, `choice`, or `secret`: that is no field of a form."""

    required: bool
    default: str
    """What holds if it is left empty; as the file has it."""

    choices: tuple[str, ...] = ()
    is_json: bool = False
    """Several values, which are one JSON text."""

    check: Callable[[str], str] = lambda _: ""
    """What is wrong with a text, as far as that is known here."""


def form_of(flow: ListedFlow) -> tuple[Field, ...]:
    """The fields; none for `**others`, whose names nobody knows."""
    return tuple(_field(each) for each in flow.parameters if not each.name.startswith("**"))


def arguments_of(form: tuple[Field, ...], given: Mapping[str, str]) -> list[str]:
    """What to give `taxietl run`; a field that is left empty is not given."""
    return [
        f"--parameter={field.name}={given[field.name]}"
        for field in form
        if field.kind != "secret" and given.get(field.name, "") != ""
    ]


def problems_of(form: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with what was given, by field."""
    found = {}
    for field in form:
        text = given.get(field.name, "")
        if field.kind == "secret":
            problem = "A secret goes into no form." if field.required else ""
        elif text == "":
            problem = "It is required." if field.required else ""
        elif "\x00" in text:
            problem = "It holds a character that no command line can."
        else:
            problem = field.check(text)
        if problem:
            found[field.name] = problem
    return found


def _field(parameter: ListedParameter) -> Field:
    name = parameter.name.lstrip("*")
    type_text = parameter.type or "any"
    default = parameter.default or ""
    if "Secret" in type_text or is_secret_name(name):
        shown = "" if default in ("", "None") else "…"
        return Field(name, type_text, "secret", parameter.required, shown)
    made = (name, type_text)
    required = parameter.required
    if parameter.name.startswith("*"):
        return Field(*made, "text", False, "none of them", is_json=True)
    hint = _without_none(parameter.type)
    if isinstance(hint, ast.Subscript) and _named(hint.value) == "Literal":
        items = hint.slice.elts if isinstance(hint.slice, ast.Tuple) else [hint.slice]
        choices = tuple(str(each.value) for each in items if isinstance(each, ast.Constant))
        return Field(*made, "choice", required, default, choices, check=_one_of(choices))
    match _named(hint):
        case "bool":
            both = (_TRUE, _FALSE)
            return Field(*made, "choice", required, default, both, check=_one_of(both))
        case "int":
            return Field(*made, "number", required, default, check=_whole)
        case "float":
            return Field(*made, "text", required, default, check=_number)
        case "date":
            return Field(*made, "date", required, default, check=_date)
    return Field(*made, "text", required, default, is_json=isinstance(hint, ast.Subscript))


def _without_none(text: str | None) -> ast.expr | None:
    """The type itself, of `X | None`, `Optional[X]`, `Annotated[X, …]` and a hint in quotes."""
    try:
        hint = ast.parse(text or "", mode="eval").body
    except SyntaxError:
        return None
    while True:
        match hint:
            case ast.Constant(value=str(quoted)):
                return _without_none(quoted)
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                hint = left
            case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=right):
                hint = right
            case ast.Subscript(value=of, slice=ast.Tuple(elts=[first, *_])) if (
                _named(of) == "Annotated"
            ):
                hint = first
            case ast.Subscript(value=of, slice=inner) if _named(of) == "Optional":
                hint = inner
            case _:
                return hint


def _named(hint: ast.expr | None) -> str:
    """`date` of `date` and of `datetime.date`."""
    if isinstance(hint, ast.Attribute):
        return hint.attr
    return hint.id if isinstance(hint, ast.Name) else ""


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    return lambda text: "" if text in choices else f"It is one of {', '.join(choices)}."


def _whole(text: str) -> str:
    return "" if re.fullmatch(r"-?\d{1,30}", text) else "It is a whole number."


def _number(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return "It is a number."
    return ""


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        return "It is a date, as 2021-01-31."
    return ""
