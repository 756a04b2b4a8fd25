"""The lines that say how a run or task run went, and the errors in them, told once."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from taxietl.masking import masked
from taxietl.orchestrator.store.states import State, StateType

if TYPE_CHECKING:
    from taxietl.orchestrator.store.lines import Identity
    from taxietl.orchestrator.store.transaction import Transaction

_TOLD = "__taxietl_told__"
"""On an exception that was announced: the top-level run it was announced in."""


def described(error: BaseException) -> str:
    """An error's type and message, without secrets."""
    text = masked(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def say_raised(change: Transaction, who: Identity, error: BaseException) -> None:
    """Announce an exception; the traceback goes to the history.

    The console has it once, of where it was first met: not again of every run it passes through
    on its way up.
    """
    message = f"Encountered exception during execution: {described(error)}"
    shown = "" if getattr(error, _TOLD, None) == who.root_id else None
    change.say(who, message, level=logging.ERROR, error=error, shown=shown)
    with suppress(AttributeError):  # of a class with slots
        setattr(error, _TOLD, who.root_id)


def say_end(
    change: Transaction, who: Identity, state: State, raised: BaseException | None = None
) -> None:
    """Announce a last state, on the console without the error that was just told."""
    shown = None
    if raised is not None:
        brief = state.message.replace(described(raised), type(raised).__name__)
        shown = f"Finished in state {replace(state, message=brief)}"
    change.say(who, f"Finished in state {state}", level=_level(state), shown=shown)


def _level(state: State) -> int:
    if state.type is StateType.COMPLETED:
        return logging.INFO
    is_failure = state.type in (StateType.FAILED, StateType.CRASHED)
    return logging.ERROR if is_failure else logging.WARNING
