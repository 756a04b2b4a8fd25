"""Taking up a run that did not complete: what it had done is not done again.

The flow runs anew from its first line, with the same parameters; so it does at each further
attempt of a flow with a `retry`, in the same run. A task that completed in the
run before is not called: its result comes from the history, if it is the same call (task,
version or code, arguments, and how many calls of that task came before it) and if the files that
the result names are what they were. Of a run that itself took up another one, both count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, TryLaterError
from taxietl.orchestrator.define.entry import EntryPoint
from taxietl.orchestrator.store.cache import Found
from taxietl.orchestrator.store.fingerprints import file_difference
from taxietl.orchestrator.store.lines import ENGINE
from taxietl.orchestrator.store.results import ResultCodec, Stored
from taxietl.orchestrator.store.rows import RunRow, TaskRunRow
from taxietl.orchestrator.store.states import StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.called import Flow
    from taxietl.orchestrator.store.history import History


class Earlier:
    """The runs that one run takes up, or of a child run: the child runs in its place there.

    Args:
        runs: the newest first.
        attempts: the calls of the run itself, of which another attempt begins.
    """

    def __init__(
        self, history: History, runs: Sequence[RunRow], attempts: Sequence[TaskRunRow] = ()
    ) -> None:
        self._history = history
        self._runs = tuple(runs)
        self._attempts = {(each.kind, each.task, each.ordinal): each for each in attempts}

    def in_next_attempt(self, calls: Sequence[TaskRunRow]) -> Earlier:
        """The same with the calls that the run has made by now."""
        return Earlier(self._history, self._runs, calls)

    def in_place(self, kind: str, task: str, ordinal: int) -> TaskRunRow | None:
        """The call in that place of the run's last attempt, if there was one."""
        return self._attempts.get((kind, task, ordinal))

    def result_of(
        self,
        call: TaskRunRow,
        codec: ResultCodec,
        claim: Callable[[str], bool],
        *,
        before: TaskRunRow | None,
    ) -> Found | None:
        """What the same call gave, if it completed and its result can still be used.

        Args:
            codec: how its results are written.
            claim: keeps others from removing what is cached under a key; False if they just did.
            before: the call in its place of the run's last attempt.
        """
        for run, old in self._same(call, before):
            if old.result is None:
                continue
            if old.state.type is not StateType.COMPLETED or file_difference(old.files):
                continue
            try:
                value = codec.decode(old.result)
            except ValueError:  # the task returns something else by now
                continue
            # A result without files needs no cache: the history has it.
            is_claimed = old.cache_key is None or claim(old.cache_key)
            if not is_claimed and old.files is not None:
                return None
            stored = Stored(old.result, old.files)
            if old.reused_from is not None:
                reused_from, says = old.reused_from, old.state.message
            elif run is not None:
                reused_from, says = run.id, f"Completed in run {run.name!r}."
            else:
                reused_from, says = None, "Completed in an earlier attempt of its flow."
            return Found(value, stored, reused_from, says, old.child_run_id)
        return None

    def _same(
        self, call: TaskRunRow, before: TaskRunRow | None, *, any_version: bool = False
    ) -> Iterator[tuple[RunRow | None, TaskRunRow]]:
        """The same call where it was made before, with its run; None is the run itself."""
        if before is not None and _is_same(before, call, any_version=any_version):
            yield None, before
        for run in self._runs:
            if old := self._history.same_call(run.id, call, any_version=any_version):
                yield run, old

    def below(self, call: TaskRunRow, before: TaskRunRow | None) -> Earlier | None:
        """What stood in the place of a child run; None if it was not reached before."""
        # Of a flow that has changed since, the tasks may still be the same.
        places = [old for _, old in self._same(call, before, any_version=True)]
        runs = [run for each in places for run in self._history.in_place(each)]
        return Earlier(self._history, runs) if runs else None


def _is_same(old: TaskRunRow, call: TaskRunRow, *, any_version: bool) -> bool:
    """Whether a row is of that call, as `History.same_call` finds it."""
    if call.digest == "" or not (any_version or old.version == call.version):
        return False
    is_shown = old.digest is not None or old.arguments == call.arguments
    return old.digest == call.digest and is_shown


@dataclass(frozen=True)
class Resumption:
    """What is to be run, and what it goes on from."""

    run: RunRow
    earlier: Earlier

    def flow(self) -> Flow[..., Any]:
        """The run's flow, found as it was started.

        Raises:
            ConfigError: it cannot be found any more, or never could.
        """
        run = self.run
        if run.entry is None:
            raise ConfigError(
                f"The flow {run.flow!r} of run {run.name!r} is in no file or module where it"
                " could be found again.",
                hint="Resume it where the flow is: engine.resume(NAME, flow).",
            )
        entry = EntryPoint.from_json(run.entry)
        if entry.has_changed():
            logging.getLogger(ENGINE).warning(
                "%s has changed since run %r began: a task whose own code, or version=, is the same"
                " is taken to be the same.",
                entry.file,
                run.name,
            )
        return entry.load()

    def replay(self) -> str:
        """The run's parameters as JSON.

        Raises:
            ConfigError: they were not kept.
        """
        run = self.run
        if run.replay is None:
            why = run.no_replay or "an earlier taxietl ran it, which did not keep its parameters"
            raise ConfigError(
                f"The parameters of run {run.name!r} are not kept: {why}.",
                hint="Start it again as it was started before; what is cached is not done again.",
            )
        return run.replay


def plan_resume(history: History, name: str) -> Resumption | RunRow:
    """What resuming the run of that name means now.

    Returns:
        What to run; or the run that completed, and nothing is to be done. A run that was
        resumed already is gone on with where the last one stopped.

    Raises:
        UnknownNameError: there is no such run.
        ConfigError: it is a child run.
        TryLaterError: it, or the run that resumes it, is still running.
    """
    run = _top_level(history, name)
    last = history.last_resumption(run)
    if not last.state.is_final():
        raise TryLaterError(
            f"Run {last.name!r} is still running (process {last.pid} on {last.host}).",
            hint=f"`taxietl runs cancel {history.handle(last)}` stops it.",
        )
    if last.state.type is StateType.COMPLETED:
        return last
    return Resumption(last, Earlier(history, [last, *_before(history, last)]))


def plan_rerun(history: History, name: str) -> Resumption:
    """What running the flow of that run again means: nothing of what it did is used.

    Raises:
        UnknownNameError: there is no such run.
        ConfigError: it is a child run.
    """
    return Resumption(_top_level(history, name), Earlier(history, ()))


def _top_level(history: History, name: str) -> RunRow:
    run = history.run(name)
    if run.parent_id is not None:
        root = history.run(run.root_id)
        raise ConfigError(
            f"{run.name!r} is a child run of {root.name!r}.",
            hint=f"Name that one: {history.handle(root)}",
        )
    return run


def _before(history: History, run: RunRow) -> list[RunRow]:
    """The runs that one goes back to, the newest first, as far as they have not been pruned."""
    found: list[RunRow] = []
    while run.resumed_from is not None and (older := history.find(run.resumed_from)):
        found.append(older)
        run = older
    return found
