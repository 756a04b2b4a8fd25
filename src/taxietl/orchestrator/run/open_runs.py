"""A run and a task run while they go: what is known of them in memory, and how they are stored.

Each is a row in the history from its first state to its last, and one object here meanwhile.
Every change of state is one transaction, which says so in the log, too.
"""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.define import calling
from taxietl.orchestrator.run.verdicts import EndedCall
from taxietl.orchestrator.stop import cancellation
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.arguments import shown_with_digest
from taxietl.orchestrator.store.lines import Identity
from taxietl.orchestrator.store.results import Stored
from taxietl.orchestrator.store.rows import TaskRunRow
from taxietl.orchestrator.store.states import State, StateName, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.define.calling import Caller
    from taxietl.orchestrator.define.futures import Future
    from taxietl.orchestrator.define.specs import Spec
    from taxietl.orchestrator.define.stream import Stream
    from taxietl.orchestrator.run.pool import Pool
    from taxietl.orchestrator.run.resume import Earlier
    from taxietl.orchestrator.run.services import Services
    from taxietl.orchestrator.stop.cancellation import Cancellation
    from taxietl.orchestrator.store.transaction import Transaction


@dataclass(eq=False, kw_only=True)
class OpenRun:
    """A run that goes."""

    who: Identity
    services: Services = field(repr=False)
    cancellation: Cancellation = field(repr=False)
    """What asks it to stop: that of the top-level run, or of a time limit on the way down."""
    pool: Pool = field(repr=False)
    caller_of: Callable[[OpenRun | OpenTaskRun], Caller] = field(repr=False)
    """Makes what the code of a run or task run calls tasks and flows through."""
    log_prints: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    earlier: Earlier | None = field(default=None, repr=False)
    """What was done before and need not be again: by the runs that this one takes up, and by its
    own function's attempts; None if there is nothing."""
    attempt: int = 0
    futures: list[Future[Any]] = field(default_factory=list, repr=False)
    """What its function has submitted."""
    streams: list[Stream[Any, Any]] = field(default_factory=list, repr=False)
    has_ended: bool = False
    """Its function is over, and so is all that it submitted."""
    _outcomes: dict[str, EndedCall] = field(default_factory=dict, repr=False)
    _ordinals: dict[str, int] = field(default_factory=dict, repr=False)
    _functions: dict[str, object] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def caller(self) -> Caller:
        """What its function calls tasks and flows through."""
        return self.caller_of(self)

    def next_ordinal(self, name: str) -> int:
        """How many calls of that name this run had before this one."""
        with self._lock:
            ordinal = self._ordinals.get(name, 0)
            self._ordinals[name] = ordinal + 1
        return ordinal

    def refuse_namesake(self, task: Spec) -> None:
        """ConfigError if another function was called in this run as a task of that name.

        The history, the cache and a resumed run tell tasks apart by their names: one would be
        given the results of the other.
        """
        # A function that is defined anew at each call of its outer one has the same code.
        code = getattr(task.function, "__code__", task.function)
        known = self._functions.setdefault(task.name, code)
        if known is not code and known != code:
            raise ConfigError(
                f"Two different functions are called as task {task.name!r} in the run"
                f" {self.who.run_name!r}.",
                hint="Give one of them a name of its own: @task(name=…).",
            )

    def note(
        self, task_run_id: str, state: StateType | None, error: BaseException | None = None
    ) -> None:
        """Keep how a call ended; None takes back what was kept, since it goes on.

        A stream closed early is not noted: that was its consumer's decision or failure, and the
        consumer's own state tells.
        """
        with self._lock:
            self._outcomes.pop(task_run_id, None)
            if state is not None:
                self._outcomes[task_run_id] = EndedCall(state, error)

    def forget_calls(self) -> None:
        """Begin to count calls and to note their ends anew: its function is called again."""
        self._outcomes, self._ordinals = {}, {}
        self.futures, self.streams, self.has_ended = [], [], False

    def outcomes(self) -> list[EndedCall]:
        """How its task runs and subflows ended, in the order they did."""
        with self._lock:
            return list(self._outcomes.values())


