"""`taxietl schedule`: commands at times of day."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from taxietl.cli import candidates
from taxietl.cli.commands import Commands
from taxietl.cli.output import Output
from taxietl.cli.schedule_add import add
from taxietl.cli.schedule_text import describe_files, describe_outcome, show_files, snapshot
from taxietl.cli.session import chosen_home, open_settings
from taxietl.cli.tables import table
from taxietl.errors import ConfigError, TaxietlError

if TYPE_CHECKING:
    from taxietl.schedule.definition import Schedule
    from taxietl.schedule.outcomes import Outcome

NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="Name of the schedule.", autocompletion=candidates.schedules
    ),
]


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="schedule", help="Commands at times of day: systemd, cron, or our own.")
    group.add(add)
    group.add(ls)
    group.add(show)
    group.add(rm)
    group.add(run)
    group.add(execute, name="exec", hidden=True)
    group.add(failed, hidden=True)
    app.add_typer(group)


def ls(out: Output) -> None:
    """List the schedules with their next and last run."""
    from taxietl.schedule.definition import load, names

    home = chosen_home()
    found = [snapshot(load(home, name)) for name in names(home)]
    if not found:
        out.note("No schedules. Add one: taxietl schedule add NAME --cron '17 5 * * *' -- COMMAND")
    headings = ["name", "when", "by", "next", "last", "outcome", "command"]
    document = {"schedules": [each.document() for each in found]}
    out.result(document, table(headings, [each.row() for each in found], state="outcome"))


def show(out: Output, name: NameArgument) -> None:
    """Show a schedule, its last run, and what was written for it."""
    from taxietl.schedule.definition import load
    from taxietl.schedule.installing import installed

    schedule = load(chosen_home(), name)
    written = installed(name, schedule.starter)
    now = snapshot(schedule)
    lines = [f"{name}: taxietl {shlex.join(schedule.command)}"]
    lines += [
        f"  {key} = {value}"
        for key, value in now.row().items()
        if key not in ("name", "command") and value is not None
    ]
    lines += [f"  ping = {schedule.ping}"] if schedule.ping else []
    lines += [f"  folder = {schedule.folder}", f"  zone = {now.time_zone}", ""]
    out.result(
        {"schedule": now.document(), "files": describe_files(written)},
        "\n".join(lines) + show_files(written),
    )


def rm(
    out: Output,
    name: NameArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Also if its unit was edited by hand.")
    ] = False,
) -> None:
    """Remove a schedule with its units or crontab lines."""
    from taxietl.schedule.definition import load
    from taxietl.schedule.installing import remove

    schedule = load(chosen_home(), name)
    remove(schedule, force=force)
    out.result({"removed": name}, f"{name}  removed")


def run(out: Output) -> None:
    """Start the schedules added with --by run, each when it is due, until SIGTERM."""
    from taxietl.schedule.definition import Starter
    from taxietl.schedule.serving import Server, serve
    from taxietl.schedule.zones import zone_name, zone_of

    open_settings()
    zone = zone_of(Starter.RUN)
    server = Server(chosen_home(), zone)
    found = server.schedules()
    if not found:
        raise ConfigError(
            f"No schedule in {server.home} is left to `taxietl schedule run`.",
            hint="Add one: taxietl schedule add NAME --by run --cron '17 5 * * *' -- COMMAND",
        )
    out.log_to_stderr()
    names = ", ".join(each.name for each in found)
    out.note(f"Starts {names}; times in {zone_name(zone)}. SIGTERM or Ctrl-C ends it.")
    serve(server)
    out.result({"started": server.started}, f"runs started: {server.started}")


def execute(out: Output, name: NameArgument) -> int:
    """Run a schedule's command now, under its lock, and record what came of it."""
    from taxietl.schedule.definition import load
    from taxietl.schedule.execution import execute as run_once

    out.log_to_stderr()
    last = run_once(load(chosen_home(), name), tell=_tell)
    code = last.exit_code or 0
    if out.json:
        out.result({"schedule": name, "last": describe_outcome(last), "exit_code": code}, "")
    return code


def failed(out: Output, name: NameArgument) -> None:
    """Record and tell a failure that the run itself could not: of its unit's OnFailure."""
    import os

    from taxietl.schedule.definition import load
    from taxietl.schedule.execution import report_failure

    out.log_to_stderr()
    last = report_failure(load(chosen_home(), name), os.environ, tell=_tell)
    text = f"{name}  {last.reason}" if last else f"{name}  running, or never run"
    out.result({"schedule": name, "last": describe_outcome(last)}, text)


def _tell(schedule: Schedule, outcome: Outcome) -> None:
    """Tell whom the configuration says; what keeps that from being done is logged."""
    import logging

    from taxietl.runtime import tell_of_schedule

    try:
        open_settings(warned=False)
        tell_of_schedule(schedule, outcome)
    except TaxietlError as error:
        said = f"{error.message} {error.hint}"
        logging.getLogger("taxietl.schedule").critical("No alert could be sent: %s", said)
