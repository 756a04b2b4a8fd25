from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from taxietl.orchestrator.results import NotStorableError, ResultCodec, shown, told_apart


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


def test_arguments_are_shown_without_secrets() -> None:
    text = shown(
        {
            "password": SecretStr("hunter2"),
            "report": REPORT,
            "frame": object(),
            "url": "postgresql://root:tiger@host/db",
            "color": Color.YELLOW,
        }
    )

    assert json.loads(text) == {
        "password": "**********",
        "report": {
            "path": "/a/b",
            "day": "2021-01-02",
            "counts": {"rows": 3},
            "months": [1, 2],
            "secret": None,
        },
        "frame": "<object>",
        "url": "postgresql://root:**********@host/db",
        "color": "yellow",
    }


def test_long_arguments_are_shown_by_their_type() -> None:
    assert shown({"months": list(range(20_000))}) == '{"months": "<list of 20,000>"}'
    assert shown({"text": "x" * 70_000}) == '{"text": "<str>"}'


def test_equal_arguments_have_one_digest_and_others_another() -> None:
    one = told_apart({"a": {"x": 1, "y": {"c", "b", "a"}}, "s": SecretStr("k")})
    same = told_apart({"s": SecretStr("k"), "a": {"y": {"a", "b", "c"}, "x": 1}})
    others = [
        told_apart({"a": {"x": 2, "y": {"c", "b", "a"}}, "s": SecretStr("k")}),
        told_apart({"a": {"x": 1, "y": {"c", "b", "a"}}, "s": SecretStr("l")}),
        told_apart({"a": {"x": True, "y": {"c", "b", "a"}}, "s": SecretStr("k")}),
    ]

    assert one == same
    assert len({one, *others}) == 4
