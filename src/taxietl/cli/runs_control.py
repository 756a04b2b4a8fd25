"""`taxietl runs resume|rerun|cancel|prune`: what is done to runs, where `runs.py` shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import DryRunOption, RunArgument
from taxietl.cli.output import Output, without_secrets
from taxietl.cli.session import go_to, open_settings, profile_named
from taxietl.cli.stderr import warn
from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from taxietl.orchestrator import Run
    from taxietl.orchestrator.store.rows import RunRow


AddressOption = Annotated[
    str | None,
    typer.Option("--to", help="The database URL again, if the run was given one with a password."),
]


def register(group: Commands) -> None:
    """Add the commands to the group `runs`."""
    group.add(resume)
    group.add(rerun)
    group.add(cancel)
    group.add(prune)


def resume(out: Output, name: RunArgument, to: AddressOption = None) -> None:
    """Run it again with the same parameters, reusing what had completed."""
    record = _to_go_on(out, name, to, "resume")
    from taxietl.orchestrator.query.runs import resumptions, reused_results
    from taxietl.runtime import open_engine

    out.log_to_stderr()
    engine = open_engine()
    done: Run[Any] | None = engine.resume(record.id)
    if done is None:
        last = engine.history.last_resumption(record)
        document = {
            "action": "nothing to do",
            "run": {"id": last.id, "name": last.name, "state": last.state.name},
            "resumed_from": resumptions(engine.history).before.get(last.id),
            "reused": 0,
            "result": None,
        }
        out.result(document, f"{last.name}  {last.state}: nothing to do")
        return
    result = done.result()
    before = resumptions(engine.history).before.get(done.id)
    reused = reused_results(engine.history, done.id)
    document = {
        "action": "resumed",
        "run": {"id": done.id, "name": done.name, "state": done.state.name},
        "resumed_from": before,
        "reused": reused,
        "result": without_secrets(result),
    }
    says = f"{done.name}  {done.state}, resumed from {before}"
    out.result(document, f"{says}, {reused} result{'s' if reused != 1 else ''} reused")


def rerun(out: Output, name: RunArgument, to: AddressOption = None) -> None:
    """Run it again with the same parameters, from the start."""
    record = _to_go_on(out, name, to, "rerun")
    from taxietl.runtime import open_engine

    out.log_to_stderr()
    done: Run[Any] = open_engine().rerun(record.id)
    result = done.result()
    document = {
        "run": {"id": done.id, "name": done.name, "state": done.state.name},
        "result": without_secrets(result),
    }
    out.result(document, f"{done.name}  {done.state}")


def _to_go_on(out: Output, name: str, to: str | None, command: str) -> RunRow:
    """The run of that name, where it ran, and with the address it was given."""
    from taxietl.orchestrator import History

    with History.opened(open_settings().home) as history:
        record = history.run(name)
    _go_where_it_ran(out, record)
    _take_address(record, to, command)
    return record


def _go_where_it_ran(out: Output, record: RunRow) -> None:
    """Relative paths, and `./taxietl.toml`, are to mean what they meant to the run."""
    from taxietl.orchestrator.define.entry import EntryPoint

    folder = Path(EntryPoint.from_json(record.entry).folder) if record.entry else Path.cwd()
    if folder == Path.cwd():
        return
    if folder.is_dir():
        out.note(f"In {folder}, where the run was started.")
        go_to(folder)
        open_settings()
    else:
        warn(f"{folder}, where the run was started, is gone; going on here.")


def _take_address(record: RunRow, to: str | None, command: str) -> None:
    """Demand the database URL that a run was given with a password, which is kept nowhere."""
    from taxietl.config.addresses import is_masked

    masked = [each for each in _texts(json.loads(record.replay or "{}")) if is_masked(each)]
    given = profile_named(to) if to else None
    if masked and given != masked[0]:
        is_other = f", not {given}" if given else ""
        raise ConfigError(
            f"Run {record.name!r} was given {masked[0]}{is_other}; its password is kept nowhere.",
            hint=f"Give it again: taxietl runs {command} {record.name} --to 'postgresql://…'. "
            "As --to env:NAME, a run needs no more than its name.",
        )
    if given and not masked:
        raise ConfigError(
            f"Run {record.name!r} was given no database URL with a password.",
            hint="It is run with the parameters it had: leave out --to.",
        )


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def cancel(out: Output, name: RunArgument) -> None:
    """Stop a run of any process, and wait until it has ended."""
    from taxietl.orchestrator import History
    from taxietl.orchestrator.stop.stopping import stop

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


def prune(
    out: Output,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Only runs that ended longer ago: 12h, 30d or 4w.",
            show_default="[history] keep_days",
        ),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="Always keep this many of the newest top-level runs.")
    ] = None,
    dry_run: DryRunOption = False,
) -> None:
    """Delete old runs with their child runs from the history; never one in progress."""
    from taxietl.orchestrator import History
    from taxietl.orchestrator.store import retention

    settings = open_settings()
    if older_than is not None:
        age: timedelta | None = _age(older_than)
    else:
        age = timedelta(days=settings.history.keep_days) if keep is None else None
    before = datetime.now(UTC) - age if age is not None else None
    with History.opened(settings.home) as history:
        pruned = retention.prune(history.database, before=before, keep=keep, dry_run=dry_run)
    document = {
        "dry_run": dry_run,
        "before": before,
        "keep": keep,
        "top_level_runs": pruned.trees,
        "runs": pruned.runs,
        "task_runs": pruned.task_runs,
        "log_lines": pruned.log_lines,
        "freed_bytes": pruned.freed_bytes,
    }
    verb = "would be forgotten" if dry_run else "forgotten"
    out.result(
        document,
        f"{pruned.trees:,} runs, {pruned.runs:,} with their child runs, {pruned.task_runs:,} task "
        f"runs and {pruned.log_lines:,} log lines {verb}; "
        f"{pruned.freed_bytes:,} bytes given back to the disk",
    )


def _age(text: str) -> timedelta:
    """`90d`, `12h`, `2w` as a span of time."""
    match = re.fullmatch(r"(\d{1,5})\s*([hdw])", text.strip())
    if match is None:
        raise ConfigError(
            f"--older-than {text!r} is not an age.",
            hint="Write a number and h, d or w: 12h, 90d, 4w.",
        )
    hours = {"h": 1, "d": 24, "w": 7 * 24}[match[2]]
    return timedelta(hours=int(match[1]) * hours)
