"""Many submitted calls and few workers: nothing starves, nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from runs_at_hand import double
from threads import new_threads

from taxietl.errors import ConfigError, TargetError
from taxietl.orchestrator import (
    Engine,
    Future,
    flow,
    task,
    unmapped,
)

SOON = 10


@task
def add(*numbers: int) -> int:
    return sum(numbers)


def test_what_waits_for_others_occupies_no_worker(home: Path) -> None:
    release = threading.Event()

    @task
    def slow() -> int:
        assert release.wait(SOON)
        return 1

    @flow
    def main() -> int:
        first = slow.submit()
        dependants = [double.submit(first) for _ in range(20)]
        double.submit(0).result(timeout=SOON)  # the second worker is free for it
        release.set()
        return sum(each.result() for each in dependants)

    with Engine(home, workers=2) as engine:
        assert engine.run(main).result() == 40


@pytest.mark.parametrize("workers", [1, 2])
def test_flows_that_submit_flows_that_submit_do_not_starve(home: Path, workers: int) -> None:
    @flow
    def nest(depth: int) -> int:
        if depth == 0:
            return sum(double.map(range(3)).result())
        return sum(each.result() for each in [nest.submit(depth - 1) for _ in range(3)])

    with Engine(home, workers=workers) as engine:
        assert engine.run(nest, 3).result() == 27 * 6
        assert {each.state.name for each in engine.history.runs(limit=1000)} == {"Completed"}


def test_no_more_than_the_workers_are_at_work(home: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0
    all_are = threading.Event()

    @task
    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 3:
                all_are.set()
        assert all_are.wait(SOON)
        time.sleep(0.002)
        with lock:
            now -= 1

    @flow
    def child() -> None:
        for _ in range(4):
            work.submit()

    @flow
    def main() -> None:
        for _ in range(8):
            child.submit()
            work.submit()

    with Engine(home, workers=3) as engine:
        engine.run(main).result()

    assert most == 3


def test_an_engine_without_workers_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="workers=0"):
        Engine(home, workers=0)


def test_a_retry_waits_without_occupying_a_worker(home: Path) -> None:
    release = threading.Event()
    tries: list[int] = []

    @task(retries=1, retry_delay_seconds=1)
    def flaky() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("cut")
        return len(tries)

    def sleep(seconds: float) -> None:
        assert release.wait(SOON)

    @flow
    def main() -> int:
        first = flaky.submit()
        double.submit(1).result(timeout=SOON)
        release.set()
        return first.result()

    with Engine(home, workers=1, sleep=sleep) as engine:
        assert engine.run(main).result() == 2


def test_a_full_disk_ends_a_run_that_has_submitted(home: Path) -> None:
    left = new_threads()
    with Engine(home) as engine:
        connection = engine.history.database.connection()

        @task
        def fill() -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 2}")

        @flow
        def main() -> None:
            first = fill.submit()
            add.submit(*double.map([first] * 1000))

        with pytest.raises(TargetError, match="The disk is full"):
            engine.run(main).result()

    assert left() == []


def test_eight_threads_submit_many_tasks_to_one_engine(home: Path) -> None:
    @flow
    def busy(start: int) -> int:
        return sum(add.map(double.map(range(start, start + 50)), unmapped(1)).result())

    with Engine(home, workers=4) as engine, ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda start: engine.run(busy, start), range(8)))

        expected = [sum(2 * n + 1 for n in range(start, start + 50)) for start in range(8)]
        assert [run.result() for run in runs] == expected
        for run in runs:
            kept = engine.history.task_runs(run.id)
            assert {each.state.name for each in kept} == {"Completed"}
            names = {f"{task}-{n}" for task in ("double", "add") for n in range(50)}
            assert {each.name for each in kept} == names


@task
def leaf(seed: float, *after: Any) -> int:
    rng = random.Random(seed)
    if rng.random() < 0.1:
        time.sleep(0.003 * rng.random())
    if rng.random() < 0.05:
        raise ValueError("a leaf failed")
    return 1


@flow
def tree(seed: float, depth: int) -> int:
    """Submit, call and wait at random; some of it fails."""
    rng = random.Random(seed)
    futures: list[Future[int]] = []
    for _ in range(rng.randint(1, 5)):
        kind = rng.random()
        after = rng.sample(futures, min(len(futures), rng.randint(0, 2)))
        if depth and kind < 0.4:
            futures.append(tree.submit(rng.random(), depth - 1, wait_for=after))
        elif depth and kind < 0.5:
            tree(rng.random(), depth - 1, return_state=True)
        elif kind < 0.6:
            leaf(rng.random(), return_state=True)
        else:
            futures.append(leaf.submit(rng.random(), after))
        if futures and rng.random() < 0.3:
            rng.choice(futures).wait(rng.choice([None, 0.001]))
    return 1


def grow(home: Path, seed: int) -> int:
    """Run a tree with few workers, and see that all of it has ended; how many task runs it had."""
    with Engine(home, workers=1 + seed % 3) as engine:
        assert engine.run(tree, seed, 3).result() == 1
        runs = engine.history.runs(limit=10_000)
        kept = [each for run in runs for each in engine.history.task_runs(run.id)]
        assert all(run.state.is_final() for run in runs)
        assert all(each.state.is_final() for each in kept)
        return len(kept)


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_of_calls_comes_to_its_end_with_few_workers(home: Path, seed: int) -> None:
    grow(home, seed)


@pytest.mark.torture
def test_torture_of_trees_of_submitted_calls(tmp_path: Path) -> None:
    counts = [grow(tmp_path / str(seed), seed) for seed in range(400)]

    print(f"seeds 0 to {len(counts) - 1}: {sum(counts):,} task runs, {max(counts):,} in one run")
