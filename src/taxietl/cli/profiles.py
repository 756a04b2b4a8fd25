"""`taxietl profiles`: the named connections, as they are configured and as they answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.finding_lines import finding_lines
from taxietl.cli.output import Output, describe_error
from taxietl.cli.profile_add import add
from taxietl.cli.session import open_settings, profile_named
from taxietl.cli.tables import table
from taxietl.errors import worst_exit_code


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="profiles", help="Named connections: add, list, show, check.")
    group.add(add)
    group.add(ls)
    group.add(show)
    group.add(check)
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
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of the profile.", autocompletion=candidates.profiles
        ),
    ],
    snippet: Annotated[
        bool, typer.Option("--snippet", help="Print only the lines to paste into a flow.")
    ] = False,
) -> None:
    """Show a profile; a secret is shown as where it is read from."""
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


def check(
    out: Output,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Profiles, or database URLs, to check.",
            show_default="all",
            autocompletion=candidates.profiles,
        ),
    ] = None,
) -> int:
    """Test each connection, and say how to fix what fails. Changes nothing."""
    settings = open_settings()
    named = [profile_named(each) for each in dict.fromkeys(names or sorted(settings.profiles))]
    from taxietl.config import profile

    chosen = [profile(name) for name in named]
    from taxietl.doctor.examination import examine
    from taxietl.doctor.profiles import profile_check
    from taxietl.findings import State

    types = {each.name: each.type for each in chosen}
    found = examine([profile_check(each, settings.home) for each in chosen])
    words = {State.PROBLEM: "failed"}
    code = worst_exit_code(each.exit_code for each in found)
    document = {
        "checks": [
            {
                "name": each.subject,
                "type": types[each.subject],
                "check": each.check,
                "state": words.get(each.state, each.state),
                "message": each.message,
                "hint": each.hint,
                "error": describe_error(each.error) if each.error else None,
            }
            for each in found
        ],
        "exit_code": code,
    }
    out.result(document, finding_lines(found, words))
    return code
