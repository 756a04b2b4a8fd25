"""Arguments are told apart by their values and their types."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from taxietl.orchestrator.store.canonical import NoDigestError, told_apart, types_in


@dataclass(frozen=True)
class Celsius:
    degrees: float


@dataclass(frozen=True)
class Fahrenheit:
    degrees: float


class Model(BaseModel):
    model_config = ConfigDict(extra="allow")
    degrees: float


class Color(Enum):
    YELLOW = "yellow"
    GREEN = "green"


class Level(IntEnum):
    ONE = 1


class Right(Flag):
    READ = 1
    WRITE = 2


class Text(str):
    def __str__(self) -> str:
        return "something else"


class Quantity(float):
    """A number with a unit."""

    def __new__(cls, value: float, unit: str) -> Quantity:
        quantity = super().__new__(cls, value)
        quantity.unit = unit  # type: ignore[attr-defined]
        return quantity


class Route(list[str]):
    def __init__(self, stops: list[str], color: str) -> None:
        super().__init__(stops)
        self.color = color


class Marked(str):
    __slots__ = ("mark",)


def marked(text: str, mark: int) -> Marked:
    made = Marked(text)
    made.mark = mark
    return made


@dataclass
class Fares(dict[str, float]):
    currency: str


def fares(**prices: float) -> Fares:
    made = Fares("USD")
    made.update(prices)
    return made


class Account(BaseModel):
    _owner: str = PrivateAttr("")


def account(owner: str) -> Account:
    made = Account()
    made._owner = owner
    return made


Point = namedtuple("Point", "x y")  # what old code passes
SUMMER = datetime(2021, 7, 1, 12)

LOOK_ALIKE: list[list[Any]] = [
    [1, 1.0, True, "1", Decimal(1), Level.ONE, b"1", np.int64(1), np.int32(1), np.float64(1.0)],
    [0.0, -0.0, False, None, "", "None", "null", float("nan"), "NaN"],
    ["a", Path("a"), PurePosixPath("a"), Text("a"), b"a", bytearray(b"a"), ["a"], ("a",), {"a"}],
    [
        (1, 2),
        [1, 2],
        {1, 2},
        frozenset({1, 2}),
        Point(1, 2),
        {1: 2},
        range(1, 2),
        [[1, 2]],
        "[1,2]",
    ],
    [{"1": "a"}, {1: "a"}, OrderedDict({"1": "a"}), [["1", "a"]], {"1": "a", "2": None}],
    [Celsius(50), Fahrenheit(50), Model(degrees=50), {"degrees": 50}, {"degrees": 50.0}],
    [Celsius(50), Celsius(50.0), Celsius(True)],  # type: ignore[arg-type]
    [Model(degrees=50), Model(degrees=50, more=1)],  # type: ignore[call-arg]
    [Color.YELLOW, "yellow", Color.GREEN, SecretStr("yellow"), Color],
    [Right.READ, Right.READ | Right.WRITE, Right(0), 1],
    [date(2021, 7, 1), datetime(2021, 7, 1), "2021-07-01", time(0)],
    [
        SUMMER.replace(tzinfo=ZoneInfo("America/New_York")),
        SUMMER.replace(tzinfo=timezone(timedelta(hours=-4))),
        SUMMER.replace(tzinfo=UTC),
        SUMMER,
    ],
    [Quantity(50, "C"), Quantity(50, "F"), Quantity(51, "F"), 50.0],
    [Route(["1"], "green"), Route(["1"], "yellow"), Route(["2"], "green"), ["1"]],
    [marked("a", 1), marked("a", 2), "a"],
    [fares(base=3.0), fares(base=2.5), Fares("USD"), Fares("EUR")],
    [account("one"), account("two")],
    [datetime(2021, 11, 7, 1, 30), datetime(2021, 11, 7, 1, 30, fold=1)],
    [OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)],
    [pd.Timedelta(1, "ns"), pd.Timedelta(2, "ns"), timedelta()],
    [timedelta(seconds=1), 1.0, timedelta(days=200_000), timedelta(days=200_000, microseconds=1)],
    [UUID(int=1), str(UUID(int=1)), Decimal("1.0"), Decimal("1.00"), 1j],
    [np.array([1, 2]), np.array([1.0, 2.0]), np.array([[1], [2]]), np.array([1, 2], dtype=object)],
    [SecretStr("one"), SecretStr("two"), "**********"],
    [["list", [1]], [1], ["list", [["list", [1]]]]],
]


@pytest.mark.parametrize("values", LOOK_ALIKE, ids=lambda values: repr(values[0]))
def test_what_looks_alike_and_is_not_the_same_is_told_apart(values: list[Any]) -> None:
    digests = [told_apart({"given": value}) for value in values]

    assert len(set(digests)) == len(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"x": 1, "y": {"c", "b", "a"}},
        lambda: {"y": {"a", "b", "c"}, "x": 1},
        lambda: OrderedDict(a=Celsius(50), b=[Path("a"), None, Color.GREEN]),
        lambda: np.arange(5),
        lambda: SUMMER.replace(tzinfo=ZoneInfo("America/New_York")),
    ],
)
def test_what_is_the_same_is_not_told_apart(make: Callable[[], Any]) -> None:
    assert told_apart({"given": make()}) == told_apart({"given": make()})


def test_neither_the_order_of_names_nor_of_a_set_counts() -> None:
    assert told_apart({"a": {"x": 1, "y": 2}, "s": {"c", "b"}}) == told_apart(
        {"s": {"b", "c"}, "a": {"y": 2, "x": 1}}
    )


def test_classes_of_one_name_in_two_modules_are_told_apart() -> None:
    def made(module: str) -> object:
        namespace = {"__name__": module, "dataclass": dataclass}
        source = "@dataclass\nclass Month:\n    n: int\n"
        exec(compile(source, module, "exec", dont_inherit=True), namespace)
        return namespace["Month"](1)  # type: ignore[operator]

    assert told_apart({"month": made("one")}) != told_apart({"month": made("other")})
    assert told_apart({"month": made("one")}) == told_apart({"month": made("one")})


def test_a_digest_is_the_same_in_another_process() -> None:
    given = "{'s': {'yellow', 'green', 'fhv'}, 'p': __import__('pathlib').Path('a'), 't': (1, 2)}"
    code = (
        f"from taxietl.orchestrator.store.canonical import told_apart; print(told_apart({given}))"
    )

    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert there.stdout.strip() == told_apart(eval(given))


class Opaque:
    """Has no canonical form."""


def test_what_has_no_form_says_so() -> None:
    ring: list[Any] = []
    ring.append(ring)

    with pytest.raises(NoDigestError, match="a Opaque has no canonical form"):
        told_apart({"given": [Opaque()]})
    with pytest.raises(NoDigestError, match="a MaskedArray has no canonical form"):
        told_apart({"given": np.ma.array([1, 2], mask=[True, False])})
    with pytest.raises(NoDigestError, match="holds itself"):
        told_apart({"ring": ring})


def test_types_are_named_where_they_stand() -> None:
    here = Path(__file__)
    found = types_in({"n": 1, "at": [{"x": Celsius(1)}, (2,)], "path": Path("a")})

    assert {name: kind.removeprefix(f"{here}:") for name, kind in found.items()} == {
        "at[0].x": found["at[0].x"],
        "at[1]": "tuple",
        "path": "pathlib.PosixPath",
    }
    assert found["at[0].x"].endswith(":Celsius")
