"""The commands put together. Their modules import nothing heavy: `--help` loads them all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from taxietl.cli.commands import Commands, Group
from taxietl.cli.session import choose
from taxietl.errors import ConfigError
from taxietl.version import __version__

MODULES = {
    "ingest": "ingest",
    "upload-gcs": "upload",
    "load-bq": "load_bq",
    "sync": "sync",
    "lake": "lake",
    "zones": "zones",
    "drop": "drop",
    "status": "status",
    "verify": "verify",
    "inspect": "inspect",
    "rejects": "rejects",
    "sql": "sql",
    "run": "run",
    "flows": "flows",
    "runs": "runs",
    "ui": "ui",
    "schedule": "schedule",
    "alerts": "alerts",
    "limits": "limits",
    "cache": "cache",
    "profiles": "profiles",
    "doctor": "doctor",
    "generate": "generate",
    "schema": "schema",
    "init": "init",
}
"""The module of each command, in the order of the help."""

_WITH_VALUE = ("--config", "--home")


def app(names: Iterable[str] = MODULES) -> Commands:
    """The command line, of these commands."""
    made = Commands(
        name="taxietl",
        context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
        epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 source, 4 data, 5 target, 75 try again "
        "later.",
    )
    made.callback()(_common)
    for name in names:
        import_module(f"taxietl.cli.{MODULES[name]}").register(made)
    return made


def command_line(arguments: Sequence[str]) -> Any:
    """The command line, as far as these arguments need it."""
    named = _named(arguments)
    # One command alone is there 20 ms sooner than all of them.
    return typer.main.get_command(app([named]) if named in MODULES else app())


def run(arguments: Sequence[str]) -> Any:
    """Parse and carry out; raises what went wrong."""
    command = command_line(arguments)
    try:
        with _context(command, arguments) as context:
            return command.invoke(context)
    except typer.Exit as done:
        return done.exit_code


def check_line(arguments: Sequence[str]) -> dict[str, Any]:
    """Parse, and carry nothing out; raises what is wrong with the arguments.

    Returns:
        What the command was given, by the names of its parameters.
    """
    command = command_line(arguments)
    context = command.make_context("taxietl", list(arguments))
    while isinstance(command, Group):
        left = [*context._protected_args, *context.args]
        name, command, left = command.resolve_command(context, left)
        context = command.make_context(name, left, parent=context)
    return dict(context.params)


def _context(command: Any, arguments: Sequence[str]) -> Any:
    """What was read of the command line; --install-completion and its like are carried out."""
    try:
        return command.make_context("taxietl", list(arguments))
    except SystemExit:  # so does Typer say that it has installed it
        raise typer.Exit from None
    except typer.Exit as done:
        if done.exit_code == 0:
            raise
        raise ConfigError(
            "Your shell was not recognised.",
            hint="Run this from bash, zsh, fish or PowerShell directly, not from a script.",
        ) from None


def _named(arguments: Sequence[str]) -> str:
    """The command among the arguments, or what stands in its place."""
    left = iter(arguments)
    for each in left:
        if each in _WITH_VALUE:
            next(left, None)
        elif not each.startswith("-"):
            return each
    return ""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"taxietl {__version__}")
        raise typer.Exit


def _common(
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration file.", show_default="./taxietl.toml, or the user's"),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the history, the cache and the default warehouse.",
            show_default="TAXIETL_HOME, or the user's data folder",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Load any month of the NYC TLC taxi records into a warehouse, exactly once, with proof."""
    choose(config=config, home=home)
