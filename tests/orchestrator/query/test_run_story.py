"""A run's tree and its log lines are told with a limit, whatever it has of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxietl.orchestrator import Engine, Run, flow, get_run_logger, task
from taxietl.orchestrator.query.run_story import (
    neighbours_of,
    page_of_lines,
    story_of,
)


@task
def step(number: int) -> int:
    get_run_logger().warning("step %d", number)
    return number


@flow(run_name="child-{number}")
def child(number: int) -> int:
    return step(number)


@flow(run_name="parent")
def parent(steps: int) -> None:
    for number in range(steps):
        child(number)
    step(steps)
    raise ValueError("at the end")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as made:
        yield made


@pytest.fixture
def run(engine: Engine) -> Run[None]:
    return engine.run(parent, 2)


def test_the_tree_is_in_the_order_of_the_calls(engine: Engine, run: Run[None]) -> None:
    story = story_of(engine.history, engine.history.run(run.id))

    shown = [(each.depth, each.row.name, len(each.states)) for each in story.nodes]
    assert shown == [
        (0, "parent", 3),
        (1, "child-0", 3),
        (2, "step-0", 3),
        (1, "child-1", 3),
        (2, "step-0", 3),
        (1, "step-0", 3),
    ]
    assert (story.counts, story.left_out) == ({"Completed": 3}, 0)


def test_of_many_task_runs_the_first_are_shown_and_the_others_counted(
    engine: Engine, run: Run[None]
) -> None:
    story = story_of(engine.history, engine.history.run(run.id), limit=2)

    assert (len(story.nodes), story.left_out) == (3, 3)


def test_lines_have_numbers_that_a_filter_does_not_change(engine: Engine, run: Run[None]) -> None:
    history, row = engine.history, engine.history.run(run.id)
    whole = page_of_lines(history, row)

    warnings = page_of_lines(history, row, levels=("WARNING",)).lines

    assert [each.number for each in whole.lines] == list(range(1, whole.total + 1))
    by_number = {each.number: each.row for each in whole.lines}
    assert [each.row.message for each in warnings] == ["step 0", "step 1", "step 2"]
    assert all(by_number[each.number] == each.row for each in warnings)


def test_pages_of_lines_lead_to_one_another(engine: Engine, run: Run[None]) -> None:
    history, row = engine.history, engine.history.run(run.id)
    total = page_of_lines(history, row).total

    last = page_of_lines(history, row, limit=5)
    before = page_of_lines(history, row, before=last.earlier, limit=5)
    after = page_of_lines(history, row, after=before.later, limit=5)
    first = page_of_lines(history, row, after=0, limit=total)

    assert [each.number for each in last.lines] == list(range(total - 4, total + 1))
    assert [each.number for each in before.lines] == list(range(total - 9, total - 4))
    assert after.lines == last.lines
    assert (last.later, first.earlier, first.later) == (None, None, None)


def test_lines_of_one_task_run_or_child_run_alone(engine: Engine, run: Run[None]) -> None:
    history, row = engine.history, engine.history.run(run.id)
    first = history.children(run.id)[0]
    (call,) = history.task_runs(first.id)

    def of(id_: str) -> set[str | None]:
        return {each.row.task_run_id for each in page_of_lines(history, row, task=id_).lines}

    assert (of(call.id), of(first.id)) == ({call.id}, {None})


def test_a_runs_neighbours_are_told(engine: Engine, run: Run[None]) -> None:
    history = engine.history
    again = engine.resume(run.id)
    assert again is not None

    old, new = (neighbours_of(history, history.run(each)) for each in (run.id, again.id))
    of_child = neighbours_of(history, history.children(run.id)[0])

    assert (old.resumed_by and old.resumed_by.id, old.resumed_from) == (again.id, None)
    assert new.resumed_from is not None
    assert new.resumed_from.id == run.id
    assert of_child.parent is not None
    assert of_child.parent.id == run.id
