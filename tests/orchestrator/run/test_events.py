"""Named events are kept with their run, and go with it."""

from __future__ import annotations

import logging
import os
from math import nan

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, attach_event, flow, task
from taxietl.orchestrator.query.runs import tree_of
from taxietl.orchestrator.store.retention import prune


@task
def load() -> None:
    attach_event("restated", "2022-06 restated", rows=1204, path=os, ratio=nan, by={(1, 2): [3]})


@flow
def loads() -> None:
    attach_event("late")
    load()


def test_events_of_a_run_and_its_tasks_are_kept_and_pruned_with_it(engine: Engine) -> None:
    history = engine.history
    run = engine.run(loads)

    late, restated = tree_of(history, history.run(run.id)).events[run.id]
    said = [each.message for each in history.logs(run.id)]

    assert (late.name, late.message, late.details, late.task_run_id) == ("late", "", {}, None)
    assert (restated.name, restated.message) == ("restated", "2022-06 restated")
    assert restated.details == {
        "rows": 1204,
        "path": "<module>",
        "ratio": "nan",
        "by": [[[1, 2], [3]]],
    }
    assert restated.task_run_id == history.task_runs(run.id)[0].id
    assert "Event 'late'" in said
    assert "Event 'restated': 2022-06 restated" in said

    prune(history.database)
    assert history.database.rows("SELECT * FROM events") == []


def test_an_event_is_kept_whatever_the_loggers_let_through(engine: Engine) -> None:
    logger = logging.getLogger("taxietl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        run = engine.run(loads)
    finally:
        logger.setLevel(before)

    assert len(tree_of(engine.history, engine.history.run(run.id)).events[run.id]) == 2


def test_outside_any_run_an_event_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="taxietl"):
        attach_event("late", "nothing yet")

    assert caplog.messages == ["Event 'late': nothing yet"]


@pytest.mark.parametrize("name", ["", "Late", "two words", "1st"])
def test_what_is_no_name_of_an_event_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="is no name of an event"):
        attach_event(name)
