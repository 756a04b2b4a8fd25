from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from taxietl.orchestrator import Engine, FinalState, StateName, flow, task
from taxietl.orchestrator.define.inputs import found_in, resolved

AT = datetime(2021, 1, 1, tzinfo=UTC)
ONE: FinalState[int] = FinalState(StateName.COMPLETED, "", AT, 1)
LIST: FinalState[list[int]] = FinalState(StateName.COMPLETED, "", AT, [1])


class Pair(NamedTuple):
    left: Any
    right: Any


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ONE, 1),
        ([ONE, [ONE]], [1, [1]]),
        ((ONE, 2), (1, 2)),
        (Pair(ONE, "x"), Pair(1, "x")),
        ({ONE, 2}, {1, 2}),
        (frozenset({ONE}), frozenset({1})),
        (OrderedDict(a=ONE), {"a": 1}),
    ],
)
def test_values_stand_where_what_gives_them_stood(value: object, expected: object) -> None:
    given = resolved(value, (FinalState,))

    assert given == expected
    assert found_in([given], (FinalState,)) == []


def test_what_has_nothing_to_replace_is_itself() -> None:
    for value in ([1], {"a": (2,)}, "text", object()):
        assert resolved(value, (FinalState,)) is value


def test_a_set_of_what_cannot_be_in_one_is_an_error() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        resolved({LIST}, (FinalState,))


def _ring() -> dict[str, Any]:
    ring: dict[str, Any] = {"months": [1]}
    ring["self"] = [ring]
    return ring


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    return deep


@pytest.mark.parametrize("make", [_ring, _deep])
def test_what_holds_itself_or_is_nested_deep_is_passed_on(
    engine: Engine, make: Callable[[], Any]
) -> None:
    value = make()
    inner = flow(name="inner")(lambda given: given)
    passes = task(name="passes")(lambda given: given)

    run = engine.run(flow(lambda given: inner(passes.submit(passes(given)).result())), value)

    assert run.result() is value
    assert [each.stored for each in engine.history.task_runs(run.id)][:2] == ["not stored"] * 2
