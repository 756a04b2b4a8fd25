"""A last state is written once, and is the same in memory and in the history."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from runs_at_hand import double, states

from taxietl.errors import Cancelled, TargetError, TaxietlError
from taxietl.orchestrator import Cache, Engine, State, StateName, flow, task
from taxietl.orchestrator.store.lines import Identity

UNSTORED = "Its end could not be stored before its run ended."


def refuse(engine: Engine, table: str, name: str, *refused: str) -> None:
    """Have the history refuse those states of that run or task run, as a full disk would."""
    listed = ", ".join(f"'{each}'" for each in refused)
    with engine.history.database.transaction() as connection:
        connection.execute(
            f"CREATE TRIGGER refuse_{table} BEFORE UPDATE ON {table}"
            f" WHEN NEW.name = '{name}' AND NEW.state IN ({listed})"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )


def call(number: int) -> Any:
    return double(number)


def submit(number: int) -> Any:
    return double.submit(number).result()


@task
def numbers() -> Generator[int, None, int]:
    yield 1
    return 2


def pull(number: int) -> Any:
    stream = numbers()
    return list(stream)


@flow
def child(number: int) -> int:
    return number


@pytest.mark.parametrize(
    ("make", "name"),
    [(call, "double-0"), (submit, "double-0"), (pull, "numbers-0"), (child, "child-0")],
    ids=["call", "submit", "stream", "subflow"],
)
@pytest.mark.parametrize("decides", [False, True])
def test_what_could_not_be_stored_as_ended_ends_with_its_run(
    engine: Engine, make: Callable[[int], Any], name: str, decides: bool
) -> None:
    refuse(engine, "task_runs", name, "Completed", "Failed")

    @flow
    def work() -> str | None:
        with pytest.raises(TargetError, match="no room"):
            make(1)
        return None if decides else "done without it"

    run = engine.run(work)

    (task_run,) = engine.history.task_runs(run.id)
    assert (task_run.state.name, task_run.state.message) == ("Crashed", UNSTORED)
    assert states(engine, run.id, name)[-1] == "Crashed"
    assert {each.state.name for each in engine.history.children(run.id)} <= {"Crashed"}
    expected = "Failed('1/1 states failed.')" if decides else "Completed()"
    assert str(run.state) == str(engine.history.run(run.id).state) == expected


def test_a_run_whose_own_end_is_refused_is_crashed_at_once(engine: Engine) -> None:
    refuse(engine, "runs", "worker", "Completed")

    with pytest.raises(TargetError, match="no room"):
        engine.run(flow(run_name="worker")(lambda: double(1)))

    run = engine.history.run("worker")
    assert states(engine, run.id) == ["Pending", "Running", "Crashed"]
    assert run.state.message.startswith("Its end could not be stored: ")
    assert states(engine, run.id, "double-0")[-1] == "Completed"


def leave(_: object) -> None:
    sys.exit(3)


def interrupt(_: object) -> None:
    raise KeyboardInterrupt


def cancel(_: object) -> None:
    raise Cancelled("Enough.")


@pytest.mark.parametrize("hook", [leave, interrupt, cancel])
def test_no_hook_changes_how_anything_ended(engine: Engine, hook: Any) -> None:
    @task(on_completion=[hook])
    def load() -> int:
        return 5

    @flow(on_completion=[hook])
    def below() -> int:
        return load()

    @flow(on_completion=[hook])
    def work() -> int:
        return below()

    run = engine.run(work)

    assert run.result() == 5
    assert str(run.state) == str(engine.history.run(run.id).state) == "Completed()"
    (under,) = engine.history.children(run.id)
    assert states(engine, under.id)[-1] == states(engine, under.id, "load-0")[-1] == "Completed"
    said = [each.message for each in engine.history.logs(run.id)]
    assert sum(f"The hook {hook.__name__} failed: " in each for each in said) == 3


def test_a_cache_that_cannot_be_made_smaller_fails_no_task(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @task(cache=Cache())
    def load(number: int) -> int:
        return number

    @flow
    def work() -> int:
        return load(1) + load(2)

    with Engine(home, cache_bytes=1) as engine:
        with engine.history.database.transaction() as connection:
            connection.execute(
                "CREATE TRIGGER old BEFORE DELETE ON cache BEGIN SELECT RAISE(ABORT, 'no room');"
                " END"
            )
        engine.run(work)
        run = engine.run(flow(lambda: load(3)))

        assert run.result() == 3
        assert states(engine, run.id, "load-0") == ["Pending", "Running", "Completed"]
    assert "The cache was not made smaller: " in caplog.text


def test_a_late_end_changes_nothing(engine: Engine) -> None:
    at = datetime(2021, 1, 2, tzinfo=UTC)
    run = engine.run(flow(lambda: double(1)))
    (task_run,) = engine.history.task_runs(run.id)

    who = Identity(run.id, run.name, run.flow_name, run.id)
    with engine.history.transaction(at) as change:
        late = change.state(StateName.FAILED, "too late")
        assert not change.move(who, late)
        assert not change.move(replace(who, task_run_id=task_run.id), late, attempt=2)
        assert not change.end_open(run.id, late)

    assert states(engine, run.id) == ["Pending", "Running", "Completed"]
    assert states(engine, run.id, "double-0") == ["Pending", "Running", "Completed"]


def test_a_run_follows_the_end_that_another_process_has_stored(engine: Engine) -> None:
    @flow(run_name="worker")
    def work() -> int:
        run_id = engine.history.run("worker").id
        with engine.history.transaction(engine.clock()) as change:
            change.end_open(run_id, change.state(StateName.CRASHED, "gone"))
        return 1

    run = engine.run(work)

    assert str(run.state) == str(engine.history.run(run.id).state) == "Crashed('gone')"
    with pytest.raises(TaxietlError, match="gone"):
        run.result()


def test_a_flow_cannot_end_in_a_state_that_is_no_end(engine: Engine, clock: Any) -> None:
    run = engine.run(flow(lambda: State(StateName.RUNNING, "", clock())))

    assert str(run.state) == "Failed('The flow returned the state Running(), which is no end.')"
    assert engine.history.run(run.id).state == run.state


@task
def interrupted() -> None:
    raise KeyboardInterrupt


@task
def stream_interrupted() -> Generator[int, None, None]:
    yield 1
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "work",
    [
        lambda: interrupt(None),
        lambda: interrupted(),
        lambda: interrupted.submit().result(),
        lambda: list(stream_interrupted()),
        lambda: flow(interrupted)(),
    ],
    ids=["flow", "task", "submit", "stream", "subflow"],
)
def test_a_keyboard_interrupt_raised_by_the_users_code_is_a_cancellation(
    engine: Engine, work: Callable[[], Any]
) -> None:
    run = engine.run(flow(name="work")(work))

    assert str(run.state) == str(engine.history.run(run.id).state) == "Cancelled('Interrupted.')"
    assert {each.state.name for each in engine.history.task_runs(run.id)} <= {"Cancelled"}
    with pytest.raises(Cancelled) as caught:
        run.result()
    assert caught.value.exit_code == 130
