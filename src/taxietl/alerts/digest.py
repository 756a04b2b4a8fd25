"""What an address is told: of all that happened in a command, what it asked for. Pure."""

from __future__ import annotations

import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from taxietl.errors import TaxietlError, TryLaterError
from taxietl.masking import masked
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.query.runs import Tree
from taxietl.orchestrator.store.lines import described
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.states import StateType
from taxietl.terminal import visible

FAILED, CRASHED = "failed", "crashed"
_SHOWN = 20
"""So many of one event; of more, their number."""
_LONGEST = 1_000
"""Characters of one of them."""
_SAID_FIRST = "Flow run encountered an exception: "


@dataclass(frozen=True)
class Notice:
    """One thing that happened."""

    event: str
    """Its name, which alerts match."""
    text: str


@dataclass(frozen=True)
class Digest:
    """A message."""

    title: str
    body: str
    kind: str = "info"
    """As Apprise has it: `info`, `warning` or `failure`."""


def notices_of(run: Run[object], tree: Tree | None) -> list[Notice]:
    """What happened in a top-level run that has ended.

    A run that was interrupted did not fail, nor did one that is to be tried again later; what had
    happened in them before has happened all the same.

    Args:
        run: as its engine knows it; or as the history does, of a run whose process had died.
        tree: what the history has of it; None where that cannot be read.
    """
    found = []
    if event := _end_of(run):
        failed = [f"{each.name}: {_brief(each.state.message)}" for each in _failed_below(tree)]
        head = f"Run {run.name!r} of flow {run.flow_name!r}: {_why(run)}"
        found.append(Notice(event, "\n".join([head, *_first(failed)])))
    if tree:
        events = [each for some in tree.events.values() for each in some]
        for each in sorted(events, key=lambda event: event.at):
            found.append(Notice(each.name, each.message or f"Run {run.name!r}"))
    return found


def digest(
    notices: Sequence[Notice], on: Collection[str], *, host: str, more: Sequence[str] = ()
) -> Digest | None:
    """What is to be told of that to whoever asked for these events; None for nothing.

    Args:
        notices: all that happened, in its order.
        on: the names of the events that were asked for.
        host: where it happened.
        more: lines that follow it.
    """
    matching: dict[str, list[str]] = {}
    for each in notices:
        if each.event in on:
            matching.setdefault(each.event, []).append(each.text)
    if not matching:
        return None
    said = [
        f"{event} ({len(texts)})" if len(texts) > 1 else event for event, texts in matching.items()
    ]
    blocks = []
    for event, texts in matching.items():
        lines = "\n".join(_first([_short(each) for each in texts]))
        blocks.append(f"{event}:\n{lines}".replace("\n", "\n  "))
    body = "\n\n".join([*blocks, *(["\n".join(more)] if more else [])])
    return Digest(
        title=visible(masked(f"taxietl on {host}: {', '.join(said)}")),
        body=visible(masked(body)),
        kind="failure" if {FAILED, CRASHED} & set(matching) else "warning",
    )


def this_host() -> str:
    """What this machine is called."""
    return socket.gethostname()


def _end_of(run: Run[object]) -> str | None:
    """The event that the run's end is, if it is one."""
    if run.state.type is StateType.CRASHED:
        return CRASHED
    code = getattr(run.error, "exit_code", None)
    if run.state.type is StateType.FAILED and code != TryLaterError.exit_code:
        return FAILED
    return None


def _why(run: Run[object]) -> str:
    """Why it failed; an error of ours is told with what to do."""
    if isinstance(run.error, TaxietlError):
        return f"{run.error.message} {run.error.hint}".strip()
    if isinstance(run.error, Exception):
        return described(run.error)
    return run.state.message or run.state.name


def _failed_below(tree: Tree | None) -> list[RunRow]:
    bad = (StateType.FAILED, StateType.CRASHED)
    return [
        each
        for each in (tree.runs.values() if tree else ())
        if tree and each.id != tree.root.id and each.state.type in bad
    ]


def _brief(message: str) -> str:
    return _short(message.removeprefix(_SAID_FIRST))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _first(texts: Sequence[str]) -> list[str]:
    """Those that are shown, and how many there are besides."""
    left = len(texts) - _SHOWN
    return [*texts[:_SHOWN], f"… and {left:,} more"] if left > 0 else list(texts)
