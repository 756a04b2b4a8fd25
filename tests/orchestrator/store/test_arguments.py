from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pydantic import SecretStr

from taxietl.orchestrator.store.arguments import hides, shown, shown_with_digest


class Color(Enum):
    YELLOW = "yellow"


@dataclass(frozen=True)
class Report:
    path: Path
    day: date
    counts: dict[str, int]
    months: tuple[int, ...]
    secret: SecretStr | None = None


REPORT = Report(Path("/a/b"), date(2021, 1, 2), {"rows": 3}, (1, 2))


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


@pytest.mark.parametrize(
    "text", ["**********", "<int>", "<list of 20,000>", '"<ndarray>"', "token=**********"]
)
def test_a_text_that_looks_like_what_is_written_for_others_is_a_text(text: str) -> None:
    given = {"given": [text, {text: text}]}

    assert shown_with_digest(given) == (shown(given), None)
    assert not hides(given)


TIMEOUT = timedelta(seconds=5)
LONG = "x" * 70_000
FRAME = pd.DataFrame({"n": [1]})


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        (["plain", 1, None, {"a": [True, 0.5]}], None),
        # As earlier versions have it: their runs can still be resumed.
        ("postgresql://root:tiger@host/db", "384613bc82fa"),
        ({"password": "hunter2"}, "32df7daf1412"),
        (Path("/a/b"), "fb8bf56e88da"),
        ((1, TIMEOUT), "ea4aca9add9b"),
        (SecretStr("hunter2"), "9198418a6670"),
        (LONG, "2ef0262c4399"),
    ],
)
def test_what_the_text_does_not_tell_is_in_the_digest(value: object, digest: str | None) -> None:
    _, found = shown_with_digest({"given": value})

    assert (found and found[:12]) == digest


@pytest.mark.parametrize(
    "value",
    [
        *(list(range(10_001)), [set(range(10_001))], np.arange(3), {"a": [np.arange(3)]}),
        *(FRAME, Report(Path("/a"), date(2021, 1, 2), {"frame": FRAME}, ()), pa.table({"n": [1]})),  # type: ignore[dict-item]
        *(object(), [object()]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_too_big_or_has_no_form_is_not_told_apart(value: object) -> None:
    assert shown_with_digest({"given": value})[1] == ""
    has_form = "object" not in shown({"given": value})
    assert bool(shown_with_digest({"given": value}, bulk=True)[1]) is has_form


def test_what_json_has_no_number_for_is_text() -> None:
    text = shown({"rate": math.nan, "limits": [math.inf, 1.5]})

    assert json.loads(text, parse_constant=pytest.fail) == {"rate": "nan", "limits": ["inf", 1.5]}
