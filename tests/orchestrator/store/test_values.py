"""What is in a value is found and replaced wherever it is in it."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.support.containers import (
    CONTAINERS,
    Frozen,
    HandSlotted,
    MadeLater,
    Model,
    Named,
    OfList,
    Open,
    Pair,
    Root,
    Rows,
    Slotted,
    Triple,
)

from taxietl.orchestrator.store.fingerprints import files_in
from taxietl.orchestrator.store.values import attributes, found_in, parts, replaced


class Token:
    """What is looked for."""


TOKEN = Token()


def _replaced(value: Any) -> Any:
    return replaced(value, (Token,), lambda each: "given")


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_is_looked_for_is_found_and_replaced(kind: str) -> None:
    value = CONTAINERS[kind](TOKEN)

    new = _replaced(value)

    assert found_in([value], (Token,)) == [TOKEN]
    assert found_in([new], (Token,)) == []
    assert found_in([value], (Token,)) == [TOKEN], "the caller's own is as it was"
    assert kind in ("proxy", "user dict") or type(new) is type(value)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_has_nothing_to_replace_is_itself(kind: str) -> None:
    value = CONTAINERS[kind](1)
    beside = [value, TOKEN]

    assert _replaced(value) is value
    assert _replaced(beside)[0] is value


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_file_is_found(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.touch()

    assert files_in(CONTAINERS[kind](file)) == [file]


def test_what_is_made_anew_is_whole() -> None:
    opened, frozen, slotted = _replaced([Open(TOKEN), Frozen(TOKEN), Slotted(TOKEN, 5)])
    rows, named, triple = _replaced((Rows("x", [TOKEN]), Named("y", TOKEN), Triple(TOKEN, 2, 3)))

    assert (opened.held, opened.others) == ("given", [1])
    assert (frozen.held, frozen.noted) == ("given", "beside")
    assert slotted == Slotted("given", 5)
    assert hash(frozen) == hash(Frozen("given"))
    assert _replaced(HandSlotted(TOKEN)) == HandSlotted("given")
    assert _replaced(Pair(TOKEN, 1)) == Pair("given", 1)
    assert (rows, rows.name) == (["given"], "x")
    assert (named, named.name) == ({"held": "given"}, "y")
    assert (triple, type(triple)) == (("given", 2, 3), Triple)


def test_a_model_made_anew_is_whole_and_apart_from_the_first() -> None:
    model = Model(held=[TOKEN], more=TOKEN, rest=1)
    model._noted = "seen"

    new = _replaced(model)

    assert (new.held, new.more, new.rest, new._noted) == (["given"], "given", 1, "seen")
    assert new.model_fields_set == {"held", "more", "rest"}
    assert model.more is TOKEN
    assert model.model_extra == {"more": TOKEN, "rest": 1}
    assert _replaced(Root([TOKEN])).root == ["given"]


def test_a_field_that_is_not_set_stays_so() -> None:
    made = object.__new__(MadeLater)
    made.held = TOKEN

    assert attributes(made) == {"held": TOKEN}
    assert not hasattr(_replaced(made), "never")


def test_mappings_keep_what_they_are() -> None:
    ordered = _replaced(OrderedDict(b=TOKEN, a=1))
    default = _replaced(defaultdict(list, b=TOKEN))

    assert list(ordered.items()) == [("b", "given"), ("a", 1)]
    ordered.move_to_end("b")
    assert list(ordered) == ["a", "b"]
    assert default["new"] == []


def test_a_list_that_is_a_dataclass_is_a_list() -> None:
    value = OfList()
    value.append(TOKEN)

    assert _replaced(value) == OfList(["given"])


def test_a_key_is_found_and_stays() -> None:
    value = {TOKEN: 1, (TOKEN,): [TOKEN]}

    assert found_in([value], (Token,)) == [TOKEN] * 3
    assert _replaced(value) == {TOKEN: 1, (TOKEN,): ["given"]}
    assert _replaced(only := {TOKEN: 1}) is only


def test_what_is_in_two_places_is_one_thing_in_both() -> None:
    shared = [TOKEN]
    one, other = _replaced((shared, {"a": shared}))

    assert one is other["a"]
    assert found_in([shared, shared], (Token,)) == [TOKEN]


def test_what_holds_itself_does_so_when_made_anew() -> None:
    new = _replaced(CONTAINERS["ring"](TOKEN))

    assert new[0] == "given"
    assert new[1][0] is new


def test_a_tuple_in_a_ring_is_made_once() -> None:
    inner: list[Any] = [TOKEN]
    ring = (inner,)
    inner.append(ring)

    new = _replaced(ring)

    assert new[0][1] is new


def test_what_is_wide_or_deep_is_looked_at_once() -> None:
    wide: list[Any] = []
    for _ in range(60):  # 2 ** 60 ways lead to the first
        wide = [wide, wide]
    deep: list[Any] = [TOKEN]
    for _ in range(5000):
        deep = [deep]

    assert found_in([wide, deep], (Token,)) == [TOKEN]
    assert _replaced([TOKEN, wide])[1] is wide


def test_instances_of_a_closed_class_stay_as_they_are() -> None:
    value = [Frozen(TOKEN), TOKEN]

    assert found_in([value], (Token,), closed=(Frozen,)) == [TOKEN]
    new = replaced(value, (Token,), lambda each: "given", closed=(Frozen,))
    assert new == [value[0], "given"]
    assert new[0] is value[0]


class Held(Enum):
    ONE = (TOKEN,)


@dataclass
class Text(str):
    held: Any = TOKEN


def _generated() -> Iterator[Any]:
    raise AssertionError("it is begun")
    yield


@pytest.mark.parametrize(
    "make",
    [
        *(lambda: "text", lambda: b"bytes", lambda: Text("text"), lambda: Held.ONE),
        *(_generated, lambda: iter([TOKEN]), lambda: (each for each in [TOKEN])),
        *(lambda: np.array([TOKEN]), lambda: pd.DataFrame({"held": [TOKEN]}), lambda: range(3)),
        *(lambda: pd.Series([TOKEN]), lambda: pa.table({"n": [1]}), lambda: memoryview(b"x")),
        *(lambda: Frozen, lambda: Model, lambda: list[int], lambda: Held, object, lambda: len),
    ],
)
def test_anything_else_is_whole(make: Callable[[], Any]) -> None:
    value = make()

    assert list(parts(value)) == []
    assert found_in([value], (Token,)) == []
    assert _replaced(value) is value
