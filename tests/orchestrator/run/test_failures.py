from __future__ import annotations

import sys

import pytest
from runs_at_hand import states

from taxietl.orchestrator import Engine, flow, task


@task
def leave() -> None:
    sys.exit(3)


@task
def starve() -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("crashing", "message"),
    [
        (leave, "Crash detected! SystemExit: 3"),
        (starve, "Crash detected! MemoryError"),
    ],
    ids=["exit", "memory"],
)
def test_what_no_program_means_to_raise_is_a_crash(
    engine: Engine, crashing: object, message: str
) -> None:
    @flow
    def work() -> None:
        crashing()  # type: ignore[operator]

    run = engine.run(work)

    (task_run,) = engine.history.task_runs(run.id)
    assert states(engine, run.id) == ["Pending", "Running", "Crashed"]
    assert run.state.message == task_run.state.message == message
    with pytest.raises((SystemExit, MemoryError)):
        run.result()
    traces = [each.message for each in engine.history.logs(run.id) if "Traceback" in each.message]
    assert len(traces) == 2


def test_a_flow_that_shrugs_off_a_crash_of_its_task_has_failed(engine: Engine) -> None:
    @flow
    def work() -> None:
        with pytest.raises(MemoryError):
            starve()

    run = engine.run(work)

    assert str(run.state) == "Failed('1/1 states failed.')"
