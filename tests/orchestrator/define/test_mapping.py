"""`map` makes one call of each element."""

from __future__ import annotations

from typing import Any

import pytest
from runs_at_hand import broken, double

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    Engine,
    FutureList,
    flow,
    task,
    unmapped,
)


@task
def add(*numbers: int) -> int:
    return sum(numbers)


def test_map_makes_a_call_of_each_element(engine: Engine) -> None:
    @task
    def label(number: int, folder: list[str], suffix: str) -> str:
        return f"{folder[0]}/{number}{suffix}"

    @flow
    def main() -> list[str]:
        futures = label.map(range(100), unmapped(["x"]), suffix=".csv")
        assert isinstance(futures, FutureList)
        assert [each.name for each in futures] == [f"label-{n}" for n in range(100)]
        assert all(futures.wait())
        return futures.result()

    assert engine.run(main).result() == [f"x/{number}.csv" for number in range(100)]


def test_map_resolves_futures_element_by_element(engine: Engine) -> None:
    numbers = task(name="numbers")(lambda: [1, 2, 3])

    @flow
    def main() -> list[Any]:
        doubled = double.map(numbers.submit())  # the future's value is what is mapped
        summed = add.map(doubled, [10, 20, 30], unmapped(double.submit(50)))
        failing = double.map([broken.submit(), 4])
        return [summed.result(), failing.result(raise_on_failure=False)]

    run = engine.run(main)
    summed, (error, eight) = run.result()

    assert summed == [112, 124, 136]
    assert (type(error), eight) == (ValueError, 8)


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        (([1, 2], [1, 2, 3]), {}, "of different lengths: left=2, right=3"),
        (([1],), {"right": ()}, "of different lengths: left=1, right=0"),
        ((1,), {"right": "text"}, "nothing to map over"),
    ],
)
def test_map_refuses_what_does_not_fit(
    engine: Engine, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    pair = task(name="pair")(lambda left, right: None)

    run = engine.run(flow(lambda: pair.map(*args, **kwargs)))

    with pytest.raises(ConfigError, match=says) as raised:
        run.result()
    assert raised.value.hint
    assert engine.history.task_runs(run.id) == []
