"""How every command and group of ours reads its command line, and shows its help.

Typer takes the last of two `--year`, and its help reads `[history]` as a style: both are changed
here, for all commands alike, with `taxietl help ingest` and `runs list` besides.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from taxietl.cli.month_options import with_months
from taxietl.cli.output import with_output
from taxietl.errors import ConfigError

ALIASES = {"list": "ls"}
"""Names that a command goes by besides its own."""


class Command(TyperCommand):
    """A command; an option that takes one value is given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, _formatter: Any) -> None:
        _print_help(self, ctx)


class Group(TyperGroup):
    """A group of commands; knows `list` for `ls`, and `help`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, *wanted = args
        if name != "help":
            known = ALIASES.get(name, name)
            return super().resolve_command(
                ctx, [known if known in self.commands else name, *wanted]
            )
        if ctx.resilient_parsing:  # completing what comes after `help`
            return super().resolve_command(ctx, wanted) if wanted else (None, None, [])
        if not wanted:
            typer.echo(ctx.get_help())
            raise typer.Exit
        return super().resolve_command(ctx, [*wanted, "--help"])

    def format_help(self, ctx: Any, _formatter: Any) -> None:
        _print_help(self, ctx)


class Commands(typer.Typer):
    """Where the modules of the commands add theirs: the whole command line, or one group of it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            cls=Group,
            no_args_is_help=True,
            rich_markup_mode="rich",
            pretty_exceptions_enable=False,
            **settings,
        )

    def add(
        self,
        command: Callable[..., Any],
        *,
        cls: type[Command] = Command,
        name: str | None = None,
        hidden: bool = False,
    ) -> None:
        """Add a command; its first parameter gets the `Output`, one of type
        `MonthOptions` becomes the five options that choose months.

        Args:
            name: left out, the function's.
            hidden: not in the help, since it is not for people.
        """
        self.command(name, cls=cls, hidden=hidden)(with_output(with_months(command)))


def _refuse_repeated(command: Any, ctx: Any, args: list[str]) -> None:
    if ctx.resilient_parsing:
        return
    _, _, order = command.make_parser(ctx).parse_args(list(args))
    for given, times in Counter(order).items():
        is_option = given.param_type_name == "option"
        if times > 1 and is_option and not (given.multiple or given.is_flag):
            raise ConfigError(
                f"{max(given.opts, key=len)} is given {times} times; it takes one value.",
                hint="Keep one of them, or run the command once for each.",
            )


def _print_help(command: Any, ctx: Any) -> None:
    from typer.rich_utils import rich_format_help

    try:
        rich_format_help(obj=_as_written(command, ctx), ctx=ctx, markup_mode="rich")
    except SystemExit as error:  # so does Rich end when the reader of its output has gone
        raise BrokenPipeError from error


def _kind(shown: str) -> str:
    """What kind of value an option takes: not how often, nor in what range."""
    return re.sub(r"list\[(\w+)\]", r"\1", shown.replace(" range", ""))


def _as_written(command: Any, ctx: Any) -> Any:
    """A copy whose texts the help shows as they are written, brackets and all."""
    from rich.markup import escape

    shown = copy.copy(command)
    shown.help, shown.epilog = escape(command.help or ""), escape(command.epilog or "")
    shown.params = [copy.copy(each) for each in command.get_params(ctx)]
    shown.add_help_option = False  # it is among them
    for each in shown.params:
        each.help = escape(each.help or "")
        if isinstance(each.show_default, str):  # Typer would put it into brackets
            each.default, each.show_default = each.show_default, True
        if each.param_type_name == "option" and each.metavar is None:
            each.metavar = "" if each.is_flag else _kind(each.display_type(ctx))
    if isinstance(shown, TyperGroup):
        shown.commands = {name: copy.copy(each) for name, each in shown.commands.items()}
        for each in shown.commands.values():
            each.help = escape(each.help or "")
    return shown
