"""Ends that the code of a flow or task makes itself, and returns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from taxietl.errors import TaxietlError
from taxietl.orchestrator import Engine, FinalState, StateName, flow, task
from taxietl.orchestrator.store.states import MadeState

AT = datetime(2021, 1, 1, tzinfo=UTC)


def made(name: StateName, value: Any = None, error: BaseException | None = None) -> MadeState[Any]:
    return MadeState(name, "as it said", AT, value, error)


def test_a_flow_ends_as_it_says(engine: Engine) -> None:
    @flow
    def work(name: StateName, error: Any = None) -> Any:
        return made(name, 3, error)

    completed = engine.run(work, StateName.COMPLETED)
    assert (str(completed.state), completed.result()) == ("Completed('as it said')", 3)
    failed = engine.run(work, StateName.FAILED)
    assert str(failed.state) == "Failed('as it said')"
    with pytest.raises(TaxietlError, match=r"^as it said$"):
        failed.result()
    with pytest.raises(OSError, match="disk"):
        engine.run(work, StateName.FAILED, OSError("disk")).result()


def test_several_decide_together(engine: Engine) -> None:
    @flow
    def work() -> Any:
        return [made(StateName.COMPLETED, 1), made(StateName.FAILED)]

    assert str(engine.run(work).state) == "Failed('1/2 states failed.')"


def test_a_task_ends_as_it_says_and_is_tried_again_if_that_is_failed(engine: Engine) -> None:
    calls = []

    @task(retries=1)
    def work(name: StateName) -> Any:
        calls.append(name)
        return made(name, 3)

    @flow
    def both() -> list[FinalState[Any]]:
        return [work(name, return_state=True) for name in (StateName.COMPLETED, StateName.FAILED)]

    run = engine.run(both)
    completed, failed = (each.state for each in engine.history.task_runs(run.id))

    assert run.state.message == "1/2 states failed."
    assert (completed.name, str(failed)) == ("Completed", "Failed('as it said')")
    assert calls == [StateName.COMPLETED, StateName.FAILED, StateName.FAILED]


def test_a_retry_asks_as_code_of_the_task_run(engine: Engine) -> None:
    from taxietl.orchestrator import current_run

    asked = []

    def ask(error: Exception) -> bool:
        run = current_run()
        assert run is not None
        asked.append((run.task_run and run.task_run.name, str(error)))
        return False

    @task(retries=2, retry_if=ask)
    def cut() -> None:
        raise OSError("cut")

    @flow(retries=1, retry_if=ask)
    def work() -> None:
        cut()

    engine.run(work)

    assert asked == [("cut-0", "cut"), (None, "cut")]
