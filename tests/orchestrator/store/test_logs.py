from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from taxietl.orchestrator import (
    Cache,
    Engine,
    Retry,
    configure_logging,
    flow,
    get_run_logger,
    task,
)


class Terminal(io.StringIO):
    """A text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def console() -> Iterator[Callable[[int], io.StringIO]]:
    """Sends our lines to a terminal, and leaves logging as it was."""
    root, ours = logging.getLogger(), logging.getLogger("taxietl")
    handlers, level = list(root.handlers), ours.level

    def start(level: int = logging.INFO) -> io.StringIO:
        stream = Terminal()
        configure_logging(level, stream)
        return stream

    yield start
    root.handlers[:] = handlers
    ours.setLevel(level)


def test_the_lines_are_those_that_users_know(
    engine: Engine, console: Callable[..., io.StringIO]
) -> None:
    calls: list[int] = []

    @task(retry=Retry(on=OSError, delay=10))
    def extract() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("connection reset")
        return 1

    @task(cache=Cache())
    def load(rows: int) -> int:
        get_run_logger().info("rows: %d", rows)
        return rows

    check = flow(name="Check", run_name="checked")(lambda: 1)

    @flow(name="Ingest data", run_name="crouching-seriema")
    def ingest() -> None:
        get_run_logger().warning("Starting")
        load(extract())
        load(1)
        check()

    stream = console()
    engine.run(ingest).result()

    first, second = (
        datetime.fromisoformat(f"2021-01-02T16:05:{second}.752+00:00")
        .astimezone()
        .strftime("%H:%M:%S.752")
        for second in (11, 21)
    )
    who, extracted, loaded = (
        "Flow run 'crouching-seriema' -",
        "Task run 'extract-0' -",
        "Task run 'load-0' -",
    )
    lines = stream.getvalue().splitlines()
    # What the flow's own code logs is stamped by the computer's clock, not by the engine's.
    own = [lines.pop(1), lines.pop(8)]
    assert [line[12:] for line in own] == [
        f" | WARNING | {who} Starting",
        f" | INFO    | {loaded} rows: 1",
    ]
    assert lines == [
        f"{first} | INFO    | taxietl.engine - Created flow run 'crouching-seriema'"
        " for flow 'Ingest data'",
        f"{first} | INFO    | {who} Created task run 'extract-0' for task 'extract'",
        f"{first} | INFO    | {who} Executing 'extract-0' immediately...",
        f"{first} | ERROR   | {extracted} Encountered exception during execution:"
        " OSError: connection reset",
        f"{first} | INFO    | {extracted} Received non-final state 'AwaitingRetry' when proposing"
        " final state 'Failed' and will attempt to run again...",
        f"{second} | INFO    | {extracted} Finished in state Completed()",
        f"{second} | INFO    | {who} Created task run 'load-0' for task 'load'",
        f"{second} | INFO    | {who} Executing 'load-0' immediately...",
        f"{second} | INFO    | {loaded} Finished in state Completed()",
        f"{second} | INFO    | {who} Created task run 'load-1' for task 'load'",
        f"{second} | INFO    | {who} Executing 'load-1' immediately...",
        f"{second} | INFO    | Task run 'load-1' - Finished in state Cached(type=COMPLETED)",
        f"{second} | INFO    | {who} Created subflow run 'checked' for flow 'Check'",
        f"{second} | INFO    | Flow run 'checked' - Finished in state Completed()",
        f"{second} | INFO    | {who} Finished in state Completed('All states completed.')",
    ]


def test_every_line_of_a_run_is_in_its_history(engine: Engine) -> None:
    @task
    def talk() -> None:
        logging.getLogger("somebody.elses").info("in the task")
        logging.getLogger("somebody.elses").debug("too quiet")
        get_run_logger().error("of the run")

    @flow
    def outer() -> None:
        logging.getLogger("mine").warning("in the flow")
        talk()
        flow(name="inner")(lambda: logging.getLogger("mine").info("in the child"))()

    logging.getLogger("mine").warning("outside")
    run = engine.run(outer)

    (task_run, _) = engine.history.task_runs(run.id)
    logs = engine.history.logs(run.id)
    assert [
        (each.level, each.logger, each.message, each.task_run_id == task_run.id)
        for each in logs
        if not each.logger.startswith("taxietl") or each.message == "of the run"
    ] == [
        ("WARNING", "mine", "in the flow", False),
        ("INFO", "somebody.elses", "in the task", True),
        ("ERROR", "taxietl.task_runs", "of the run", True),
        ("INFO", "mine", "in the child", False),
    ]
    assert "in the child" not in [
        each.message for each in engine.history.logs(run.id, children=False)
    ]
    assert logs[0].message == f"Created flow run {run.name!r} for flow 'outer'"


def test_a_traceback_is_in_the_history_and_on_the_console_only_when_debugging(
    engine: Engine, console: Callable[..., io.StringIO]
) -> None:
    @task
    def broken() -> None:
        raise ValueError("no such month")

    shown = []
    for level in (logging.INFO, logging.DEBUG):
        stream = console(level)
        run = engine.run(flow(lambda: broken()))
        shown.append(stream.getvalue())

    said = "Encountered exception during execution: ValueError: no such month"
    assert all(said in text for text in shown)
    assert ["Traceback (most" in text for text in shown] == [False, True]
    (kept, _) = [log.message for log in engine.history.logs(run.id) if said in log.message]
    assert "Traceback (most" in kept
    assert 'raise ValueError("no such month")' in kept


def test_the_console_tells_an_error_once_on_its_way_up(
    engine: Engine, console: Callable[..., io.StringIO]
) -> None:
    @task
    def broken() -> None:
        raise ValueError("no 'such' month")

    stream = console()
    run = engine.run(flow(lambda: flow(lambda: broken(), name="inner")(), name="outer"))

    told = "ValueError: no 'such' month"
    assert stream.getvalue().count("no 'such' month") == 1
    failed = [line.split(" - ")[1] for line in stream.getvalue().splitlines() if "ERROR" in line]
    assert failed == [
        f"Encountered exception during execution: {told}",
        "Finished in state Failed('Task run encountered an exception: ValueError')",
        "Finished in state Failed('Flow run encountered an exception: ValueError')",
        "Finished in state Failed('Flow run encountered an exception: ValueError')",
    ]
    assert engine.history.run(run.id).state.message == f"Flow run encountered an exception: {told}"
    kept = [line.message for line in engine.history.logs(run.id)]
    assert len([text for text in kept if f"execution: {told}" in text]) == 3


def test_a_quiet_console_shows_only_what_went_wrong(
    engine: Engine, console: Callable[..., io.StringIO]
) -> None:
    stream = console(logging.WARNING)

    @flow
    def talk() -> None:
        get_run_logger().info("all is well")
        get_run_logger().warning("look out")

    run = engine.run(talk)

    assert [line[15:] for line in stream.getvalue().splitlines()] == [
        f"WARNING | Flow run {run.name!r} - look out"
    ]
    assert "all is well" in [each.message for each in engine.history.logs(run.id)]


def test_a_handler_that_breaks_breaks_no_run(engine: Engine) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("no more paper")

    handler = Broken()
    logging.getLogger("taxietl").addHandler(handler)
    logging.getLogger("taxietl").setLevel(logging.INFO)
    try:
        assert str(engine.run(flow(lambda: 1)).state) == "Completed()"
    finally:
        logging.getLogger("taxietl").removeHandler(handler)
        logging.getLogger("taxietl").setLevel(logging.NOTSET)


def test_handlers_that_were_there_get_what_they_got_before(engine: Engine) -> None:
    class Mine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            got.append(record.getMessage())

    got: list[str] = []
    handler, root, loud = Mine(), logging.getLogger(), logging.getLogger("loud")
    level = root.level
    root.setLevel(logging.WARNING)
    loud.setLevel(logging.INFO)
    root.addHandler(handler)

    @flow
    def talk() -> None:
        logging.getLogger("mine").info("hidden")
        logging.getLogger("mine").warning("seen")
        loud.info("asked for")

    try:
        run = engine.run(talk)
        assert root.level == logging.WARNING
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        loud.setLevel(logging.NOTSET)

    assert got == ["seen", "asked for"]
    assert {"hidden", "seen", "asked for"} <= {each.message for each in engine.history.logs(run.id)}
