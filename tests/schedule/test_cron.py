from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from systemd import systemd_analyze

from taxietl.errors import ConfigError
from taxietl.schedule.cron import from_cron, from_interval, next_time, on_calendar
from taxietl.schedule.definition import Starter
from taxietl.schedule.programs import next_elapses
from taxietl.schedule.zones import zone_of

NEW_YORK = ZoneInfo("America/New_York")
EXPRESSIONS = [
    "17 5 * * *",
    "* * * * *",
    "*/15 * * * *",
    "0 */6 * * *",
    "5,10-14,50 1-3,22 * * *",
    "0 5 * * MON-FRI",
    "30 4 * * 0",
    "30 4 * * 7",
    "30 4 * * 5-7",
    "0 0 1,15 * *",
    "0 0 29 2 *",
    "0 12 1-7 JAN,JUL *",
    "0 5 20 * FRI",
    "0 5 */2 * MON",
    "0 5 13 * *",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_systemd_counts_the_same_times(expression: str) -> None:
    systemd_analyze()
    zone = zone_of(Starter.SYSTEMD_USER)
    times = [datetime.now(UTC)]
    for _ in range(8):
        found = next_time(expression, times[-1], zone)
        assert found
        times.append(found)

    assert next_elapses(on_calendar(expression), times=8) == times[1:]


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("60 5 * * *", ["minute (60)"]),
        ("0 24 * * *", ["hour (24)"]),
        ("0 5 32 * *", ["day of month (32)"]),
        ("0 5 * 13 *", ["month (13)"]),
        ("0 5 * * 8", ["day of week (8)"]),
        (
            "a b c d e",
            ["minute (a)", "hour (b)", "day of month (c)", "month (d)", "day of week (e)"],
        ),
        ("*/0 5 * * *", ["minute (*/0)"]),
        ("5-1 5 * * *", ["minute (5-1)"]),
        (", 5 * * *", ["minute (,)"]),
        ("0 5 L * *", ["day of month (L)"]),
        ("0 5 LW * *", ["day of month (LW)"]),
        ("0 5 * * MON#2", ["day of week (MON#2)"]),
        ("0 5 * * 5L", ["day of week (5L)"]),
    ],
)
def test_each_wrong_field_is_named(expression: str, wrong: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        from_cron(expression)

    assert refused.value.message == f"--cron {expression!r} is wrong in: {', '.join(wrong)}."
    assert refused.value.hint.count(":") == len(wrong)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("17 5 * *", "has 4 fields instead of five"),
        ("0 17 5 * * *", "has 6 fields instead of five"),
        ("", "has 0 fields"),
        ("@reboot", "has 1 fields"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 4,6 *", "never comes"),
    ],
)
def test_what_is_no_time_is_refused(expression: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        from_cron(expression)


@pytest.mark.parametrize(
    ("given", "expression"),
    [
        ("1m", "* * * * *"),
        ("15m", "*/15 * * * *"),
        ("30min", "*/30 * * * *"),
        ("60m", "0 * * * *"),
        ("6h", "0 */6 * * *"),
        ("1d", "0 0 * * *"),
        ("24h", "0 0 * * *"),
    ],
)
def test_an_interval_is_a_cron_expression(given: str, expression: str) -> None:
    when = from_interval(given)

    assert (when.cron, when.given) == (expression, f"every {given}")


@pytest.mark.parametrize("given", ["7m", "5h", "2d", "0m", "1.5h", "h", "6", "90m", "-5m"])
def test_an_interval_that_would_jump_at_midnight_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="does not divide") as refused:
        from_interval(given)

    assert "15m" in refused.value.hint


@pytest.mark.parametrize(
    ("expression", "after", "times"),
    [
        pytest.param(
            "30 2 * * *",
            "2027-03-13 12:00",
            ["2027-03-14 07:00", "2027-03-15 06:30"],  # 03:00 EDT: right after the gap
            id="the hour that is left out",
        ),
        pytest.param(
            "*/30 * * * *",
            "2027-03-14 01:10",
            ["2027-03-14 06:30", "2027-03-14 07:00", "2027-03-14 07:30"],
            id="every half hour across the gap",
        ),
        pytest.param(
            "30 1 * * *",
            "2027-11-06 12:00",
            ["2027-11-07 05:30", "2027-11-08 06:30"],
            id="the hour that comes twice: once",
        ),
        pytest.param(
            "*/30 * * * *",
            "2027-11-07 00:40",
            [f"2027-11-07 {at}" for at in ("05:00", "05:30", "06:00", "06:30", "07:00")],
            id="every half hour through both",
        ),
    ],
)
def test_both_changes_of_the_clock(expression: str, after: str, times: list[str]) -> None:
    found = [datetime.fromisoformat(after).replace(tzinfo=NEW_YORK)]
    for _ in times:
        each = next_time(expression, found[-1], NEW_YORK)
        assert each
        found.append(each)

    assert [f"{each:%Y-%m-%d %H:%M}" for each in found[1:]] == times
    assert all(early < late for early, late in pairwise(found[1:]))


def test_in_the_second_pass_of_an_hour_nothing_of_the_first_is_due() -> None:
    after = datetime(2027, 11, 7, 6, 10, tzinfo=UTC)  # 01:10 EST, the second time

    found = next_time("30 1 * * *", after, NEW_YORK)

    assert found == datetime(2027, 11, 8, 6, 30, tzinfo=UTC)
