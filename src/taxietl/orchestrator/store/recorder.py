"""One place through which every change of state goes: stored, then shown, then told.

A `Batch` is one transaction: the transitions, the lines that announce them and whatever belongs
to them. Only when it is committed are its lines shown and the listeners told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

from taxietl.masking import masked
from taxietl.orchestrator.define.context import RunScope, TaskScope
from taxietl.orchestrator.store.beginnings import NewRun, NewTaskRun
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.logs import ENGINE, FLOW_RUNS, TASK_RUNS, Line
from taxietl.orchestrator.store.states import State, StateName, StateType
from taxietl.orchestrator.store.writer import Writer

_TOLD = "__taxietl_told__"
"""On an exception that was announced: the top-level run it was announced in."""


@dataclass(frozen=True)
class Change:
    """A run or task run has come into a state; what listeners are told."""

    run_id: str
    run_name: str
    flow_name: str
    state: State
    task_run_id: str | None = None
    task_run_name: str | None = None
    attempt: int = 0


UNSTORED = "Its end could not be stored before its run ended."

Listener = Callable[[Change], object]


class Batch:
    """Changes that are stored together."""

    def __init__(self, writer: Writer, at: datetime) -> None:
        self.writer, self.at = writer, at
        self.lines: list[Line] = []
        self.changes: list[Change] = []
        self._raised: BaseException | None = None
        self._moved: list[tuple[TaskScope, State]] = []

    def state(self, name: StateName, message: str = "") -> State:
        """A state that begins now."""
        return State(name, message, self.at)

    def new_run(self, run: RunScope, new: NewRun, names: Iterable[str]) -> None:
        """Insert a run as Pending; it gets its name here."""
        state = self.state(StateName.PENDING)
        run.name = self.writer.run(new, names, state)
        self._changed(run, state)

    def run_state(self, run: RunScope, state: State) -> bool:
        """Move a run to another state; its end is announced. False if it has ended before.

        A top-level run's end is that of all below it: what is still open there is what could
        not be stored, by a full disk for instance, or what nobody waited for.
        """
        if not self.writer.run_state(run.id, state):
            return False
        if state.is_final:
            self._say_end(run, state)
            if run.id == run.root_id:
                self.writer.end_open(run.id, self.state(StateName.CRASHED, UNSTORED))
        self._changed(run, state)
        return True

    def new_task_run(
        self, task_run: TaskScope, new: NewTaskRun, state: State, *, submitted: bool = False
    ) -> None:
        """Insert a task run; announced, but for a subflow, which has lines of its own."""
        self.writer.task_run(new, state, attempt=task_run.attempt)
        is_subflow = new.kind == "subflow"
        if not is_subflow:
            self.say(task_run.run, f"Created task run {new.name!r} for task {new.task!r}")
        if submitted:
            what = "subflow" if is_subflow else "task run"
            self.say(task_run.run, f"Submitted {what} {new.name!r} for execution.")
        elif not is_subflow:
            self.say(task_run.run, f"Executing {new.name!r} immediately...")
        self._changed(task_run, state)

    def task_state(
        self,
        task_run: TaskScope,
        state: State,
        *,
        scheduled_for: datetime | None = None,
        reopen: bool = False,
    ) -> bool:
        """Move a task run to another state; False if it has ended before, unless reopened."""
        is_moved = self.writer.task_run_state(
            task_run.run.id,
            task_run.id,
            state,
            attempt=task_run.attempt,
            scheduled_for=scheduled_for,
            reopen=reopen,
        )
        if is_moved:
            self._changed(task_run, state)
        return is_moved

    def task_end(self, task_run: TaskScope, state: State) -> None:
        """Move a task run to its last state, and announce it."""
        if self.task_state(task_run, state):
            self._say_end(task_run, state)

    def raised(self, who: RunScope | TaskScope, error: BaseException) -> None:
        """Announce an exception; the traceback goes to the history.

        The console has it once, of where it was first met: not again of every run it passes
        through on its way up.
        """
        self._raised = error
        message = f"Encountered exception during execution: {described(error)}"
        root_id = (who.run if isinstance(who, TaskScope) else who).root_id
        shown = "" if getattr(error, _TOLD, None) == root_id else None
        self.say(who, message, level=logging.ERROR, error=error, shown=shown)
        with suppress(AttributeError):  # of a class with slots
            setattr(error, _TOLD, root_id)

    def _say_end(self, who: RunScope | TaskScope, state: State) -> None:
        """Announce a last state, on the console without the error that was just told."""
        shown = None
        if self._raised is not None:
            kind = type(self._raised).__name__
            brief = state.message.replace(described(self._raised), kind)
            shown = f"Finished in state {replace(state, message=brief)}"
        self.say(who, f"Finished in state {state}", level=_level(state), shown=shown)

    def say(
        self,
        who: RunScope | TaskScope,
        message: str,
        *,
        level: int = logging.INFO,
        logger: str | None = None,
        error: BaseException | None = None,
        shown: str | None = None,
    ) -> None:
        """Log a line in the name of a run or task run."""
        run = who.run if isinstance(who, TaskScope) else who
        task = who if isinstance(who, TaskScope) else None
        self.lines.append(
            Line(
                at=self.at,
                logger=logger or (TASK_RUNS if task else FLOW_RUNS),
                level=level,
                message=masked(message),
                run_id=run.id,
                run_name=run.name,
                task_run_id=task.id if task else None,
                task_run_name=task.name if task else None,
                error=error,
                shown=shown,
            )
        )

    def _changed(self, who: RunScope | TaskScope, state: State) -> None:
        if isinstance(who, TaskScope):
            self._moved.append((who, state))
            run = who.run
            task = (who.id, who.name, who.attempt)
            self.changes.append(Change(run.id, run.name, run.flow_name, state, *task))
        else:
            self.changes.append(Change(who.id, who.name, who.flow_name, state))

    def stored(self) -> None:
        """It is: what is in memory follows."""
        for task_run, state in self._moved:
            task_run.state = state


class Recorder:
    """Stores batches, then shows and tells them."""

    def __init__(
        self, history: History, clock: Callable[[], datetime], listeners: Sequence[Listener]
    ) -> None:
        self.history, self.clock = history, clock
        self._listeners = tuple(listeners)

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One transaction; a history that cannot be written raises here."""
        with self.history.writing() as writer:
            batch = Batch(writer, self.clock())
            yield batch
            writer.lines(batch.lines)
        batch.stored()
        for line in batch.lines:
            line.show()
        for change in batch.changes if self._listeners else ():
            self._tell(change)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            try:
                listener(change)
            except Exception as error:  # noqa: BLE001 - a listener fails no run
                logging.getLogger(ENGINE).warning(
                    "A listener failed at %s: %s", change.state, described(error)
                )


def described(error: BaseException) -> str:
    """An error's type and message, without secrets."""
    text = masked(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _level(state: State) -> int:
    if state.type is StateType.COMPLETED:
        return logging.INFO
    is_failure = state.type in (StateType.FAILED, StateType.CRASHED)
    return logging.ERROR if is_failure else logging.WARNING
