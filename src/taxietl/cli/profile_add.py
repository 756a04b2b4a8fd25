"""`taxietl profiles add`: ask for what a profile needs, or take it from --set."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from taxietl.cli import candidates
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from taxietl.config import Profile
    from taxietl.config.adding import Key

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def add(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new profile.")],
    kind: Annotated[
        str,
        typer.Option(
            "--type",
            help="postgres, duckdb, gcs, folder, bigquery, gcp-credentials, or a plug-in's.",
            autocompletion=candidates.profile_types,
        ),
    ],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting; repeats. A secret: password=env:PGPASSWORD.",
        ),
    ] = None,
) -> None:
    """Add a profile to the configuration file, asking for what --set does not give."""
    settings = open_settings()
    from taxietl.config.adding import add_profile, check_is_new
    from taxietl.config.profile_types import profile_type

    values = _parsed(given or [])
    asked = profile_type(kind)
    check_is_new(name, settings)
    if sys.stdin.isatty():
        try:
            values = _asked(asked, values)
        except typer.Abort:  # Ctrl-C or Ctrl-D at a question
            raise KeyboardInterrupt from None
    file, profile = add_profile(name, kind, values, settings)
    out.result(
        {"name": name, "type": kind, "path": str(file), "values": profile.describe()},
        f"{file}: added [profiles.{name}]. See whether it answers: taxietl profiles check {name}",
    )


def _parsed(given: Sequence[str]) -> dict[str, str]:
    """What --set says, by key."""
    values: dict[str, str] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            # The text is not repeated: it may be a password.
            raise ConfigError("--set takes KEY=VALUE.", hint="For example: --set host=localhost")
        if key in values:
            raise ConfigError(f"--set {key}=… is given twice.", hint="Keep one of them.")
        values[key] = value
    return values


def _asked(kind: type[Profile], values: dict[str, str]) -> dict[str, str]:
    """The values, with what a person at the terminal says to the other keys."""
    from taxietl.config.adding import keys_of

    answers = dict(values)
    # --set host=… says that there will be no url.
    needless = {key for key, others in kind.replaces.items() if others & values.keys()}
    for key in keys_of(kind):
        if key.name not in answers and key.name not in needless and (answer := _answer(key)):
            answers[key.name] = answer
        if key.name in answers:
            needless |= kind.replaces.get(key.name, frozenset())
    return answers


def _answer(key: Key) -> str:
    """What is typed for one key; empty means to leave it out."""
    if key.is_secret:
        return _named_variable(key.name)
    if key.is_required:
        return str(typer.prompt(key.name, err=True))
    default = f" [{str(key.default).lower() if isinstance(key.default, bool) else key.default}]"
    text = f"{key.name}{default if key.default is not None else ' (or nothing)'}"
    return str(typer.prompt(text, default="", show_default=False, err=True))


def _named_variable(key: str) -> str:
    """The place of a secret: the name of an environment variable, never the secret itself."""
    while True:
        text = f"{key}: NAME of the environment variable that holds it (or nothing)"
        name = str(typer.prompt(text, default="", show_default=False, err=True)).strip()
        if not name or _VARIABLE.fullmatch(name):
            return f"env:{name}" if name else ""
        typer.echo("That is not the name of a variable, such as PGPASSWORD.", err=True)
