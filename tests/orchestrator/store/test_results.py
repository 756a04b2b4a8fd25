from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from taxietl.orchestrator.store.results import NotStorableError, ResultCodec


class Color(Enum):
    YELLOW = "yellow"


class Model(BaseModel):
    month: int


@dataclass(frozen=True)
class Report:
    path: Path
    day: date
    counts: dict[str, int]
    months: tuple[int, ...]
    secret: SecretStr | None = None


REPORT = Report(Path("/a/b"), date(2021, 1, 2), {"rows": 3}, (1, 2))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (None, {"a": [1, 2.5, None, "x", True]}),
        (type(None), None),
        (int, 3),
        (Path, Path("/a/b")),
        (Report, REPORT),
        (list[Report], [REPORT]),
        (Path | None, None),
        (datetime, datetime(2021, 1, 2, 3, tzinfo=UTC)),
        (set[int], {1, 2}),
        (Color, Color.YELLOW),
        (Model, Model(month=3)),
        (Any, [1, 2]),
    ],
    ids=str,
)
def test_a_result_comes_back_as_it_was(annotation: Any, value: object) -> None:
    codec = ResultCodec(annotation)

    back = codec.decode(codec.encode(value))

    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (None, (1, 2)),
        (None, {1: "a"}),
        (None, float("nan")),
        (float, float("nan")),
        (None, Path("/a")),
        (Path, "/a"),
        (int, {1, 2}),
        (Report, Report(Path("/a"), date(2021, 1, 1), {}, (), SecretStr("hunter2"))),
        (None, "x" * 70_000),
        (None, [0] * 70_000),
    ],
    ids=[
        *("tuple", "int keys", "NaN", "annotated NaN", "Path", "str for Path", "set for int"),
        *("secret", "long text", "long list"),
    ],
)
def test_what_would_not_come_back_is_not_stored(annotation: Any, value: object) -> None:
    with pytest.raises(NotStorableError):
        ResultCodec(annotation).encode(value)
