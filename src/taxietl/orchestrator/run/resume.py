"""Taking up a run that did not complete: what it had done is not done again.

The flow runs anew from its first line, with the same parameters. A task that completed in the
run before is not called: its result comes from the history, if it is the same call (task,
version or code, arguments, and how many calls of that task came before it) and if the files that
the result names are what they were. Of a run that itself took up another one, both count.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, TryLaterError
from taxietl.orchestrator.define.entry import EntryPoint
from taxietl.orchestrator.store.fingerprints import file_difference
from taxietl.orchestrator.store.logs import ENGINE
from taxietl.orchestrator.store.records import RunRecord, TaskRunRecord
from taxietl.orchestrator.store.results import ResultCodec
from taxietl.orchestrator.store.states import StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.flows import Flow
    from taxietl.orchestrator.define.parameters import Parameters
    from taxietl.orchestrator.store.beginnings import NewRun, NewTaskRun
    from taxietl.orchestrator.store.history import History
    from taxietl.orchestrator.store.writer import Writer


@dataclass(frozen=True)
class Done:
    """A call that completed in an earlier run, and what it gave."""

    value: Any
    record: TaskRunRecord
    message: str


class Earlier:
    """The runs that one run takes up, or of a child run: the child runs in its place there."""

    def __init__(self, history: History, runs: Sequence[RunRecord]) -> None:
        self._history = history
        self._runs = tuple(runs)
        """The newest first."""

    def done(self, new: NewTaskRun, codec: ResultCodec) -> Done | None:
        """The same call, if it completed and its result can still be used."""
        for run in self._runs:
            record = self._history.same_call(run.id, new)
            if record is None or record.result is None:
                continue
            if record.state.type is not StateType.COMPLETED or file_difference(record.files):
                continue
            try:
                value = codec.decode(record.result)
            except ValueError:  # the task returns something else by now
                continue
            is_reused = record.state.name is StateName.CACHED and record.state.message
            made_in = f"Completed in run {run.name!r}."
            return Done(value, record, record.state.message if is_reused else made_in)
        return None

    def below(self, place: NewTaskRun) -> Earlier | None:
        """What stood in the place of a child run; None if it was not reached before."""
        # Of a flow that has changed since, the tasks may still be the same.
        found = [self._history.same_call(run.id, place, any_version=True) for run in self._runs]
        ids = [each.child_run_id for each in found if each and each.child_run_id]
        runs = [run for each in ids if (run := self._history.find(each))]
        return Earlier(self._history, runs) if runs else None


@dataclass(frozen=True)
class Resumption:
    """What is to be run, and what it goes on from."""

    run: RunRecord
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
                f"Run {run.name!r} cannot be resumed: {why}.",
                hint="Start it again as it was started before; what is cached is not done again.",
            )
        return run.replay

    def claim(self, writer: Writer, new: NewRun) -> NewRun:
        """The new run, as the one that takes up the old one; in the transaction that adds it.

        Raises:
            TryLaterError: another process was quicker.
        """
        if writer.is_resumed(self.run.id):
            raise TryLaterError(
                f"Run {self.run.name!r} is being resumed by another process.",
                hint=f"`taxietl runs show {self.run.name}` names that run.",
            )
        return replace(new, resumed_from=self.run.id)


def replayable(new: NewRun, flow: Flow[..., Any], parameters: Parameters) -> NewRun:
    """A top-level run, with what it takes to run it again."""
    entry, replay = EntryPoint.of(flow), flow.replay(parameters)
    return replace(
        new,
        entry=entry.to_json() if entry else None,
        replay=replay.text,
        no_replay=replay.obstacle,
    )


def plan_resume(history: History, name: str) -> Resumption | RunRecord:
    """What resuming the run of that name means now.

    Returns:
        What to run; or the run that completed, and nothing is to be done. A run that was
        resumed already is gone on with where the last one stopped.

    Raises:
        UnknownNameError: there is no such run.
        ConfigError: it is a child run.
        TryLaterError: it, or the run that resumes it, is still running.
    """
    run = history.run(name)
    if run.parent_id is not None:
        root = history.run(run.root_id)
        raise ConfigError(
            f"{run.name!r} is a child run of {root.name!r}.",
            hint=f"Resume that one: {history.handle(root)}",
        )
    last = history.last_resumption(run)
    if not last.state.is_final:
        raise TryLaterError(
            f"Run {last.name!r} is still running (process {last.pid} on {last.host}).",
            hint=f"`taxietl runs cancel {history.handle(last)}` stops it.",
        )
    if last.state.type is StateType.COMPLETED:
        return last
    return Resumption(last, Earlier(history, [last, *_before(history, last)]))


def _before(history: History, run: RunRecord) -> list[RunRecord]:
    """The runs that one goes back to, the newest first, as far as they have not been pruned."""
    found: list[RunRecord] = []
    while run.resumed_from is not None and (older := history.find(run.resumed_from)):
        found.append(older)
        run = older
    return found
