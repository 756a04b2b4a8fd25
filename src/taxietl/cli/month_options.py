"""--color, --year, --month, --since and --until: the same five on every command over months."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.tlc.colors import COLORS
from taxietl.tlc.month_texts import parse_colors, parse_month, parse_months, parse_years
from taxietl.tlc.selection import MonthOptions


def _read_by(parse: Callable[[Any], object]) -> Callable[[Any], Any]:
    """A callback that refuses at once, also of a command that is only to be scheduled."""

    def check(given: Any) -> Any:
        if given:
            parse(given)
        return given

    return check


_COLORS = f"Colour: {', '.join(COLORS)}, several as yellow,green, or all; repeats."
_COLOR = typer.Option(
    "--color", help=_COLORS, autocompletion=candidates.colors, callback=_read_by(parse_colors)
)
_OPTIONS = {
    "year": Annotated[
        str | None,
        typer.Option("--year", help="Year: 2021 or 2019-2021.", callback=_read_by(parse_years)),
    ],
    "month": Annotated[
        list[str] | None,
        typer.Option(
            "--month",
            help="Month: 1, 1-3, 1,4, or all that there can be; repeats.",
            callback=_read_by(parse_months),
        ),
    ],
    "since": Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="YYYY-MM",
            help="First month, instead of --year and --month.",
            callback=_read_by(partial(parse_month, option="--since")),
        ),
    ],
    "until": Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="YYYY-MM",
            help="Last month.",
            show_default="the latest",
            callback=_read_by(partial(parse_month, option="--until")),
        ),
    ],
}


def with_months(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that takes `MonthOptions` the five options in that parameter's place.

    --color is required where the parameter has no default.
    """
    signature = inspect.signature(command, eval_str=True)
    own = list(signature.parameters.values())
    name = next((each.name for each in own if each.annotation is MonthOptions), None)
    if name is None:
        return command

    @wraps(command)
    def wrapped(
        *args: Any,
        color: list[str] | None,
        year: str | None,
        month: list[str] | None,
        since: str | None,
        until: str | None,
        **kwargs: Any,
    ) -> Any:
        given = MonthOptions(tuple(color or ()), year, tuple(month or ()), since, until)
        return command(*args, **{name: given}, **kwargs)

    parameters = [
        each
        for parameter in own
        for each in (_five(parameter) if parameter.name == name else [parameter])
    ]
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters[1:]]
    wrapped.__signature__ = signature.replace(parameters=[parameters[0], *named])  # type: ignore[attr-defined]
    return wrapped


def _five(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    is_required = parameter.default is inspect.Parameter.empty
    keyword = inspect.Parameter.KEYWORD_ONLY
    if is_required:
        yield inspect.Parameter("color", keyword, annotation=Annotated[list[str], _COLOR])
    else:
        color = Annotated[list[str] | None, _COLOR]
        yield inspect.Parameter("color", keyword, default=None, annotation=color)
    for name, annotation in _OPTIONS.items():
        yield inspect.Parameter(name, keyword, default=None, annotation=annotation)
