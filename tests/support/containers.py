"""What a value may be in: `CONTAINERS` makes one of each kind around it."""

from __future__ import annotations

from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, RootModel
from pydantic.dataclasses import dataclass as checked_dataclass


@dataclass
class Open:
    held: Any
    others: list[int] = field(default_factory=lambda: [1])

    def __post_init__(self) -> None:
        assert self.held is not None


@dataclass(frozen=True)
class Frozen:
    held: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "noted", "beside")


@dataclass(frozen=True, slots=True)
class Slotted:
    held: Any
    other: int = 1


@dataclass(frozen=True)
class HandSlotted:
    __slots__ = ("held",)
    held: Any


@dataclass
class MadeLater:
    held: Any = field(init=False)
    never: Any = field(init=False)

    def __init__(self) -> None:
        raise AssertionError("its constructor is called")


@dataclass(init=False)
class OfList(list[Any]):
    """A dataclass that is a list besides."""


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="allow")
    held: Any = None
    _noted: str = "private"

    def model_post_init(self, context: Any, /) -> None:
        assert not isinstance(self.held, str)


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True)
    held: Any


class Root(RootModel[Any]):
    pass


@checked_dataclass
class Checked:
    held: Any


class Pair(NamedTuple):
    left: Any
    right: int


class Rows(list[Any]):
    def __init__(self, name: str, rows: list[Any]) -> None:
        super().__init__(rows)
        self.name = name


class Named(dict[str, Any]):
    def __init__(self, name: str, held: Any) -> None:
        super().__init__(held=held)
        self.name = name


class Triple(tuple[Any, ...]):
    def __new__(cls, one: Any, two: Any, three: Any) -> Triple:
        return super().__new__(cls, (one, two, three))


def _made_later(held: Any) -> MadeLater:
    made = object.__new__(MadeLater)
    made.held = held
    return made


def _ring(held: Any) -> list[Any]:
    """A list that holds itself, in a tuple."""
    ring: list[Any] = [held]
    ring.append((ring,))
    return ring


CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "list": lambda held: [held],
    "tuple": lambda held: (1, held),
    "set": lambda held: {held},
    "frozenset": lambda held: frozenset({held}),
    "dict": lambda held: {"held": held},
    "ordered": lambda held: OrderedDict(a=1, held=held),
    "default": lambda held: defaultdict(list, held=held),
    "proxy": lambda held: MappingProxyType({"held": held}),
    "user dict": lambda held: UserDict(held=held),
    "named tuple": lambda held: Pair(held, 1),
    "dataclass": Open,
    "frozen": Frozen,
    "slots": Slotted,
    "slots by hand": HandSlotted,
    "init=False": _made_later,
    "model": lambda held: Model(held=held),
    "model's extra": lambda held: Model(more=held),
    "frozen model": lambda held: FrozenModel(held=held),
    "root model": Root,
    "pydantic dataclass": Checked,
    "list's subclass": lambda held: Rows("x", [held]),
    "dict's subclass": lambda held: Named("x", held),
    "tuple's subclass": lambda held: Triple(held, 2, 3),
    "nested": lambda held: {"a": [Frozen((Model(held=Pair(held, 1)),))]},
    "ring": _ring,
}
