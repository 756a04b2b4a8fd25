from __future__ import annotations

import pytest
from runs_at_hand import double

from taxietl.orchestrator import Engine, flow
from taxietl.orchestrator.query.runs import tree_of

pytestmark = pytest.mark.dates


def test_a_tree_takes_as_many_queries_however_many_tasks_it_has(engine: Engine) -> None:
    @flow(run_name="below")
    def below(count: int) -> None:
        for number in range(count):
            double(number)

    @flow
    def work(count: int) -> None:
        for _ in range(count):
            below(count)

    counts = []
    for count in (1, 4):
        root = engine.history.run(engine.run(work, count).id)
        asked: list[str] = []
        connection = engine.history.database.connection()
        connection.set_trace_callback(asked.append)
        tree = tree_of(engine.history, root)
        connection.set_trace_callback(None)
        counts.append(len(asked))

        assert len(tree.runs) == 1 + count
        assert len(tree.task_runs[root.id]) == count
        for each in tree.task_runs[root.id]:
            (*_, task_run) = tree.task_runs[each.child_run_id or ""]
            assert [one.name for one in tree.task_runs[task_run.run_id]] == [
                f"double-{number}" for number in range(count)
            ]
            story = tree.states[task_run.run_id, task_run.id]
            assert story == engine.history.states(task_run.run_id, task_run.id)
            assert [one.state.name for one in story] == ["Pending", "Running", "Completed"]
    assert counts == [5, 5]  # runs, task runs, states, events, attachments
