from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.from_python.selection import months_asked_for

TODAY = date(2026, 12, 1)


def asked(color: Any, month: Any = None, **ends: Any) -> list[str]:
    ends = {"since": None, "until": None} | ends
    return [str(each) for each in months_asked_for(color, month, today=TODAY, **ends)]


@pytest.mark.parametrize(
    ("color", "month", "ends", "expected"),
    [
        ("green", "2021-01", {}, ["green-2021-01"]),
        ("green", ["2021-02", "2020-12", "2021-02"], {}, ["green-2020-12", "green-2021-02"]),
        (["yellow", "green"], "2021-01", {}, ["yellow-2021-01", "green-2021-01"]),
        ("yellow,green", "2021-01", {}, ["yellow-2021-01", "green-2021-01"]),
        ("all", "2014-01", {}, ["yellow-2014-01", "green-2014-01"]),
        ("green", None, {"since": "2021-01", "until": "2021-01"}, ["green-2021-01"]),
        ("green", None, {"since": "2026-09"}, ["green-2026-09", "green-2026-10"]),
        ("green", date(2021, 1, 31), {}, ["green-2021-01"]),
        ("green", pd.Timestamp("2021-01-01"), {}, ["green-2021-01"]),
        (
            "green",
            pd.period_range("2021-01", "2021-02", freq="M"),
            {},
            ["green-2021-01", "green-2021-02"],
        ),
    ],
)
def test_months_are_named_as_one_would(
    color: str, month: object, ends: dict[str, str], expected: Iterable[str]
) -> None:
    assert asked(color, month, **ends) == expected


@pytest.mark.parametrize(
    ("color", "month", "ends", "message"),
    [
        ("green", None, {}, "No month was given."),
        ("green", [], {}, "The list of months is empty."),
        ("green", "2021", {}, "month='2021' is not a month."),
        ("green", "2021-13", {}, "month='2021-13' is not a month."),
        ("green", 2021, {}, "month=2021 is not a month."),
        ("green", None, {"since": "01/2021"}, "since='01/2021' is not a month."),
        ("green", "2021-01", {"until": "2021-02"}, "month cannot be combined with since or until."),
        ("green", "2013-01", {}, "There are no green trips of 2013-01."),
        ("green", "2027-01", {}, "2027 is in the future."),
        (7, "2021-01", {}, "A colour is text, not 7."),
        ("yelow", "2021-01", {}, "There is no colour named 'yelow'."),
    ],
)
def test_what_is_no_month_or_colour_is_refused(
    color: str, month: object, ends: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        asked(color, month, **ends)

    assert caught.value.message == message
    assert caught.value.hint


def test_a_colour_with_a_typo_has_a_guess() -> None:
    with pytest.raises(UnknownNameError) as caught:
        asked("yelow", "2021-01")

    assert "Did you mean 'yellow'?" in caught.value.hint
