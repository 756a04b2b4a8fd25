"""`taxietl ui`: the dashboard."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, options_given
from taxietl.cli.streams import writing_to_stdout
from taxietl.errors import ConfigError

NEEDED = ("starlette", "uvicorn", "jinja2", "sse_starlette", "prometheus_client")


def register(app: Commands) -> None:
    """Add the command."""
    app.add(ui)


def ui(
    out: Output,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")
    ] = 4280,
    no_token: Annotated[
        bool,
        typer.Option("--no-token", help="Let in every user of this machine, without the link."),
    ] = False,
    flows: Annotated[
        list[str] | None,
        typer.Option(
            "--flows", metavar="DIR", help="Folder of flows to be run from its pages; repeats."
        ),
    ] = None,
) -> None:
    """Serve the dashboard, and print a link to it, until Ctrl-C."""
    settings = open_settings()
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"The dashboard needs packages that are not installed: {', '.join(missing)}.",
            hint="Install them: pip install 'taxietl[ui]'",
        )
    for folder in flows or ():
        if not Path(folder).is_dir():
            raise ConfigError(
                f"There is no folder {folder}.", hint="Name the folder of your flows with --flows."
            )
    from taxietl.ui.server import serve

    def ready(link: str) -> None:
        # The token in the link is what it is printed for.
        out.result({"url": link, "home": str(settings.home)}, link, as_is=True)
        with writing_to_stdout():
            sys.stdout.flush()
        out.note("Open that link. Ctrl-C ends the dashboard; runs go on.")

    out.log_to_stderr()
    serve(
        settings,
        host=host,
        port=port,
        with_token=not no_token,
        options=options_given(),
        folders=tuple(flows or ()),
        read_settings=lambda: open_settings(warned=False),
        ready=ready,
    )
