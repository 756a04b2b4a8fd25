"""`taxietl runs resume|cancel`: what is done to runs, where `runs.py` shows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.output import Output, with_output
from taxietl.cli.session import go_to, open_settings

if TYPE_CHECKING:
    from taxietl.orchestrator import Run
    from taxietl.orchestrator.records import RunRecord

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The run's name or id.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `runs`."""
    group.command("resume")(with_output(resume))
    group.command("cancel")(with_output(cancel))


def resume(out: Output, name: NameArgument) -> None:
    """Run it again with the same parameters; what had completed is not done again."""
    from taxietl.orchestrator import History, configure_logging

    with History.opened(open_settings().home) as history:
        record = history.run(name)
    _go_where_it_ran(out, record)
    open_settings()
    from taxietl.runtime import open_engine

    configure_logging(out.log_level)
    engine = open_engine()
    done: Run[Any] | None = engine.resume(record.id)
    if done is None:
        last = engine.history.last_resumption(record)
        document = {
            "action": "nothing to do",
            "run": {"id": last.id, "name": last.name, "state": last.state.name},
            "resumed_from": last.resumed_from_name,
            "reused": 0,
            "result": None,
        }
        out.result(document, f"{last.name}  {last.state}: nothing to do")
        return
    result = done.result()
    now = engine.history.run(done.id)
    reused = engine.history.reused(done.id)
    document = {
        "action": "resumed",
        "run": {"id": done.id, "name": done.name, "state": done.state.name},
        "resumed_from": now.resumed_from_name,
        "reused": reused,
        "result": result,
    }
    says = f"{done.name}  {done.state}, resumed from {now.resumed_from_name}"
    out.result(document, f"{says}, {reused} results reused")


def _go_where_it_ran(out: Output, record: RunRecord) -> None:
    """Relative paths, and `./taxietl.toml`, are to mean what they meant to the run."""
    from taxietl.orchestrator.entry import EntryPoint

    folder = Path(EntryPoint.from_json(record.entry).folder) if record.entry else Path.cwd()
    if folder == Path.cwd():
        return
    if folder.is_dir():
        out.note(f"In {folder}, where the run was started.")
        go_to(folder)
    else:
        out.note(f"warning: {folder}, where the run was started, is gone; going on here.")


def cancel(out: Output, name: NameArgument) -> None:
    """Stop a run, of whatever process, and wait for its end."""
    from taxietl.orchestrator import History
    from taxietl.orchestrator.stopping import stop

    with History.opened(open_settings().home) as history:
        run, was_running = stop(history, name)
    document = {
        "action": "cancelled" if was_running else "nothing to do",
        "run": {"id": run.id, "name": run.name, "state": run.state.name},
        "message": run.state.message,
    }
    says = f"{run.name}  {run.state.name}"
    message = f": {run.state.message}" if run.state.message else ""
    out.result(document, says + (message if was_running else f" before: nothing to do{message}"))
