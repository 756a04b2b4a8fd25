"""Callables that are told how a run or task run ended: `on_failure=[…]` and its sisters.

A hook is called with one argument, a `Run` or a `TaskRun`, once the state is stored, in the thread
that did the work. It is for telling somebody: one that raises is logged, and fails no run. A
process that is killed calls nobody; its runs are found dead by the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from taxietl.errors import ConfigError
from taxietl.orchestrator.define.callables import refuse_misfit
from taxietl.orchestrator.store.states import State, StateType

Hook = Callable[[Any], object]


@dataclass(frozen=True)
class Hooks:
    """What to call, by the type of the last state."""

    on_completion: tuple[Hook, ...] = ()
    on_failure: tuple[Hook, ...] = ()
    on_crash: tuple[Hook, ...] = ()
    on_cancel: tuple[Hook, ...] = ()

    @classmethod
    def checked(cls, what: str, **given: Sequence[Hook] | None) -> Hooks | None:
        """The hooks of a decorator; None if there are none, ConfigError if one is none."""
        for option, hooks in given.items():
            if hooks and (callable(hooks) or not all(callable(each) for each in hooks)):
                raise ConfigError(
                    f"The {what} has {option}={hooks!r}, which is not a list of callables.",
                    hint=f"Write {option}=[notify], where `notify` takes the run that has ended.",
                )
            for hook in hooks or ():
                refuse_misfit(
                    f"{option}= of the {what}",
                    hook,
                    takes="the run that has ended",
                    hint="Write `def notify(run): …`: its state, names and error are attributes.",
                )
        if not any(given.values()):
            return None
        return cls(**{option: tuple(hooks or ()) for option, hooks in given.items()})

    def of(self, state: State) -> tuple[Hook, ...]:
        """What to call for that last state.

        There is nothing for a task run that never began, its upstream having failed.
        """
        return {
            StateType.COMPLETED: self.on_completion,
            StateType.FAILED: self.on_failure,
            StateType.CRASHED: self.on_crash,
            StateType.CANCELLED: self.on_cancel,
        }.get(state.type, ())
