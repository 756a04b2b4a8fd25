from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
from collections.abc import Generator
from typing import Any

import pytest

from taxietl.orchestrator import Engine, Stream, flow, task

Lines = list[tuple[str | None, str]]


def prints(engine: Engine, run_id: str) -> Lines:
    """The name of the task run, and the text, of each line the engine did not write itself."""
    names = {each.id: each.name for each in engine.history.task_runs(run_id)}
    names |= {
        each.id: each.name
        for child in engine.history.children(run_id)
        for each in engine.history.task_runs(child.id)
    }
    own = ("Created", "Executing", "Submitted", "Finished", "Encountered", "Received")
    return [
        (names.get(each.task_run_id or ""), each.message)
        for each in engine.history.logs(run_id)
        if not each.message.startswith(own)
    ]


@task
def say(text: str) -> None:
    print(text)


@task(log_prints=False)
def shout(text: str) -> None:
    print(text)


@task(log_prints=True)
def note(text: str) -> None:
    print(text)


def test_a_flows_prints_and_its_tasks_are_lines_of_each(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    @flow(log_prints=True)
    def work() -> None:
        print("before")
        say("hello")
        print("after", 1, sep="-")

    run = engine.run(work)

    assert prints(engine, run.id) == [(None, "before"), ("say-0", "hello"), (None, "after-1")]
    logged = engine.history.logs(run.id)
    assert {each.level for each in logged if each.message in ("before", "hello")} == {"INFO"}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("flow_says", "logged", "printed"),
    [
        (True, ["say", "note"], "shout\n"),
        (False, ["note"], "say\nshout\n"),
        (None, ["note"], "say\nshout\n"),
    ],
)
def test_a_task_that_says_so_itself_is_obeyed(
    engine: Engine,
    capsys: pytest.CaptureFixture[str],
    flow_says: bool | None,
    logged: list[str],
    printed: str,
) -> None:
    @flow(log_prints=flow_says)
    def work() -> None:
        say("say")
        shout("shout")
        note("note")

    run = engine.run(work)

    assert [text for _, text in prints(engine, run.id)] == logged
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(("child_says", "logged"), [(None, True), (False, False), (True, True)])
def test_a_child_run_does_as_its_parent_unless_it_says_otherwise(
    engine: Engine, capsys: pytest.CaptureFixture[str], child_says: bool | None, logged: bool
) -> None:
    @flow(log_prints=child_says)
    def child() -> None:
        print("below")
        say("deeper")

    @flow(log_prints=True)
    def parent() -> None:
        child()
        print("above")

    run = engine.run(parent)

    below = [(None, "below"), ("say-0", "deeper")]
    assert prints(engine, run.id) == [*(below if logged else []), (None, "above")]
    assert capsys.readouterr().out == ("" if logged else "below\ndeeper\n")


def test_lines_are_logged_when_whole_and_at_the_end(engine: Engine) -> None:
    @flow(log_prints=True)
    def work() -> None:
        print("10", end="")
        print("…20", end="", flush=True)
        say("between")
        print("…30")
        print("two\nlines")
        print()
        sys.stdout.writelines(["left", " over"])

    run = engine.run(work)

    assert [text for _, text in prints(engine, run.id)] == [
        *("between", "10…20…30", "two", "lines", "", "left over")
    ]


def test_a_failed_attempts_last_words_are_kept(engine: Engine) -> None:
    @task(log_prints=True, retries=1)
    def fail() -> None:
        print("so far", end="")
        raise OSError("cut")

    run = engine.run(flow(lambda: fail()))

    assert prints(engine, run.id) == [("fail-0", "so far"), ("fail-0", "so far")]


def test_other_threads_print_as_before(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    @flow(log_prints=True)
    def work() -> None:
        thread = threading.Thread(target=lambda: print("from elsewhere"))
        thread.start()
        thread.join()
        print("from here")

    run = engine.run(work)

    assert prints(engine, run.id) == [(None, "from here")]
    assert capsys.readouterr().out == "from elsewhere\n"


def test_a_stream_prints_in_its_own_name(engine: Engine, capsys: Any) -> None:
    @task
    def numbers() -> Generator[int, None, str]:
        print("opening")
        yield 1
        print("closing", end="")
        return "done"

    @task(log_prints=False)
    def silent() -> Generator[int, None, None]:
        print("aloud")
        yield 1

    @task
    def total(stream: Stream[int, Any]) -> int:
        print("adding")
        return sum(stream)

    @flow(log_prints=True)
    def work() -> int:
        return total(numbers()) + total(silent())

    run = engine.run(work)

    assert prints(engine, run.id) == [
        *(("total-0", "adding"), ("numbers-0", "opening"), ("numbers-0", "closing")),
        ("total-1", "adding"),
    ]
    assert capsys.readouterr().out == "aloud\n"


def test_stdout_is_put_back(engine: Engine) -> None:
    before = sys.stdout

    @flow(log_prints=True)
    def work() -> bool:
        return sys.stdout is before

    assert engine.run(work).result() is False
    assert sys.stdout is before


def test_who_redirects_stdout_in_a_task_gets_it(engine: Engine) -> None:
    @flow(log_prints=True)
    def work() -> str:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            print("kept")
        print("logged")
        return text.getvalue()

    run = engine.run(work)

    assert run.result() == "kept\n"
    assert prints(engine, run.id) == [(None, "logged")]


def test_a_log_handler_that_prints_does_not_log_itself(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    class Printing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print("seen:", record.getMessage())

    handler = Printing()
    logging.getLogger("taxietl.flow_runs").addHandler(handler)
    try:
        run = engine.run(flow(log_prints=True)(lambda: print("hello")))
    finally:
        logging.getLogger("taxietl.flow_runs").removeHandler(handler)

    assert prints(engine, run.id) == [(None, "hello")]
    assert "seen: hello\n" in capsys.readouterr().out


def test_submitted_tasks_print_each_in_its_own_name(engine: Engine) -> None:
    @flow(log_prints=True)
    def work() -> None:
        for number in range(4):
            say.submit(f"line {number}")

    run = engine.run(work)

    assert sorted(prints(engine, run.id), key=str) == [
        (f"say-{number}", f"line {number}") for number in range(4)
    ]
