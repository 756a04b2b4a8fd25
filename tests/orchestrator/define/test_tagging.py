"""Tags for all calls of a block: they are those of its tasks, wherever these are called."""

from __future__ import annotations

import threading
from pathlib import Path

from taxietl.orchestrator import Engine, flow, tags, task


@task(tags="own")
def work(n: int) -> int:
    return n


@flow
def child() -> int:
    return work(3)


@flow
def parent() -> None:
    with tags("outer") as outer, tags("inner", "more") as inner:
        assert (outer, inner) == ({"outer"}, {"outer", "inner", "more"})
        work(1)
        work.submit(2)
        child()
    work(4)


def test_a_block_gives_tags_to_its_calls_and_to_child_runs(engine: Engine) -> None:
    run = engine.run(parent)

    first, submitted, _, last = engine.history.task_runs(run.id)
    (below,) = engine.history.children(run.id)
    (in_child,) = engine.history.task_runs(below.id)
    within = ("inner", "more", "outer", "own")
    assert first.tags == submitted.tags == in_child.tags == within
    assert last.tags == ("own",)


def test_a_limited_tag_of_a_block_limits(tmp_path: Path) -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    @task
    def one(n: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        threading.Event().wait(0.01)
        with lock:
            at_work -= 1
        return n

    @flow
    def many() -> None:
        with tags("narrow"):
            one.map(range(4)).wait()

    with Engine(tmp_path / "home", limits={"narrow": 1}, workers=4) as engine:
        engine.run(many).result()

    assert most == 1
