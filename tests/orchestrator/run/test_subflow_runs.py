"""Flows submitted by flows have a place in their parent."""

from __future__ import annotations

import pytest
from runs_at_hand import double, states

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    Engine,
    flow,
    task,
)


def test_a_submitted_flow_is_a_child_run_with_a_place(engine: Engine) -> None:
    @flow
    def child(number: int) -> int:
        return double(number)

    @flow
    def main() -> int:
        return child.submit(double.submit(2)).result() + child.submit(1).result()

    run = engine.run(main)

    assert run.result() == 10
    places = [each for each in engine.history.task_runs(run.id) if each.kind == "subflow"]
    below = engine.history.children(run.id)
    assert [each.child_run_id for each in places] == [each.id for each in below]
    assert [each.parent_task_run_id for each in below] == [each.id for each in places]
    assert [each.arguments for each in places] == ['{"number": 4}', '{"number": 1}']
    assert states(engine, run.id, "child-0") == ["Pending", "Running", "Completed"]
    assert [each.state.name for each in below] == ["Completed"] * 2


def test_a_submitted_flow_with_a_wrong_parameter_is_refused(engine: Engine) -> None:
    @flow
    def child(number: int) -> int:
        return number

    def at_once() -> None:
        with pytest.raises(ConfigError, match="wrong value for 'number'"):
            child.submit("many")
        with pytest.raises(ConfigError, match="cannot be called so"):
            child.submit(double.submit(1), 2)

    def later() -> None:
        text = task(name="text")(lambda: "many")
        child.submit(text.submit())

    assert str(engine.run(flow(at_once)).state) == "Completed('All states completed.')"
    run = engine.run(flow(later))
    assert run.state.message == "1/2 states failed."
    with pytest.raises(ConfigError, match="wrong value for 'number'"):
        run.result()
    assert states(engine, run.id, "child-0") == ["Pending", "Failed"]
