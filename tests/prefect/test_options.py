"""Options of Prefect's: each does what it does there, has no effect, or is refused with ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taxietl import prefect
from taxietl.errors import ConfigError
from taxietl.modules import UserCodeError, load_module
from taxietl.orchestrator import Cache, Engine, Retry
from taxietl.prefect import cache_policies, flow, task, task_input_hash
from taxietl.prefect.context import FlowRunContext, get_run_context
from taxietl.prefect.options import FLOW_OPTIONS, TASK_OPTIONS

REFUSED = {
    "flow": {"on_running", "result_storage"},
    "task": {
        *("asset_deps", "on_commit", "on_rollback", "on_running", "result_storage"),
    },
}
OF_PREFECT = {
    "flow": """name version flow_run_name retries retry_delay_seconds task_runner description
        timeout_seconds validate_parameters persist_result result_storage result_serializer
        cache_result_in_memory log_prints on_completion on_failure on_cancellation on_crashed
        on_running""",
    "task": """name description tags version cache_policy cache_key_fn cache_expiration
        task_run_name retries retry_delay_seconds retry_jitter_factor persist_result result_storage
        result_storage_key result_serializer cache_result_in_memory timeout_seconds log_prints
        refresh_cache on_completion on_failure on_running on_rollback on_commit retry_condition_fn
        viz_return_value asset_deps""",
}
"""Of the releases 2.7 to 3.9."""


@pytest.mark.parametrize(("kind", "known"), [("flow", FLOW_OPTIONS), ("task", TASK_OPTIONS)])
def test_every_option_of_prefects_is_taken_or_refused(kind: str, known: tuple[str, ...]) -> None:
    assert {*OF_PREFECT[kind].split()} <= {*known} | REFUSED[kind]
    for option in REFUSED[kind]:
        with pytest.raises(ConfigError, match=f"@{kind} has no {option}=") as refused:
            getattr(prefect, kind)(**{option: object()})
        assert "Did you mean" not in refused.value.hint


def test_an_option_left_at_none_is_as_if_it_was_not_there() -> None:
    def work(n: int) -> int:
        return n

    spec = task(**dict.fromkeys(TASK_OPTIONS))(work).spec
    assert (spec.retry, spec.cache, spec.tags, spec.run_name) == (None, None, frozenset(), None)
    assert flow(**dict.fromkeys(FLOW_OPTIONS))(work).spec.hooks is None


def test_a_label_is_no_version_of_ours() -> None:
    @task(version="1", description="adds", cache_result_in_memory=True, viz_return_value=3)
    def work(n: int) -> int:
        return n

    assert work.spec.fixed_version != "1"


@pytest.mark.parametrize(
    ("options", "cache"),
    [
        ({}, None),
        ({"cache_expiration": timedelta(1)}, None),
        ({"cache_policy": cache_policies.NO_CACHE}, None),
        ({"cache_key_fn": task_input_hash}, Cache()),
        (
            {"cache_key_fn": task_input_hash, "cache_expiration": timedelta(1)},
            Cache(expires=timedelta(1)),
        ),
        (
            {
                "cache_policy": cache_policies.TASK_SOURCE + cache_policies.INPUTS,
                "refresh_cache": True,
            },
            Cache(refresh=True),
        ),
    ],
)
def test_prefects_common_ways_to_cache_are_ours(
    options: dict[str, Any], cache: Cache | None
) -> None:
    assert task(**options)(lambda n: n).spec.cache == cache


def test_a_result_is_kept_for_one_run_where_the_policy_says_so(engine: Engine) -> None:
    calls = []

    @task(cache_policy=cache_policies.DEFAULT)
    def once(n: int) -> int:
        calls.append(n)
        return n

    @flow
    def work(n: int = 1) -> list[int]:
        return [once(n), once(n)]

    engine.run(work)
    engine.run(work)

    assert calls == [1, 1]


def test_a_policy_may_depend_on_the_flows_parameters(engine: Engine) -> None:
    calls = []

    @task(cache_policy=cache_policies.FLOW_PARAMETERS)
    def once(n: int) -> int:
        calls.append(n)
        return n

    @flow
    def work(n: int) -> list[int]:
        return [once(1), once(2)]

    assert engine.run(work, 1).result() == [1, 1]
    engine.run(work, 1)
    engine.run(work, 2)
    assert calls == [1, 1]


@pytest.mark.parametrize(
    ("make", "said", "hint"),
    [
        (lambda: flow(validate_parameters=False), "always checked", "object"),
        (lambda: flow(task_runner=prefect.DaskTaskRunner), "DaskTaskRunner is not", "isolate=True"),
        (lambda: flow(task_runner=prefect.RayTaskRunner(3)), "RayTaskRunner is not", "isolate"),
        (lambda: prefect.SequentialTaskRunner(), "SequentialTaskRunner", "Call the task"),
        (lambda: flow(task_runner=object()), "task_runner=", "Leave it out"),
        (lambda: task(result_serializer="pickle"), "results are JSON", "Path"),
        (lambda: task(cache_policy="INPUTS"), "none of INPUTS", "cache_key_fn"),
        (lambda: cache_policies.INPUTS.configure(key_storage="x"), "no configure", "cache ls"),
        (lambda: task(retries=1, retry_jitter_factor=3), "from 0 to 1", "fraction"),
        (lambda: task(retries=-1), "retries=-1", ""),
        (lambda: task(retries=1, retry_condition_fn=lambda error: True), "task, task_run", ""),
        (lambda: task(on_failure=[lambda run: 1]), "task, task_run, state", ""),
        (lambda: task(task_run_name=lambda a, b: "x"), "parameters", ""),
        (lambda: task(lambda: 1).delay(), "no worker", "submit"),
        (lambda: prefect.pause_flow_run(), "cannot be paused", "runs resume"),
    ],
)
def test_what_cannot_be_is_refused_with_what_there_is(make: Any, said: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        make()
    assert hint in refused.value.hint


@pytest.mark.parametrize("kind", ["flow", "task"])
def test_async_is_refused_as_everywhere(kind: str) -> None:
    async def work() -> None: ...

    with pytest.raises(ConfigError, match="s are plain functions"):
        getattr(prefect, kind)(work)

    async def hook(flow: Any, run: Any, state: Any) -> None: ...

    with pytest.raises(ConfigError, match="which is async"):
        getattr(prefect, kind)(on_completion=[hook])


@flow(name="ETL")
def etl(month: int = 1) -> int:
    return month


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (
            lambda: etl.serve("monthly", cron="0 5 20 * *", parameters={"month": 3}),
            'schedule add monthly --cron "0 5 20 * *" -- run test_options.py:etl -p month=3',
        ),
        (lambda: etl.deploy(interval=timedelta(minutes=5)), 'ETL --cron "*/5 * * * *" -- run'),
        (lambda: prefect.serve(etl, interval=3600), 'ETL --cron "0 * * * *" -- run'),
        (lambda: prefect.Deployment.build_from_flow(flow=etl, name="x"), "add x --cron"),
        (lambda: prefect.deploy(), "add NAME --cron"),
    ],
)
def test_a_schedule_in_code_is_refused_with_the_command(make: Any, line: str) -> None:
    with pytest.raises(ConfigError, match="by a scheduler of the machine's own") as refused:
        make()
    assert line in refused.value.message


def test_other_options_are_prefects_too() -> None:
    again = etl.with_options(flow_run_name="x", retries=2)
    assert (again.spec.run_name, again.spec.retry) == ("x", Retry(on=Exception, attempts=3))
    assert (again.name, again.fn) == ("ETL", etl.fn)

    @task(cache_key_fn=task_input_hash, retries=1)
    def work(n: int) -> int:
        return n

    more = work.with_options(task_run_name="n-{n}", retries=0)
    assert (more.spec.run_name, more.spec.retry, more.spec.cache) == ("n-{n}", None, Cache())


def test_a_run_is_found_by_its_context(engine: Engine) -> None:
    @task(task_run_name="n-{n}")
    def work(n: int) -> list[Any]:
        context = get_run_context()
        return [context.flow_run.name, context.task_run.name, context.parameters]

    @flow(flow_run_name="this")
    def whole(month: int) -> list[Any]:
        return [*work(2), get_run_context().parameters]

    assert engine.run(whole, 3).result() == ["this", "n-2", {"n": 2}, {"month": 3}]
    assert FlowRunContext.get() is None
    with pytest.raises(ConfigError, match="outside any run"):
        get_run_context()


def test_a_module_that_is_not_here_is_not_to_be_installed(tmp_path: Path) -> None:
    file = tmp_path / "flows.py"
    file.write_text("from taxietl.prefect.filesystems import LocalFileSystem\n")

    with pytest.raises(UserCodeError, match="line 1: No module named") as refused:
        load_module(str(file), name="FILE")

    assert "docs/from-prefect.md" in refused.value.hint


def test_all_names_can_be_imported() -> None:
    assert all(getattr(prefect, name) is not None for name in prefect.__all__)
    assert {*prefect.__all__} <= {*dir(prefect)}
    with pytest.raises(AttributeError, match="no attribute 'agent'"):
        prefect.agent  # noqa: B018
