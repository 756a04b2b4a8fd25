"""`taxietl profiles`: the named connections, as they are configured."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taxietl.cli.output import Output, with_output
from taxietl.cli.session import open_settings
from taxietl.cli.tables import table


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(name="profiles", no_args_is_help=True, help="Named connections.")
    group.command("ls")(with_output(ls))
    group.command("show")(with_output(show))
    app.add_typer(group)


def ls(out: Output) -> None:
    """List the profiles and where each is defined."""
    settings = open_settings()
    found = [
        {"name": name, "type": each.type, "origin": each.origin}
        for name, each in sorted(settings.profiles.items())
    ]
    out.result({"profiles": found}, table(["name", "type", "origin"], found))


def show(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The profile's name.")],
    snippet: Annotated[
        bool, typer.Option("--snippet", help="Only the lines to paste into a flow.")
    ] = False,
) -> None:
    """Show one profile; a secret is shown as the place it is read from."""
    profile = open_settings().profile(name)
    document: dict[str, Any] = {
        "name": name,
        "type": profile.type,
        "origin": profile.origin,
        "values": profile.describe(),
        "snippet": profile.snippet(name),
    }
    if snippet:
        out.result(document, profile.snippet(name))
        return
    lines = [f"{name} ({profile.origin})"]
    lines += [f"  {key} = {value}" for key, value in profile.describe().items()]
    out.result(document, "\n".join(lines))
