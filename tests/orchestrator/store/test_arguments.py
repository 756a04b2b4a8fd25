from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path

from pydantic import SecretStr

from taxietl.orchestrator.store.arguments import shown


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
