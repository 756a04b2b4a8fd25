from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxietl.orchestrator.states import State, StateName, StateType, final_state

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
    ],
)
def test_a_state_is_written_as_prefect_writes_it(name: StateName, message: str, text: str) -> None:
    assert str(State(name, message, AT)) == text


def test_exactly_the_ended_states_are_final() -> None:
    final = {name for name in StateName if State(name, "", AT).is_final}

    assert final == {"Completed", "Cached", "Failed", "TimedOut", "Cancelled", "Crashed"}


COMPLETED, FAILED, CANCELLED = StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED


@pytest.mark.parametrize(
    ("returned", "outcomes", "text"),
    [
        (7, [FAILED], "Completed()"),
        (None, [], "Completed()"),
        (None, [COMPLETED, COMPLETED], "Completed('All states completed.')"),
        (None, [COMPLETED, FAILED, CANCELLED], "Failed('1/3 states failed.')"),
        (None, [StateType.CRASHED], "Failed('1/1 states failed.')"),
        (None, [COMPLETED, CANCELLED], "Cancelled('1/2 states cancelled.')"),
        (0, [FAILED], "Completed()"),
    ],
)
def test_a_flow_that_returns_nothing_is_decided_by_its_runs(
    returned: object, outcomes: list[StateType], text: str
) -> None:
    assert str(final_state(returned, outcomes, AT)) == text
