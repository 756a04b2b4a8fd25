"""What one address is told: what it asked for, once, in few words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxietl.alerts.digest import Notice, digest, notices_of
from taxietl.errors import NotPublishedError, SourceError
from taxietl.orchestrator import Engine, attach_event, flow, task
from taxietl.orchestrator.query.runs import tree_of


@task
def noted(name: str) -> None:
    attach_event("my-event", f"{name} was noted")


@flow(run_name="{name}")
def month(name: str, error: Exception | None = None) -> None:
    noted(name)
    if error:
        raise error


@flow(run_name="months")
def months(error: Exception | None, late: Exception | None = None) -> None:
    attach_event("restated", "one more row")
    for name, raised in (("first", error), ("second", late)):
        month.submit(name, raised).wait()
    if error or late:
        raise error or late  # type: ignore[misc]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as engine:
        yield engine


def notices(engine: Engine, *given: Any) -> list[Notice]:
    run = engine.run(months, *given)
    return notices_of(run, tree_of(engine.history, engine.history.run(run.id)))


def test_events_of_a_run_and_of_all_below_it_are_told_in_their_order(engine: Engine) -> None:
    assert notices(engine, None) == [
        Notice("restated", "one more row"),
        Notice("my-event", "first was noted"),
        Notice("my-event", "second was noted"),
    ]


def test_a_failure_is_told_with_what_to_do_and_what_failed_below(engine: Engine) -> None:
    failed, *_ = notices(engine, SourceError("No answer.", hint="Look."), ValueError("late"))

    assert failed == Notice(
        "failed",
        "Run 'months' of flow 'months': No answer. Look.\n"
        "first: SourceError: No answer.\n"
        "second: ValueError: late",
    )


def test_a_run_to_try_again_later_has_not_failed(engine: Engine) -> None:
    assert [each.event for each in notices(engine, NotPublishedError("Not yet."))] == [
        *("restated", "my-event", "my-event")
    ]


def test_an_address_is_told_of_what_it_asked_for_alone() -> None:
    happened = [
        Notice("failed", "a\nb"),
        Notice("late", "c"),
        Notice("late", "d"),
        Notice("x", "e"),
    ]

    found = digest(happened, ["late", "failed", "crashed"], host="box", more=["See there."])

    assert found is not None
    assert found.title == "taxietl on box: failed, late (2)"
    assert found.body == "failed:\n  a\n  b\n\nlate:\n  c\n  d\n\nSee there."
    assert found.kind == "failure"
    assert digest(happened, ["crashed"], host="box") is None


def test_many_are_told_by_their_number_and_nothing_controls_a_terminal() -> None:
    happened = [Notice("rejects", f"\x1b[31m{number} " + "x" * 2000) for number in range(50)]

    found = digest([*happened, Notice("rejects", "")], ["rejects"], host="box")

    assert found is not None
    assert found.title == "taxietl on box: rejects (51)"
    assert found.body.endswith("…\n  … and 31 more")
    assert "\\x1b[31m7 x" in found.body
    assert found.kind == "warning"


def test_a_secret_in_what_happened_is_masked() -> None:
    found = digest([Notice("x", "postgresql://root:hunter2@h/db")], ["x"], host="box")

    assert found is not None
    assert "hunter2" not in found.body
