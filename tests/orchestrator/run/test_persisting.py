"""With `persist_result=True` a result is kept, frames too, or the call has failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from runs_at_hand import Clock

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, flow, task
from taxietl.orchestrator.store.retention import prune

TOKEN = "postgresql://me:s3cret@host/db"


def extracted() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2], "text": pd.Series(["a", None], dtype=object)})


def failed_once(task_of: Callable[[Callable[[], Any]], Any], make: Callable[[], Any]) -> Any:
    """A flow that fails after its one task has returned, at first; and the task's calls."""
    calls: list[int] = []

    def extract() -> Any:
        calls.append(1)
        return make()

    step = task_of(extract)

    @flow(name="steps")
    def steps() -> int:
        made = step()
        if not ended:
            ended.append(1)
            raise OSError("the target is down")
        return len(made)

    ended: list[int] = []
    return steps, calls


@pytest.mark.parametrize(
    ("persist_result", "count"), [(True, 1), (None, 2), (False, 2)], ids=["kept", "default", "not"]
)
def test_a_resumed_run_takes_a_frame_that_was_to_be_kept(
    engine: Engine, persist_result: bool | None, count: int
) -> None:
    steps, calls = failed_once(task(persist_result=persist_result), extracted)
    run = engine.run(steps)

    resumed = engine.resume(run.id, steps)

    assert resumed is not None
    assert (resumed.result(), len(calls)) == (2, count)


def test_a_resumed_run_takes_what_was_made_of_a_frame(engine: Engine) -> None:
    calls: list[int] = []
    is_up: list[bool] = []

    @task(persist_result=True)
    def extract() -> pd.DataFrame:
        return extracted()

    @task(persist_result=True)
    def transform(frame: pd.DataFrame) -> pd.DataFrame:
        calls.append(len(frame))
        return frame[frame["n"] > 1]

    @flow
    def steps() -> int:
        made = transform(extract())
        if not is_up:
            raise OSError("the target is down")
        return len(made)

    run = engine.run(steps)
    is_up.append(True)

    resumed = engine.resume(run.id, steps)

    assert resumed is not None
    assert (resumed.result(), calls) == (1, [2])


def test_a_frame_among_others_is_kept_and_goes_with_the_run(
    engine: Engine, home: Path, clock: Clock
) -> None:
    made = {"raw": extracted(), "rows": 2}
    steps, calls = failed_once(task(persist_result=True), lambda: made)
    run = engine.run(steps)
    (task_run,) = engine.history.task_runs(run.id)
    (entry,) = engine.cache.entries()
    (file,) = home.glob("cache/frames/*")

    assert task_run.stored == "stored"
    assert (entry.key, entry.task) == (f"run/{task_run.id}", "extract")
    assert entry.bytes > file.stat().st_size
    assert engine.resume(run.id, steps).result() == 2  # type: ignore[union-attr]
    assert len(calls) == 1

    clock.now += timedelta(days=3)
    prune(engine.history.database)
    assert engine.cache.entries() == []
    clock.now += timedelta(days=3 * 365 * 10)  # a file's time is the system's
    engine.cache.collect(clock.now)
    assert not file.exists()


def test_a_file_that_is_gone_or_damaged_is_made_again(engine: Engine, home: Path) -> None:
    for damage in (Path.unlink, lambda path: path.write_bytes(b"PAR1")):
        steps, calls = failed_once(task(persist_result=True), extracted)
        run = engine.run(steps)
        for file in home.glob("cache/frames/*"):
            damage(file)

        assert engine.resume(run.id, steps).result() == 2  # type: ignore[union-attr]
        assert len(calls) == 2


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: object(), "a object has no JSON form"),
        (lambda: pd.DataFrame({"a": [(1, 2)]}), "column 'a' holds objects of type tuple"),
        (lambda: "x" * 70_000, "it takes more than 65,536 bytes as JSON"),
    ],
    ids=["object", "frame", "long"],
)
def test_what_cannot_be_kept_fails_the_call(
    engine: Engine, make: Callable[[], Any], says: str
) -> None:
    step = task(name="step", persist_result=True)(lambda: make())

    run = engine.run(flow(lambda: step()))

    with pytest.raises(ConfigError) as refused:
        run.result()
    message = "The task 'step' has persist_result=True, and its result cannot be stored: "
    assert refused.value.message.startswith(message + says)
    assert refused.value.hint.endswith("; or drop persist_result=True.")


def noted() -> pd.DataFrame:
    frame = extracted()
    frame.attrs["source"] = TOKEN
    return frame


@pytest.mark.parametrize("make", [lambda: TOKEN, noted, lambda: [extracted(), TOKEN]])
def test_a_result_with_a_secret_is_passed_on_and_not_kept(
    engine: Engine, home: Path, make: Callable[[], Any]
) -> None:
    run = engine.run(flow(lambda: task(persist_result=True)(lambda: make())() is not None))

    assert run.result()
    assert not [*home.glob("cache/frames/*")]
    assert engine.history.task_runs(run.id)[0].stored == "not stored"
    said = [each.message for each in engine.history.logs(run.id) if each.level == "WARNING"]
    assert "it holds a password or a token" in said[0]
