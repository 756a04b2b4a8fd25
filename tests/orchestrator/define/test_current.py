"""What the code of a run is told of it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from taxietl.orchestrator import Engine, Run, TaskRun, current_run, flow, task

SEEN: list[object] = []
ISOLATED = """
from taxietl.orchestrator import current_run, task


@task(isolate=True)
def apart():
    run = current_run()
    here = run.task_run
    return [run.name, dict(run.parameters), here.name, here.task_name, here.attempt]
"""


def note(_: Run[object] | TaskRun) -> None:
    run = current_run()
    assert run is not None
    SEEN.append((run.name, dict(run.parameters), run.task_run and run.task_run.name))


@task(retries=1, run_name="double-{n}", on_completion=[note])
def double(n: int) -> int:
    run = current_run()
    assert run is not None
    assert run.task_run is not None
    if run.task_run.attempt == 1:
        raise ValueError("once more")
    here = run.task_run
    SEEN.append((here.name, here.task_name, here.attempt, dict(here.parameters), len(here.id)))
    return 2 * n


@flow(run_name="months-{months}", on_completion=[note])
def work(months: int, folder: str = "lake") -> None:
    run = current_run()
    assert run is not None
    assert (run.parameters, run.task_run) == ({"months": months, "folder": folder}, None)
    double.submit(months).result()


def test_a_run_and_its_task_runs_know_themselves(engine: Engine) -> None:
    SEEN.clear()

    engine.run(work, 3).result()

    parameters = {"months": 3, "folder": "lake"}
    assert [
        ("double-3", "double", 2, {"n": 3}, 16),
        ("months-3", parameters, "double-3"),
        ("months-3", parameters, None),
    ] == SEEN
    assert current_run() is None


def test_an_isolated_task_knows_its_run_but_for_the_parameters(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "running_apart.py").write_text(ISOLATED)
    module = importlib.import_module("running_apart")

    run = engine.run(flow(run_name="months-3")(lambda: module.apart()))

    assert run.result() == ["months-3", {}, "apart-0", "apart", 1]
