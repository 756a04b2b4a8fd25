"""`taxietl limits`: how many tasks with a tag may run at a time, who does, and who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from taxietl.cli.commands import Commands
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.cli.tables import table

if TYPE_CHECKING:
    from taxietl.orchestrator.query.standings import TagStanding
    from taxietl.orchestrator.store.tickets import Ticket


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="limits", help="Limits on how many tasks run at once.")
    group.add(ls)
    app.add_typer(group)


def ls(out: Output) -> None:
    """List the limited tags, the task runs that hold their slots, and those waiting, in order."""
    from taxietl.orchestrator.query.standings import standings

    settings = open_settings()
    found = standings(settings.home, settings.limits)
    if not found:
        out.note("No tag has a limit: all run at once. Set some under [limits], as in tlc = 2.")
    headings = ["tag", "limit", "held", "waiting", "run", "task", "state", "since"]
    rows = [row for each in found for row in _rows(each)]
    out.result(
        {"limits": [_standing(each) for each in found]}, table(headings, rows, state="state")
    )


def _rows(standing: TagStanding) -> list[dict[str, Any]]:
    """A line for each task run, or a single one for a tag that nobody wants."""
    tag = {
        "tag": standing.tag,
        "limit": standing.limit,
        "held": len(standing.holders),
        "waiting": len(standing.waiters),
    }
    return [
        tag
        | {
            "run": each.run_name,
            "task": each.task_run_name,
            "state": "holds" if each.granted_at else "waits",
            "since": f"{(each.granted_at or each.since).astimezone():%Y-%m-%d %H:%M:%S}",
        }
        for each in [*standing.holders, *standing.waiters]
    ] or [tag]


def _standing(standing: TagStanding) -> dict[str, Any]:
    return {
        "tag": standing.tag,
        "limit": standing.limit,
        "held": len(standing.holders),
        "holders": [_task_run(each) for each in standing.holders],
        "waiters": [_task_run(each) for each in standing.waiters],
    }


def _task_run(ticket: Ticket) -> dict[str, Any]:
    return {
        "run": {"id": ticket.run_id, "name": ticket.run_name},
        "task": ticket.task_run_name,
        "host": ticket.host,
        "pid": ticket.pid,
        "since": ticket.granted_at or ticket.since,
    }
