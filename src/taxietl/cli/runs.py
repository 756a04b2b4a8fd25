"""`taxietl runs`: what ran, what became of it, and what it said."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli import candidates, runs_control
from taxietl.cli.attachment_lines import attachment_lines
from taxietl.cli.commands import Commands
from taxietl.cli.options import RunArgument
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.cli.state_colors import marked
from taxietl.cli.tables import fitting, table
from taxietl.errors import UnknownNameError
from taxietl.terminal import one_line

if TYPE_CHECKING:
    from taxietl.orchestrator import History, StateName
    from taxietl.orchestrator.query.runs import Resumptions, Tree
    from taxietl.orchestrator.store.rows import LogRow, RunRow, TaskRunRow


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="runs", help="History of runs: list, show, resume, cancel.")
    group.add(ls)
    group.add(show)
    group.add(logs)
    runs_control.register(group)
    app.add_typer(group)


def ls(
    out: Output,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many, newest first.")] = 20,
    state: Annotated[
        str | None,
        typer.Option(
            help="Only runs in this state, such as Failed.", autocompletion=candidates.states
        ),
    ] = None,
) -> None:
    """List the latest runs. A run whose process is gone is shown as Crashed."""
    from taxietl.orchestrator.query.documents import run_document
    from taxietl.orchestrator.query.runs import resumptions

    history = _history()
    found = history.runs(limit=limit, state=_state_named(state) if state else None)
    links = resumptions(history)
    rows = [
        {
            "name": each.name,
            "flow": each.flow,
            "state": each.state.name.value,
            "started": _clock(each.started_at),
            "seconds": _seconds(each),
            "message": each.state.message,
        }
        for each in found
    ]
    headings = ["name", "flow", "state", "started", "seconds", "message"]
    out.result(
        {"runs": [run_document(each, links) for each in found]},
        table(headings, rows, state="state"),
    )


def show(out: Output, name: RunArgument) -> None:
    """Show a run's tasks and child runs with their states, attempts, times and counts."""
    from taxietl.orchestrator.query.documents import tree_document
    from taxietl.orchestrator.query.runs import resumptions, tree_of

    history = _history()
    tree, links = tree_of(history, history.run(name)), resumptions(history)
    if out.json:
        out.result(tree_document(tree, tree.root, links), "")
    else:
        out.result({}, "\n".join(map(fitting, _lines(tree, tree.root, links))))


def logs(out: Output, name: RunArgument) -> None:
    """Print what a run and its child runs logged."""
    from taxietl.orchestrator.query.runs import tree_of
    from taxietl.orchestrator.store.lines import FLOW_RUNS, TASK_RUNS

    history = _history()
    tree = tree_of(history, history.run(name), states=False)
    names = {each.id: each.name for each in tree.runs.values()}
    names |= {each.id: each.name for some in tree.task_runs.values() for each in some}

    def row(line: LogRow) -> Any:
        if out.json:
            return vars(line)
        at = line.at.astimezone().replace(tzinfo=None).isoformat(" ", "milliseconds")
        if line.logger == TASK_RUNS and line.task_run_id in names:
            speaker = f"Task run {names[line.task_run_id]!r}"
        elif line.logger == FLOW_RUNS and line.run_id in names:
            speaker = f"Flow run {names[line.run_id]!r}"
        else:
            speaker = line.logger
        return f"{at} | {line.level:<7} | {speaker} - {line.message}"

    head = {"run": {"id": tree.root.id, "name": tree.root.name}}
    out.long_result(head, "logs", map(row, history.each_log(tree.root.id)))


def _history() -> History:
    from taxietl.orchestrator import History

    return History.open(open_settings().home)


def _state_named(text: str) -> StateName:
    from taxietl.orchestrator import StateName

    names = {name.value.lower(): name for name in StateName}
    if text.lower() not in names:
        raise UnknownNameError("state", text, [name.value for name in StateName])
    return names[text.lower()]


def _lines(tree: Tree, run: RunRow, links: Resumptions, depth: int = 0) -> list[str]:
    """The tree as text, two blanks a level; a line each, whatever a message holds."""
    indent = "  " * depth
    says = f", {run.state.message}" if run.state.message else ""
    line = (
        f"{run.name}  {marked(run.state.name)}  flow {run.flow!r}, {_seconds(run)} s, "
        f"since {_clock(run.started_at)}{_line_of_runs(run, links)}{says}"
    )
    lines = [indent + one_line(line)]
    for event in tree.events.get(run.id, ()):
        lines.append(f"{indent}  {one_line(f'! {event.name:<12} {event.message}')}".rstrip())
    attached = tree.attachments.get(run.id, ())
    own = [each for each in attached if each.task_run_id is None]
    lines += attachment_lines(own, f"{indent}  ")
    for each in tree.task_runs.get(run.id, ()):
        child = tree.runs.get(each.child_run_id or "")
        if child is not None:
            lines += _lines(tree, child, links, depth + 1)
        else:
            lines.append(f"{indent}  {one_line(_task_line(each, tree))}")
            own = [row for row in attached if row.task_run_id == each.id]
            lines += attachment_lines(own, f"{indent}    ")
    return lines


def _line_of_runs(record: RunRow, links: Resumptions) -> str:
    """Which run it takes up, and which one takes it up."""
    before, after = links.before.get(record.id), links.after.get(record.id)
    from_ = f", resumed from {before}" if before else ""
    by = f", resumed by {after}" if after else ""
    return from_ + by


def _task_line(task: TaskRunRow, tree: Tree) -> str:
    from taxietl.orchestrator.query.documents import next_attempt_at
    from taxietl.orchestrator.query.progress import progress_text

    due, progress = next_attempt_at(tree, task), tree.progress.get(task.id)
    parts = [f"{task.name:<14} {marked(task.state.name, 10)} {_seconds(task)} s"]
    if task.attempts > 1:
        parts.append(f"{task.attempts} attempts")
    counts = task.counts.items()
    parts += [f"{n:,} {what}" if isinstance(n, int) else f"{what} {n}" for what, n in counts]
    if progress is not None:
        parts.append(progress_text(progress))
    if due is not None:
        # Of a run that died meanwhile there will be none.
        is_over = task.ended_at is not None
        parts.append(f"next attempt {'was ' if is_over else ''}due {_clock(due)}")
    if task.state.message:
        parts.append(task.state.message)
    return ", ".join(parts)


def _seconds(record: RunRow | TaskRunRow) -> str:
    if record.started_at is None or record.ended_at is None:
        return "-"
    return f"{(record.ended_at - record.started_at).total_seconds():.2f}"


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "-"
