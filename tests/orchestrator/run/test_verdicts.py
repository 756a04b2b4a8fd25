"""What decides how a flow ended: what it returned, or its task runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from runs_at_hand import broken, double, stopped

from taxietl.errors import Cancelled
from taxietl.orchestrator import (
    Cache,
    Engine,
    FinalState,
    State,
    StateName,
    flow,
    task,
)


def test_a_flow_that_returns_nothing_counts_what_never_began_as_not_completed(
    engine: Engine,
) -> None:
    @flow
    def main() -> None:
        double.submit(broken.submit())
        double.submit(1)

    run = engine.run(main)

    assert str(run.state) == "Failed('1/3 states failed.')"
    with pytest.raises(ValueError, match="no such month"):
        run.result()
    only = engine.run(flow(lambda: double.submit(broken.submit())))
    assert str(only.state) == "Failed('1/1 states not ready.')"
    with pytest.raises(ValueError, match="no such month"):
        only.result()


@pytest.mark.parametrize(
    ("body", "text", "value"),
    [
        (lambda: double.submit(1), "Completed('All states completed.')", 2),
        (lambda: [double.submit(1), 5], "Completed('All states completed.')", [2, 5]),
        (lambda: {"a": (double.submit(1),)}, "Completed('All states completed.')", {"a": (2,)}),
        (lambda: {double.submit(1)}, "Completed('All states completed.')", {2}),
        (lambda: double.map([1, 2]), "Completed('All states completed.')", [2, 4]),
        (lambda: [double(1, return_state=True)], "Completed('All states completed.')", [2]),
        (lambda: (broken.submit(), 7)[1], "Completed()", 7),
        (list, "Completed()", []),
        (lambda: [double.submit(1), broken.submit()], "Failed('1/2 states failed.')", ValueError),
        (lambda: broken(return_state=True), "Failed('1/1 states failed.')", ValueError),
        (lambda: stopped(return_state=True), "Cancelled('1/1 states cancelled.')", Cancelled),
        (
            lambda: [broken.submit(), stopped.submit(), double.submit(1)],
            "Cancelled('1/3 states cancelled.')",
            Cancelled,
        ),
        (lambda: (stopped.submit(), None)[1], "Cancelled('1/1 states cancelled.')", Cancelled),
    ],
)
def test_what_a_flow_returns_decides_and_its_caller_gets_values(
    engine: Engine, body: Callable[[], Any], text: str, value: Any
) -> None:
    run = engine.run(flow(name="main")(body))

    assert str(run.state) == text
    if isinstance(value, type):
        with pytest.raises(value):
            run.result()
    else:
        assert run.result() == value


def test_a_flow_whose_values_do_not_fit_what_it_returned_fails(engine: Engine) -> None:
    run = engine.run(flow(lambda: {task(name="months")(lambda: [1]).submit()}))

    assert run.state.name == "Failed"
    with pytest.raises(TypeError, match="unhashable"):
        run.result()


def test_a_state_that_a_flow_makes_itself_is_taken_as_it_is(engine: Engine) -> None:
    done = State(StateName.COMPLETED, "Nothing to do.", engine.clock())
    not_done = State(StateName.FAILED, "No month given.", engine.clock())

    assert engine.run(flow(lambda: done)).state == done
    run = engine.run(flow(lambda: not_done))
    assert run.state == not_done
    with pytest.raises(Exception, match=r"returned the state Failed\('No month given.'\)"):
        run.result()


def test_return_state_gives_the_state_and_raises_nothing(engine: Engine) -> None:
    kept = task(name="kept", cache=Cache())(lambda number: number)
    child = flow(name="child")(lambda: broken())

    @flow
    def main() -> list[str]:
        good, again = kept(1, return_state=True), kept(1, return_state=True)
        bad, below = broken(return_state=True), child(return_state=True)
        later = double.submit(2, return_state=True)
        assert all(isinstance(each, FinalState) for each in (good, again, bad, below, later))
        assert (good.result(), again.result(), later.result()) == (1, 1, 4)
        assert isinstance(bad.result(raise_on_failure=False), ValueError)
        assert isinstance(below.error, ValueError)
        return [each.name.value for each in (good, again, bad, below, later)]

    assert engine.run(main).result() == ["Completed", "Cached", "Failed", "Failed", "Completed"]
