from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from taxietl.orchestrator import FinalState, StateName
from taxietl.orchestrator.inputs import found_in, resolved

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
