"""What a check says of each schedule's last run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxietl.findings import Finding, State
from taxietl.schedule import outcomes
from taxietl.schedule.definition import Schedule, Starter, When, definition_file, save
from taxietl.schedule.outcomes import Outcome, Result

Examine = Callable[..., list[Finding]]


@pytest.fixture
def nightly(home: Path) -> Path:
    """A home with one schedule, added two days ago."""
    schedule = Schedule(
        name="nightly",
        when=When(cron="17 5 * * *", given="17 5 * * *"),
        starter=Starter.RUN,
        command=("ingest",),
        folder=home.parent,
        home=home,
        config=None,
        program=("taxietl",),
        added_at=datetime.now(UTC) - timedelta(days=2),
    )
    save(schedule)
    return home


def test_without_a_schedule_nothing_is_said(found: Examine) -> None:
    assert found("schedule") == []


@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        (None, State.OK, "it has not run yet"),
        ({"result": Result.DONE, "exit_code": 0}, State.OK, "3 hours ago: done"),
        ({"result": Result.FAILED, "exit_code": 5}, State.WARNING, "failed with exit code 5"),
        ({"result": Result.RUNNING, "pid": 1}, State.WARNING, "crashed"),
        ({"result": Result.TRY_LATER, "late_in_a_row": 1}, State.OK, "try later"),
        ({"result": Result.TRY_LATER, "late_in_a_row": 3}, State.WARNING, "3 times in a row"),
    ],
    ids=["never", "done", "failed", "killed", "late", "late again and again"],
)
def test_what_came_of_the_last_run(
    found: Examine,
    nightly: Path,
    outcome: dict[str, object] | None,
    state: State,
    words: str,
) -> None:
    if outcome is not None:
        began = datetime.now(UTC) - timedelta(hours=3)
        outcomes.write(nightly, "nightly", Outcome(started_at=began, **outcome))  # type: ignore[arg-type]

    (only,) = found("schedule")

    assert (only.subject, only.state, only.exit_code) == ("nightly", state, 0)
    assert words in only.message


def test_a_schedule_that_cannot_be_read_is_a_problem(found: Examine, nightly: Path) -> None:
    definition_file(nightly, "nightly").write_text("a letter")

    (only,) = found("schedule")

    assert (only.state, only.exit_code) == (State.PROBLEM, 2)
