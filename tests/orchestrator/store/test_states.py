from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxietl.orchestrator.store.states import (
    FinalState,
    State,
    StateName,
    StateType,
    deciding_state,
)

AT = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "message", "text"),
    [
        (StateName.COMPLETED, "", "Completed()"),
        (
            StateName.COMPLETED,
            "All states completed.",
            "Completed('All states completed.')",
        ),
        (StateName.CACHED, "", "Cached(type=COMPLETED)"),
        (StateName.FAILED, "1/3 states failed.", "Failed('1/3 states failed.')"),
        (StateName.AWAITING_RETRY, "soon", "AwaitingRetry('soon', type=SCHEDULED)"),
        (StateName.TIMED_OUT, "", "TimedOut(type=FAILED)"),
        (StateName.RETRYING, "", "Retrying(type=RUNNING)"),
        (StateName.NOT_READY, "", "NotReady(type=PENDING)"),
    ],
)
def test_a_state_is_written_as_prefect_writes_it(name: StateName, message: str, text: str) -> None:
    assert str(State(name, message, AT)) == text


def test_exactly_the_ended_states_and_what_never_begins_are_final() -> None:
    final = {name for name in StateName if State(name, "", AT).is_final()}

    ended = {"Completed", "Cached", "Failed", "TimedOut", "Cancelled", "Crashed"}
    assert final == {*ended, "NotReady"}


def test_a_state_tells_of_what_kind_it_is() -> None:
    kinds = ("scheduled", "pending", "running", "completed", "failed", "cancelled", "crashed")

    for name in StateName:
        state = State(name, "", AT)
        assert [kind for kind in kinds if getattr(state, f"is_{kind}")()] == [state.type.lower()]


def test_a_state_that_is_not_ours_is_shown_as_it_was_stored() -> None:
    state = State(StateName.stored("Scheduled", "SCHEDULED"), "", AT)

    assert (str(state), state.type, state.is_final()) == ("Scheduled()", "SCHEDULED", False)
    assert state.name not in [*StateName]


COMPLETED, FAILED, CANCELLED = StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED
PENDING = StateType.PENDING


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([], "Completed()"),
        ([COMPLETED, COMPLETED], "Completed('All states completed.')"),
        ([COMPLETED, FAILED, PENDING], "Failed('1/3 states failed.')"),
        ([StateType.CRASHED], "Failed('1/1 states failed.')"),
        ([COMPLETED, CANCELLED], "Cancelled('1/2 states cancelled.')"),
        ([FAILED, CANCELLED, CANCELLED], "Cancelled('2/3 states cancelled.')"),
        ([COMPLETED, PENDING], "Failed('1/2 states not ready.')"),
    ],
)
def test_a_flow_is_decided_by_how_others_ended(outcomes: list[StateType], text: str) -> None:
    assert str(deciding_state(outcomes, AT)) == text


def test_a_final_state_gives_its_value_or_raises_its_error() -> None:
    error = ValueError("no such month")
    good = FinalState(StateName.CACHED, "", AT, 7)
    bad = FinalState.of(State(StateName.FAILED, "oh", AT), None, error)

    assert (good.result(), good.type, str(bad)) == (7, COMPLETED, "Failed('oh')")
    assert bad.result(raise_on_failure=False) is error
    with pytest.raises(ValueError, match="no such month"):
        bad.result()
    assert "no such month" not in repr(bad)