class OpenTaskRun:
    """A call of a task, or the place of a child run, that goes.

    Args:
        run: it is part of.
        spec: what is called.
        arguments: by name, as far as they are known.
        kind: `task`, `stream` or `subflow`.
        tags: of the task.
    """

    def __init__(
        self,
        run: OpenRun,
        spec: Spec,
        arguments: Mapping[str, object],
        *,
        kind: str,
        tags: frozenset[str] = frozenset(),
    ) -> None:
        if kind != "subflow":
            run.refuse_namesake(spec)
        self.run, self.spec, self.kind, self.tags = run, spec, kind, tags
        self.ordinal = run.next_ordinal(spec.name)
        self.before = run.earlier.in_place(kind, spec.name, self.ordinal) if run.earlier else None
        """Its row of the last attempt of its flow, which goes on to be its row."""
        self.holds_result = kind != "stream" and self.before and self.before.state.is_completed()
        """The row still tells of the call before, and is to until that is found to be another."""
        self.id = self.before.id if self.before else secrets.token_hex(8)
        self.name = f"{spec.name}-{self.ordinal}"
        self.who = replace(run.who, task_run_id=self.id, task_run_name=self.name)
        self.arguments = arguments
        self.attempt = self.before.attempts if self.before else 0
        self.state: State | None = None
        """The last one stored; None before the first."""

    @property
    def cancellation(self) -> Cancellation:
        """What asks its run to stop."""
        return self.run.cancellation

    @property
    def has_ended(self) -> bool:
        """Its last state is stored."""
        return self.state is not None and self.state.is_final()

    def caller(self) -> Caller:
        """What its function calls tasks and flows through."""
        return self.run.caller_of(self)

    def aside(self) -> AbstractContextManager[None]:
        """While the block runs, this thread only waits, and another may work in its place."""
        return self.run.pool.aside()

    def row(self, state: State, *, child_run_id: str | None = None) -> TaskRunRow:
        """As the history is to have it."""
        shown, digest = shown_with_digest(self.arguments, bulk=self.spec.persist_result)
        return TaskRunRow(
            id=self.id,
            run_id=self.who.run_id,
            task=self.spec.name,
            name=self.name,
            ordinal=self.ordinal,
            kind=self.kind,
            version=self.spec.fixed_version or self.spec.version,
            state=state,
            created_at=state.at,
            tags=tuple(sorted(self.tags)),
            attempts=self.attempt,
            child_run_id=child_run_id,
            arguments=shown,
            digest=digest,
            started_at=state.at if state.name.has_begun else None,
        )

    def store(self, name: StateName, *, submitted: bool = False) -> None:
        """Store it, in its first state."""
        with self.run.services.transaction() as change:
            self.add(change, name, submitted=submitted)

    def add(
        self,
        change: Transaction,
        name: StateName,
        *,
        submitted: bool = False,
        child_run_id: str | None = None,
    ) -> None:
        """Add it to what is stored, and say so, but for a child run, which has its own lines."""
        state = change.state(name)
        is_subflow = self.kind == "subflow"
        if self.before is None:
            change.add(self.row(state, child_run_id=child_run_id), of=self)
        elif self.holds_result:
            change.moved.append((self, state))
        else:
            self.reopen(change, state, child_run_id=child_run_id)
        if not is_subflow and self.before is None:
            created = f"Created task run {self.name!r} for task {self.spec.name!r}"
            change.say(self.run.who, created)
        if submitted:
            what = "subflow" if is_subflow else "task run"
            change.say(self.run.who, f"Submitted {what} {self.name!r} for execution.")
        elif not is_subflow:
            change.say(self.run.who, f"Executing {self.name!r} immediately...")

    def reopen(self, change: Transaction, state: State, *, child_run_id: str | None = None) -> None:
        """Let the row of its last attempt tell of this one."""
        self.holds_result = False
        change.move(self.who, state, attempt=self.attempt, reopen=True, of=self)
        self.keep_inputs(change, child_run_id=child_run_id)

    def keep_inputs(self, change: Transaction, *, child_run_id: str | None = None) -> None:
        """Keep what a submitted one begins with, once what it waited for is there."""
        if self.holds_result:
            return
        shown, digest = shown_with_digest(self.arguments, bulk=self.spec.persist_result)
        change.keep(self.id, arguments=shown, digest=digest, child_run_id=child_run_id)

    def move(
        self, name: StateName, message: str = "", *, said: str = "", reopen: bool = False
    ) -> None:
        """Bring it into another state.

        Args:
            said: a line of its log.
            reopen: it may have ended, see `Transaction.move`.
        """
        with self.run.services.transaction() as change:
            if said:
                change.say(self.who, said)
            state = change.state(name, message)
            change.move(self.who, state, attempt=self.attempt, reopen=reopen, of=self)

    def end(
        self,
        change: Transaction,
        state: State,
        *,
        raised: BaseException | None = None,
        kept: Mapping[str, object] | None = None,
    ) -> None:
        """Bring it into its last state and say so; keep what came of it, by column."""
        reopen = self.before is not None
        if change.move(self.who, state, attempt=self.attempt, reopen=reopen, of=self):
            change.say_end(self.who, state, raised)
        if kept:
            change.keep(self.id, **kept)

    def complete(
        self,
        change: Transaction,
        name: StateName,
        stored: Stored,
        *,
        message: str = "",
        **columns: object,
    ) -> None:
        """End it as completed, with what it gave."""
        kept = {**stored.to_columns(), **columns}
        self.end(change, change.state(name, message), kept=kept)
        change.following.append(functools.partial(self.run.note, self.id, StateType.COMPLETED))


def enter(place: OpenRun | OpenTaskRun) -> None:
    """From here on the code of this context is that run's or task run's."""
    lines.current.set(place.who)
    calling.caller.set(place.caller())
    cancellation.current.set(place.cancellation)


@contextmanager
def within(place: OpenRun | OpenTaskRun) -> Iterator[None]:
    """The code of the block is that run's or task run's."""
    before = lines.current.get(), calling.caller.get(), cancellation.current.get()
    enter(place)
    try:
        yield
    finally:
        lines.current.set(before[0])
        calling.caller.set(before[1])
        cancellation.current.set(before[2])
