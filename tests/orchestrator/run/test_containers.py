"""A future or stream stands for its value wherever it is in an argument or a flow's result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.containers import CONTAINERS, Model

from taxietl.orchestrator import Engine, Run, StateName, flow, task, unmapped
from taxietl.orchestrator.define.stream import Stream
from taxietl.orchestrator.store.values import found_in


class Rows(tuple[int, ...]):
    """What a task gives, that can be found again."""


@task(persist_result=False)
def one() -> Rows:
    return Rows((1,))


@task(persist_result=False)
def fails() -> Rows:
    raise OSError("down")


@task
def numbers() -> Any:
    yield 1
    yield 2


@task(persist_result=False)
def found(value: Any, beside: int = 0) -> int:
    """How many values of `one` there are."""
    return len(found_in([value], (Rows,)))


@task
def total(value: Any) -> int:
    (stream,) = found_in([value], (Stream,))
    return sum(stream)


def _ends(run: Run[Any]) -> tuple[StateName, str]:
    return run.state.name, run.state.message


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_future_is_waited_for_and_gives_its_value(engine: Engine, kind: str) -> None:
    make = CONTAINERS[kind]

    @flow
    def calls() -> list[int]:
        future = one.submit()
        later = found.submit(make(future))
        mapped = found.map(unmapped(make(future)), [1, 2])
        each = found.map([make(future)])
        return [found(make(future)), later.result(), *mapped.result(), *each.result()]

    assert engine.run(calls).result() == [1] * 5


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_waits_for_a_failed_one_in_it_is_not_ready(engine: Engine, kind: str) -> None:
    make = CONTAINERS[kind]

    @flow
    def calls() -> list[str]:
        failed = fails.submit()
        states = [
            found.submit(make(failed)).wait(),
            found(make(failed), return_state=True),
            found.submit(1, wait_for=make(failed)).wait(),
            found.submit(1, wait_for=[make(failed)]).wait(),
        ]
        return [str(each and each.name) for each in states]

    assert engine.run(calls).result() == ["NotReady"] * 4


@pytest.mark.parametrize("kind", CONTAINERS)
def test_futures_in_what_a_flow_returns_decide(engine: Engine, kind: str) -> None:
    make = CONTAINERS[kind]

    good = engine.run(flow(name="good")(lambda: make(one.submit())))
    bad = engine.run(flow(name="bad")(lambda: make(fails.submit())))

    assert _ends(good) == (StateName.COMPLETED, "All states completed.")
    assert found_in([good.result()], (Rows,)) == [(1,)]
    assert _ends(bad) == (StateName.FAILED, "1/1 states failed.")


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_stream_is_read_by_the_task_it_is_given_to(engine: Engine, kind: str) -> None:
    make = CONTAINERS[kind]

    @flow
    def calls() -> int:
        return total.submit(make(numbers())).result()

    run = engine.run(calls)

    assert run.result() == 3
    assert [each.state.name for each in engine.history.task_runs(run.id)] == ["Completed"] * 2


def test_a_list_of_futures_gives_a_plain_list(engine: Engine) -> None:
    kinds = task(name="kinds", persist_result=False)(lambda held: [type(held.held), held.held])

    @flow
    def calls() -> Any:
        return kinds(Model(held=found.map([1, 2])))

    assert engine.run(calls).result() == [list, [0, 0]]


def test_a_future_that_is_a_key_is_waited_for_and_stays(engine: Engine) -> None:
    keys = task(name="keys", persist_result=False)(lambda named: [each.state for each in named])

    @flow
    def calls() -> Any:
        failed, good = fails.submit(), one.submit()
        state = keys.submit({failed: "months"}).wait()
        return keys({good: "months"})[0].name, state and state.name

    assert engine.run(calls).result() == ("Completed", "NotReady")


def test_a_run_in_what_a_flow_returns_is_its_own_affair(engine: Engine) -> None:
    """It tells of a run that has ended, its state included."""
    failed = engine.run(flow(name="inner")(lambda: fails()))
    passes = task(name="passes", persist_result=False)(lambda run: run)

    run = engine.run(flow(name="outer")(lambda: [passes(failed), Model(held=failed)]))

    assert run.result()[0] is failed
    assert run.result()[1].held is failed


def test_a_model_is_not_taken_apart_by_map(engine: Engine) -> None:
    pair = task(name="pair", persist_result=False)(lambda n, model: (n, model.held))

    run = engine.run(flow(name="all")(lambda: pair.map([1, 2], Model(held=3))))

    assert run.result() == [(1, 3), (2, 3)]


def test_wait_for_takes_what_an_iterator_gives_and_a_single_future(engine: Engine) -> None:
    @flow
    def calls() -> list[Any]:
        failed = [fails.submit()]
        waits = [iter(failed), (each for each in failed), failed[0], {"a": failed}, {*failed}]
        ends = [found.submit(1, wait_for=each).wait() for each in waits]  # type: ignore[arg-type]
        return [each and each.name for each in ends]

    assert engine.run(calls).result() == ["NotReady"] * 5


def test_a_file_that_a_result_names_anywhere_is_watched(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "trips.csv"
    file.touch()

    @task
    def named() -> dict[str, tuple[Path, int]]:
        return {"file": (file, 1)}

    run = engine.run(flow(name="names")(lambda: named()))

    (record,) = engine.history.task_runs(run.id)
    assert record.files is not None
    assert str(file) in record.files
