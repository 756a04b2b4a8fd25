"""What is wrong with a configuration, told in its own words: file, path of the key, what to do.

pydantic's own text is not shown: it speaks of types, and repeats what was given.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from taxietl.errors import ConfigError

_TEXTS = {
    "missing": "is missing",
    "string_type": "must be text in quotes",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path in quotes",
}
"""By pydantic's error types, https://docs.pydantic.dev/latest/errors/validation_errors/."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, at one place."""

    path: tuple[str, ...]
    """Section, profile, key, as far as it goes."""
    text: str


def problems_of(
    error: ValidationError, path: tuple[str, ...], model: type[BaseModel]
) -> list[Problem]:
    """pydantic's errors about a table at `path`, in our words and without what was given."""
    return [
        Problem((*path, *_key(each["loc"])), _text(each, model))
        for each in error.errors(include_input=False, include_url=False)
    ]


def misspelt(kind: str, name: str, known: Iterable[str]) -> str:
    """What to say of a name nobody has: the nearest one, or all of them where none is near."""
    names = sorted(known)
    return f"unknown {kind}. " + (guess(name, names) or f"Known: {', '.join(names)}.")


def guess(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?`, or nothing where no known name is near."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else ""


def config_error(
    problems: list[Problem], file: Path | None, from_environment: Iterable[tuple[str, ...]]
) -> ConfigError:
    """One error for all of them, one line each, each with where it was written."""
    variables = set(from_environment)
    lines = [_line(problem, file, variables) for problem in problems]
    if len(lines) == 1:
        message = lines[0]
    else:
        listed = "".join(f"\n  {line}" for line in lines)
        message = f"The configuration has {len(lines)} problems:{listed}"
    return ConfigError(
        message, hint="`taxietl init` writes a configuration with every key explained."
    )


def variable(path: tuple[str, ...]) -> str:
    """The environment variable of a value."""
    return "TAXIETL_" + "__".join(part.upper().replace("-", "_") for part in path)


def _line(problem: Problem, file: Path | None, variables: set[tuple[str, ...]]) -> str:
    for length in range(len(problem.path), 0, -1):
        if problem.path[:length] in variables:
            return f"{variable(problem.path)}: {problem.text}"
    where = f"{file}: " if file else ""
    return f"{where}{'.'.join(problem.path)}: {problem.text}"


def _key(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The key an error is about; what pydantic adds below it names its own validators."""
    return tuple(str(part) for part in loc[:1])


def _text(error: Any, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            keys = [info.alias or field for field, info in model.model_fields.items()]
            return misspelt("key", str(error["loc"][0]), keys)
        case "value_error":
            return str(context["error"])  # our own validators' words
        case "literal_error":
            return f"must be {context['expected']}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
    return _TEXTS.get(kind, "is not valid")
