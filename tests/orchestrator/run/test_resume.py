"""A run that is taken up: what it had done is not done again, all else is."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from runs_at_hand import states

from taxietl.errors import ConfigError, TryLaterError, UnknownNameError
from taxietl.orchestrator import Cache, Engine, Stream, flow, task
from taxietl.orchestrator.define.runs import Run
from taxietl.orchestrator.query.runs import resumptions
from taxietl.orchestrator.run.resume import Resumption, plan_resume

CALLS: list[str] = []
FAIL: set[str] = set()


def called(what: str) -> None:
    CALLS.append(what)
    if what in FAIL:
        raise ValueError(what)


@pytest.fixture(autouse=True)
def nothing_called() -> None:
    CALLS.clear()
    FAIL.clear()


def failed(engine: Engine, a_flow: Any, *args: Any) -> Run[Any]:
    run = engine.run(a_flow, *args)
    assert run.state.name == "Failed", run.state
    CALLS.clear()
    FAIL.clear()
    return run


def resumed(engine: Engine, run: Run[Any], *a_flow: Any) -> Run[Any]:
    again = engine.resume(run.name, *a_flow)
    assert again is not None
    return again


@dataclass(frozen=True)
class Month:
    year: int
    month: int


@task
def add(a: int, b: int) -> int:
    called(f"add {a} {b}")
    return a + b


@flow(run_name="sum-{month.year}")
def sums(month: Month, steps: list[int]) -> int:
    total = month.month
    for step in steps:
        total = add(total, step)
    return total


def test_what_had_completed_is_not_called_again(engine: Engine) -> None:
    FAIL.add("add 3 4")
    first = failed(engine, sums, Month(2021, 1), [2, 4, 8])

    again = resumed(engine, first)

    assert again.result() == 15
    assert CALLS == ["add 3 4", "add 7 8"]
    assert (first.name, again.name) == ("sum-2021", "sum-2021-2")
    reused, made, _ = engine.history.task_runs(again.id)
    assert str(reused.state) == "Cached(\"Completed in run 'sum-2021'.\", type=COMPLETED)"
    assert states(engine, again.id, "add-0") == ["Pending", "Cached"]
    assert made.state.name == "Completed"


def test_the_two_runs_name_each_other(engine: Engine) -> None:
    FAIL.add("add 1 1")
    first = failed(engine, sums, Month(2021, 1), [1])

    again = resumed(engine, first)

    links = resumptions(engine.history)
    assert (links.before, links.after) == ({again.id: first.name}, {first.id: again.name})
    assert engine.history.run(again.id).resumed_from == first.id


def test_resuming_a_resumed_run_uses_what_each_of_them_did(engine: Engine) -> None:
    FAIL.add("add 3 4")
    first = failed(engine, sums, Month(2021, 1), [2, 4, 8])
    FAIL.add("add 7 8")
    second = resumed(engine, first)
    CALLS.clear()
    FAIL.clear()

    third = resumed(engine, first)  # by its first name: the last one is gone on with

    assert (second.state.name, third.result()) == ("Failed", 15)
    assert CALLS == ["add 7 8"]
    messages = [each.state.message for each in engine.history.task_runs(third.id)]
    assert messages == ["Completed in run 'sum-2021'.", "Completed in run 'sum-2021-2'.", ""]
    assert engine.history.run(third.id).resumed_from == second.id


def test_a_completed_run_leaves_nothing_to_do(engine: Engine) -> None:
    first = engine.run(sums, Month(2021, 1), [2])

    assert engine.resume(first.name) is None
    assert len(engine.history.runs()) == 1


def test_a_run_in_progress_is_refused(engine: Engine) -> None:
    @flow(run_name="busy")
    def busy() -> str:
        with pytest.raises(TryLaterError, match="'busy' is still running") as refused:
            engine.resume("busy")
        return refused.value.hint

    assert "taxietl runs cancel busy" in engine.run(busy).result()


def test_two_that_resume_one_run_at_once_do_not_both_do_it(engine: Engine) -> None:
    FAIL.add("add 1 1")
    first = failed(engine, sums, Month(2021, 1), [1])
    slow = plan_resume(engine.history, first.name)
    assert isinstance(slow, Resumption)
    resumed(engine, first)

    with (
        pytest.raises(TryLaterError, match="being resumed by another process"),
        engine.history.transaction(engine.clock()) as change,
    ):
        change.claim_resume(slow.run)

    assert len(engine.history.runs()) == 2


def test_other_arguments_version_or_place_are_another_call(engine: Engine) -> None:
    factor = 1

    def make(version: str) -> Any:
        @task(name="times", version=version)
        def times(a: int) -> int:
            called(f"times {a}")
            return a * factor

        @flow(name="order")
        def order(numbers: list[int]) -> int:
            total = sum(times(each) for each in numbers)
            add(total, 0)
            return total

        return order

    FAIL.add("add 6 0")
    first = failed(engine, make("1"), [1, 2, 3])
    assert engine.resume(first.name, make("1")).result() == 6  # type: ignore[union-attr]
    assert CALLS == ["add 6 0"]

    FAIL.add("add 6 0")
    second = failed(engine, make("1"), [1, 2, 3])
    factor = 10
    assert resumed(engine, second, make("2")).result() == 60
    assert CALLS == ["times 1", "times 2", "times 3", "add 60 0"]


def test_what_only_looks_like_the_same_arguments_is_another_call(engine: Engine) -> None:
    given: Any = Path("a")

    @task
    def use(what: Any) -> str:
        called("use")
        return type(what).__name__

    @flow
    def body() -> str:
        kind = use(given)
        called("end")
        return kind

    FAIL.add("end")
    first = failed(engine, body)
    given = "a"

    assert resumed(engine, first, body).result() == "str"
    assert CALLS == ["use", "end"]


def test_a_task_or_child_run_whose_code_changed_is_done_again(engine: Engine) -> None:
    def make(*, in_task: int, in_child: int) -> Any:
        @task(name="times")
        def times(a: int) -> int:
            called("times")
            return a * in_task

        @flow(name="child")
        def child(a: int) -> int:
            called("child")
            return add(a, 1) * in_child

        @flow(name="parent")
        def parent() -> int:
            total = times(2) + child(3)
            called("end")
            return total

        return parent

    def resumed_with(**changed: int) -> tuple[int, list[str]]:
        FAIL.add("end")
        first = failed(engine, make(in_task=1, in_child=1))
        again = resumed(engine, first, make(**{"in_task": 1, "in_child": 1, **changed}))
        return again.result(), list(CALLS)

    assert resumed_with() == (6, ["end"])
    assert resumed_with(in_task=10) == (24, ["times", "end"])
    # Its own task was not changed, and had completed.
    assert resumed_with(in_child=10) == (42, ["child", "end"])


def test_a_stream_and_its_consumer_run_again(engine: Engine) -> None:
    @task
    def numbers(n: int) -> Generator[int, None, int]:
        called("numbers")
        yield from range(n)
        return n

    @task
    def load(stream: Stream[int, int]) -> int:
        called("load")
        return sum(stream)

    @flow
    def pipe() -> int:
        return add(load(numbers(add(1, 2))), 1)

    FAIL.add("add 3 1")
    first = failed(engine, pipe)

    assert resumed(engine, first, pipe).result() == 4
    assert CALLS == ["load", "numbers", "add 3 1"]


class Opaque:
    """Has no JSON form."""


def test_what_is_not_stored_is_made_again(engine: Engine) -> None:
    @task
    def opaque() -> Opaque:
        called("opaque")
        return Opaque()

    @task(persist_result=False)
    def asked() -> int:
        called("asked")
        return 1

    @task
    def of(thing: Opaque) -> int:
        called("of")
        return 1

    @flow
    def body() -> int:
        asked()
        add(1, 1)
        return add(of(opaque()), 2)

    FAIL.add("add 1 2")
    first = failed(engine, body)

    resumed(engine, first, body).result()

    assert CALLS == ["asked", "opaque", "of", "add 1 2"]


def test_a_file_is_looked_at_before_it_counts_as_done(engine: Engine, tmp_path: Path) -> None:
    @task
    def write(name: str) -> Path:
        called(name)
        (tmp_path / name).write_text(name)
        return tmp_path / name

    @flow
    def files() -> None:
        for name in ("whole", "changed", "gone"):
            write(name)
        called("end")

    FAIL.add("end")
    first = failed(engine, files)
    (tmp_path / "changed").write_text("CHANGED")
    (tmp_path / "gone").unlink()

    resumed(engine, first, files).result()

    assert CALLS == ["changed", "gone", "end"]


def test_secrets_among_arguments_are_told_apart_though_masked(engine: Engine) -> None:
    @task
    def login(password: SecretStr, url: str) -> int:
        called("login")
        return 1

    @flow
    def work(nothing: int) -> None:
        login(SecretStr(passwords[0]), f"http://me:{passwords[1]}@host/")
        called("end")

    for changed, expected in ((None, []), (0, ["login"]), (1, ["login"])):
        passwords = ["one", "two"]
        FAIL.add("end")
        first = failed(engine, work, 1)
        if changed is not None:
            passwords[changed] = "other"
        resumed(engine, first, work).result()
        assert [*expected, "end"] == CALLS


@flow
def child(n: int) -> int:
    return add(add(n, 10), 10)


@flow
def opaque_child(n: int) -> Opaque:
    add(n, 100)
    called("opaque child")
    return Opaque()


@flow
def parent(numbers: list[int]) -> int:
    opaque_child(0)
    return sum(child(each) for each in numbers)


def test_a_completed_child_is_taken_whole_and_others_are_entered(engine: Engine) -> None:
    FAIL.add("add 12 10")
    first = failed(engine, parent, [1, 2, 3])

    again = resumed(engine, first)

    assert again.result() == 66
    assert CALLS == ["opaque child", "add 12 10", "add 3 10", "add 13 10"]
    places = engine.history.task_runs(again.id)
    assert [(each.name, each.state.name) for each in places] == [
        ("opaque_child-0", "Completed"),
        ("child-0", "Cached"),
        ("child-1", "Completed"),
        ("child-2", "Completed"),
    ]
    assert [each.flow for each in engine.history.children(again.id)] == [
        "opaque_child",
        "child",
        "child",
    ]


def test_a_child_is_entered_again_when_the_resumed_run_fails_too(engine: Engine) -> None:
    FAIL.add("add 12 10")
    first = failed(engine, parent, [1, 2, 3])
    FAIL.add("add 13 10")
    second = resumed(engine, first)
    assert second.state.name == "Failed"
    CALLS.clear()
    FAIL.clear()

    assert resumed(engine, second).result() == 66
    assert CALLS == ["opaque child", "add 13 10"]


def test_a_child_run_is_resumed_by_its_root_only(engine: Engine) -> None:
    FAIL.add("add 1 10")
    first = failed(engine, parent, [1])
    (_, below) = engine.history.children(first.id)

    with pytest.raises(ConfigError, match=f"is a child run of '{first.name}'") as refused:
        engine.resume(below.name)

    assert first.name in refused.value.hint
    with pytest.raises(UnknownNameError, match="no run named"):
        engine.resume("nobody")


def test_a_cached_result_serves_a_resumed_run_even_if_refreshed(engine: Engine) -> None:
    @task(cache=Cache(refresh=True))
    def fresh() -> int:
        called("fresh")
        return 1

    @flow
    def body() -> None:
        fresh()
        called("end")

    FAIL.add("end")
    first = failed(engine, body)
    again = resumed(engine, first, body)

    assert CALLS == ["end"]
    (kept,) = engine.history.task_runs(again.id)
    assert kept.cache_key is not None


class TestParameters:
    """What a run was given is read again, or it is said why not."""

    def test_all_kinds_and_defaults_come_back(self, engine: Engine) -> None:
        given: list[Any] = []

        @flow
        def many(
            a: Month,
            *more: int,
            path: Path = Path("x"),
            odd: int = None,  # type: ignore[assignment]  # noqa: RUF013
            **rest: Any,
        ) -> None:
            given.append((a, more, path, odd, rest))
            called("end")

        FAIL.add("end")
        run = engine.run(many, Month(1, 2), 3, 4, path=Path("y"), last=[1, {"b": None}])
        FAIL.clear()
        resumed(engine, run, many)

        assert given[0] == given[1] == (
            Month(1, 2), (3, 4), Path("y"), None, {"last": [1, {"b": None}]}
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            pytest.param(SecretStr("hidden"), "a secret, which is not kept", id="SecretStr"),
            pytest.param("postgresql://me:hidden@host/", "a secret, which is", id="url"),
            pytest.param(Opaque(), "cannot be stored", id="no JSON"),
        ],
    )
    def test_what_cannot_be_kept_is_said_and_is_nowhere_in_the_history(
        self, engine: Engine, home: Path, value: Any, words: str
    ) -> None:
        @flow
        def login(password: Any) -> None:
            called("end")

        FAIL.add("end")
        first = failed(engine, login, value)

        with pytest.raises(ConfigError, match="'password'") as refused:
            engine.resume(first.name, login)

        assert words in refused.value.message
        engine.close()
        with sqlite3.connect(home / "history.db") as connection:
            assert "hidden" not in "\n".join(connection.iterdump())
        connection.close()

    @pytest.mark.parametrize(
        "value", ["**********", ["a", "-- ********** --"], {"title": "*" * 40, "<b>": "<str>"}]
    )
    def test_a_value_that_looks_like_a_mask_is_none(self, engine: Engine, value: Any) -> None:
        given = []

        @task
        def step(text: Any) -> Any:
            called("step")
            return text

        @flow
        def keep(text: Any) -> None:
            given.append(step(text))
            called("end")

        FAIL.add("end")
        first = failed(engine, keep, value)
        FAIL.clear()
        second = resumed(engine, first, keep)

        assert given == [value, value]
        (only,) = engine.history.task_runs(second.id)
        assert only.state.name == "Cached"

    def test_a_value_that_looks_like_a_mask_hides_no_secret_beside_it(self, engine: Engine) -> None:
        @flow
        def login(user: Any) -> None:
            called("end")

        FAIL.add("end")
        first = failed(engine, login, ["**********", SecretStr("**********"), SecretStr("hidden")])

        with pytest.raises(ConfigError, match="'user' holds a secret"):
            engine.resume(first.name, login)

    def test_a_changed_signature_is_refused(self, engine: Engine) -> None:
        @flow(name="one")
        def before(n: int, gone: int) -> None:
            called("end")

        @flow(name="one")
        def after(n: str) -> None:
            called("end")

        FAIL.add("end")
        first = failed(engine, before, 1, 2)

        with pytest.raises(ConfigError, match="has changed: its parameter 'n'"):
            engine.resume(first.name, after)

    def test_a_flow_in_no_file_is_resumed_where_it_is(self, engine: Engine) -> None:
        @flow
        def local() -> int:
            called("end")
            return 1

        FAIL.add("end")
        first = failed(engine, local)

        with pytest.raises(ConfigError, match="in no file or module"):
            engine.resume(first.name)
        assert resumed(engine, first, local).result() == 1


def test_a_result_without_files_outlives_its_place_in_the_cache(engine: Engine) -> None:
    @task(cache=Cache())
    def cached() -> int:
        called("cached")
        return 1

    @flow
    def body() -> None:
        cached()
        called("end")

    FAIL.add("end")
    first = failed(engine, body)
    engine.cache.remove([], everything=True)

    resumed(engine, first, body).result()

    assert CALLS == ["end"]
