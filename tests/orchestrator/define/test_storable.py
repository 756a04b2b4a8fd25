"""A task that is to keep what cannot be kept is refused before it is called."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import BaseModel

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, task

T = TypeVar("T")


class OwnFrame(pd.DataFrame):
    """Would come back as its base."""


class Plain:
    """Has no form."""


class Model(BaseModel):
    """Has one."""

    n: int


class Pair(NamedTuple):
    """Has one."""

    frame: pd.DataFrame
    n: int


class Open(Protocol):
    """May be anything."""

    n: int


@dataclass
class Holds:
    """Has no form for what is deep in it."""

    parts: Mapping[str, Sequence[Plain | None]]


@dataclass
class Kept:
    """Has one, be it that it holds itself."""

    frame: pd.DataFrame
    path: Path
    inner: Kept | None = None


@pytest.mark.parametrize(
    ("annotation", "named"),
    [
        (sqlite3.Connection, "Connection"),
        (Plain, "Plain"),
        (tuple[pd.DataFrame, Plain], "Plain"),
        (dict[str, list[Plain]], "Plain"),
        (Plain | None, "Plain"),
        (Holds, "Plain"),
        (OwnFrame, "OwnFrame"),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("options", "option"),
    [({"cache": Cache()}, "cache="), ({"persist_result": True}, "persist_result=True")],
    ids=["cached", "persisted"],
)
def test_a_class_of_which_nothing_can_be_kept_is_refused_at_decoration(
    annotation: Any, named: str, options: Any, option: str
) -> None:
    def extract() -> Any: ...

    extract.__annotations__["return"] = annotation

    with pytest.raises(ConfigError) as refused:
        task(**options)(extract)

    assert refused.value.message == (
        f"The task 'extract' has {option}, and its result cannot be stored:"
        f" nothing of a {named} can be kept."
    )
    assert refused.value.hint.endswith(f"; or drop {option}.")


@pytest.mark.parametrize(
    "annotation",
    [
        *(None, Any, object, int, str | None, list[date], dict[str, UUID], Path, Model, Pair),
        *(pd.DataFrame, pd.Series, pa.Table, pa.RecordBatch, tuple[pd.DataFrame, ...], Kept),
        *(Literal["a", 1], Open, T, Mapping[str, Sequence[int]], "NotThere"),
    ],
    ids=str,
)
def test_what_can_be_kept_or_is_not_known_is_taken(annotation: Any) -> None:
    def extract() -> Any: ...

    extract.__annotations__["return"] = annotation

    assert task(cache=Cache())(extract).name == "extract"
    assert task(persist_result=True)(extract).name == "extract"
