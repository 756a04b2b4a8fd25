"""The same task or flow with other options, and what its runs are called."""

from __future__ import annotations

from typing import Any

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Retry, flow, task

CALLS: list[int] = []


@task(retries=2, tags="web", log_prints=True)
def fetch(month: int) -> int:
    CALLS.append(month)
    if len(CALLS) < 3:
        raise OSError("cut")
    return month


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    CALLS.clear()


def test_a_task_with_other_options_leaves_the_first_as_it_is(engine: Engine) -> None:
    once = fetch.with_options(name="fetch once", retries=0)

    @flow
    def work() -> list[Any]:
        return [once(1, return_state=True).name, fetch(2)]

    assert engine.run(work).result() == ["Failed", 2]
    assert CALLS == [1, 2, 2]
    assert (once.name, once.spec.tags, once.spec.log_prints) == ("fetch once", {"web"}, True)
    assert (fetch.name, once.function) == ("fetch", fetch.function)


def test_a_retry_of_one_form_replaces_that_of_the_other() -> None:
    retry = Retry(on=OSError, attempts=9)

    long = fetch.with_options(retry=retry)
    short = long.with_options(retries=1, retry_delay_seconds=3)

    assert long.spec.retry == retry
    assert short.spec.retry == Retry(on=Exception, attempts=2, delay=3)
    assert fetch.with_options(name="other").spec.retry == fetch.spec.retry


def test_a_flow_with_other_options_is_one(engine: Engine) -> None:
    @flow(run_name="first")
    def work(n: int) -> int:
        return n

    run = engine.run(work.with_options(name="elsewhere", run_name="n-{n}"), 3)

    assert (run.flow_name, run.name, run.result()) == ("elsewhere", "n-3", 3)
    assert engine.run(work, 3).name == "first"


@pytest.mark.parametrize("option", ["persist_results", "task_run_name"])
def test_options_are_refused_as_at_decoration(option: str) -> None:
    with pytest.raises(ConfigError, match=f"@task has no {option}="):
        fetch.with_options(**{option: 1})  # type: ignore[call-arg]


def of_month(arguments: dict[str, Any]) -> str:
    return f"month {arguments['month']:02d} of {arguments['year']}"


@task(run_name=of_month)
def load(month: int, year: int = 2021) -> int:
    return month


def test_a_task_run_is_called_by_its_arguments(engine: Engine) -> None:
    named = load.with_options(name="named", run_name="{month}-{year}")

    @flow
    def work() -> list[str]:
        load(1)
        later = named.submit(load.submit(2), year=2022)
        named.submit(2, 2022).wait()
        later.wait()
        return [later.name]

    run = engine.run(work)

    assert run.result() == ["2-2022"] or run.result() == ["2-2022-2"]
    names = [each.name for each in engine.history.task_runs(run.id)]
    assert names[:2] == ["month 01 of 2021", "month 02 of 2021"]
    assert sorted(names[2:]) == ["2-2022", "2-2022-2"]
    line = f"Task run '{names[0]}' - Finished"
    assert names[0] in line


def test_a_name_that_cannot_be_made_fails_the_call(engine: Engine) -> None:
    @task(run_name="{mouth}")
    def work(month: int) -> int:
        return month

    @flow
    def wrong(submitted: bool) -> None:
        if submitted:
            work.submit(load.submit(1)).result()
        work(1)

    for submitted in (True, False):
        error = engine.run(wrong, submitted).error
        assert isinstance(error, ConfigError)
        assert "The task 'work' cannot name its run by '{mouth}': KeyError" in error.message
        assert error.hint == "Its parameters: month."


@pytest.mark.parametrize("decorate", [task, flow])
@pytest.mark.parametrize("name", [7, lambda: "none"])
def test_a_run_name_that_is_none_is_refused_at_decoration(decorate: Any, name: Any) -> None:
    with pytest.raises(ConfigError, match="run_name= of the"):
        decorate(run_name=name)(lambda month: month)


def test_a_secret_is_masked_in_the_name_of_a_task_run(engine: Engine) -> None:
    @task(run_name="{url}")
    def work(url: str) -> int:
        return len(url)

    @flow
    def secret() -> None:
        work("postgresql://me:hunter22@host/db")

    (row,) = engine.history.task_runs(engine.run(secret).id)
    assert "hunter22" not in row.name
