from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from punctual import check_in_time
from runs_at_hand import states

from taxietl.errors import Cancelled
from taxietl.orchestrator import Cancellation, Engine, History, flow, task

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")

SCRIPT = """
import signal, socket, sys, threading, time
from collections.abc import Generator
from pathlib import Path
from taxietl.errors import Cancelled
from taxietl.orchestrator import (
    Engine, configure_logging, current_cancellation, flow, get_run_logger, task
)
from taxietl.orchestrator.stop import signals

for each in (signal.SIGINT, signal.SIGTERM):  # a shell may have had them ignored
    signal.signal(each, signal.default_int_handler)

@task
def loop() -> None:
    print("ready", flush=True)
    number = 0
    try:
        while True:
            number += 1
    finally:
        print("cleaned up", flush=True)

@task
def chatter() -> None:
    print("ready", flush=True)
    while True:
        get_run_logger().info("still here")

@task(retries=3, retry_delay_seconds=60)
def retry() -> None:
    print("ready", flush=True)
    raise OSError("cut")

@task
def block() -> None:
    one, other = socket.socketpair()
    with current_cancellation().on_cancel(lambda: other.close()):
        print("ready", flush=True)
        if one.recv(1) == b"":  # returns when the other end is closed
            raise ConnectionError("the database hung up")

@task
def numbers() -> Generator[int, None, None]:
    try:
        while True:
            time.sleep(0.01)
            yield 1
    finally:
        print("cleaned up", flush=True)

@task
def pull(stream) -> None:
    next(stream)
    print("ready", flush=True)
    for _ in stream:
        pass

@task
def stubborn() -> None:
    print("ready", flush=True)
    time.sleep(60)

@task
def busy(seconds) -> None:
    print("ready", flush=True)
    time.sleep(seconds)

@task
def deaf() -> None:
    print("ready", flush=True)
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass

def begun(begin):
    print("begun", flush=True)
    assert begin.wait(60)

@task
def spin(begin) -> None:
    try:
        begun(begin)
        while True:
            pass
    finally:
        print("cleaned up", flush=True)

@task
def wait(begin) -> None:
    try:
        begun(begin)
        current_cancellation().wait(60)
    finally:
        print("cleaned up", flush=True)

@task
def sleep(begin) -> None:
    begun(begin)
    time.sleep(60)

@flow
def submitting(name: str, begin) -> None:
    futures = [globals()[name].submit(begin) for _ in range(20)]
    stubborn.submit(wait_for=futures)
    begin.wait(60)
    if name == "wait":
        futures[-1].result()

@flow
def work(kind: str) -> None:
    begin = threading.Barrier(22)
    if kind == "stream":
        pull(numbers())
    elif kind == "submitted stream":
        pull.submit(numbers()).result()
    elif kind.startswith("20 x "):
        threading.Thread(target=lambda: begin.wait(60) or print("ready", flush=True)).start()
        submitting(kind[5:], begin)
    elif kind.startswith("2 x 20 x "):
        begin = threading.Barrier(43)
        threading.Thread(target=lambda: begin.wait(60) or print("ready", flush=True)).start()
        for _ in range(2):
            submitting.submit(kind[9:], begin)
    elif kind == "child":
        work("loop")
    elif kind == "in a session":
        sys.ps1 = "In : "  # as Python's prompt and IPython have it
        busy(2)
    else:
        globals()[kind]()

configure_logging(30)
if len(sys.argv) > 3:
    signals.GIVE_UP_AFTER_SECONDS = float(sys.argv[3])
try:
    Engine(Path(sys.argv[1]), workers=64).run(work, sys.argv[2]).result()
except Cancelled as error:
    sys.exit(error.exit_code)
"""


INTERRUPT, TERMINATE = (signal.SIGINT, 130), (signal.SIGTERM, 143)


class Process:
    """A run in the middle of its work."""

    def __init__(self, home: Path, kind: str, *give_up_after: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(home), kind, *give_up_after],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.begun = 0
        while (said := self._process.stdout.readline()) != "ready\n":
            assert said, "it has ended"
            self.begun += said.count("begun")
        time.sleep(0.1)

    def await_word(self, word: str) -> None:
        """Wait until it says so on stderr."""
        assert self._process.stderr is not None
        while word not in (said := self._process.stderr.readline()):
            assert said, "it has ended"

    def send(self, number: int) -> None:
        self._sent = time.monotonic()
        self._process.send_signal(number)

    def wait(self) -> tuple[int, float, str, str]:
        """Exit code, seconds since the last signal, stdout, stderr."""
        try:
            out, err = self._process.communicate(timeout=20)
        finally:
            self._process.kill()
        return self._process.returncode, time.monotonic() - self._sent, out, err


def final_states(home: Path) -> set[str]:
    """The states of all runs and task runs, read without looking for the dead."""
    history = History(home)
    try:
        rows = history.database.rows("SELECT state FROM runs UNION SELECT state FROM task_runs")
        return {row["state"] for row in rows}
    finally:
        history.close()


def task_run_count(home: Path) -> int:
    """How many task runs the history has."""
    history = History(home)
    try:
        return len(history.database.rows("SELECT id FROM task_runs"))
    finally:
        history.close()


@pytest.mark.parametrize(
    ("kind", "number", "code"),
    [
        *((kind, *INTERRUPT) for kind in ("loop", "chatter", "retry", "block", "stream", "child")),
        ("loop", *TERMINATE),
    ],
)
def test_a_signal_cancels_the_run_within_two_seconds(
    tmp_path: Path, kind: str, number: signal.Signals, code: int
) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = Process(home, kind)
        process.send(number)
        exit_code, seconds, out, err = process.wait()

        assert exit_code == code
        assert final_states(home) == {"Cancelled"}
        assert f"Received {number.name}" in err
        assert "Traceback" not in err
        assert ("cleaned up" in out) == (kind in ("loop", "stream", "child"))
        assert list((home / "runs").iterdir()) == []
        return seconds

    check_in_time(2, attempt)


@pytest.mark.parametrize(
    ("kind", "begun", "count", "number", "code"),
    [
        ("20 x spin", 20, 22, *INTERRUPT),
        ("20 x wait", 20, 22, *TERMINATE),
        ("2 x 20 x spin", 40, 44, *TERMINATE),
        ("2 x 20 x wait", 40, 44, *INTERRUPT),
        ("submitted stream", 0, 2, *INTERRUPT),
    ],
)
def test_a_signal_cancels_all_that_was_submitted(
    tmp_path: Path, kind: str, begun: int, count: int, number: signal.Signals, code: int
) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = Process(home, kind)
        process.send(number)
        exit_code, seconds, out, err = process.wait()

        assert exit_code == code
        assert process.begun == begun
        assert out.count("cleaned up") == (begun or 1)
        assert final_states(home) == {"Cancelled"}
        assert task_run_count(home) == count
        assert "Traceback" not in err
        assert list((home / "runs").iterdir()) == []
        return seconds

    # Those that spin share one interpreter while they clean up; none was left behind (after 5 s).
    check_in_time(4 if "spin" in kind else 2, attempt)


def test_submitted_tasks_that_do_not_stop_are_left_after_a_while(tmp_path: Path) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = Process(home, "20 x sleep", "1.5")
        process.send(signal.SIGINT)
        exit_code, seconds, _, _ = process.wait()

        assert exit_code == 130
        assert seconds > 1.2
        assert final_states(home) == {"Cancelled"}
        assert task_run_count(home) == 22
        return seconds

    check_in_time(4, attempt)


def test_a_second_signal_leaves_at_once(tmp_path: Path) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = Process(home, "stubborn")
        process.send(signal.SIGINT)
        process.await_word("Received SIGINT")
        process.send(signal.SIGINT)
        exit_code, seconds, _, _ = process.wait()

        assert exit_code == 130
        assert final_states(home) == {"Cancelled"}
        assert list((home / "runs").iterdir()) == []
        return seconds

    check_in_time(1, attempt)


def test_a_run_that_does_not_stop_is_left_after_five_seconds(tmp_path: Path) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = Process(home, "deaf")
        process.send(signal.SIGTERM)
        exit_code, seconds, _, _ = process.wait()

        assert exit_code == 143
        assert seconds > 4.5
        assert final_states(home) == {"Cancelled"}
        return seconds

    check_in_time(6.5, attempt)


def test_ctrl_c_does_not_end_the_process_of_a_session(tmp_path: Path) -> None:
    """A notebook's variables are worth more than the wait."""
    process = Process(tmp_path, "in a session", "0.1")
    for _ in range(2):
        process.send(signal.SIGINT)
        process.await_word("Received SIGINT: stopping")
    exit_code, seconds, _, err = process.wait()

    assert exit_code == 130
    assert seconds > 1
    assert "once more" not in err
    assert final_states(tmp_path) == {"Cancelled"}


def test_handlers_are_put_back(engine: Engine) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    during = engine.run(flow(lambda: signal.getsignal(signal.SIGINT) in before)).result()

    assert during is False
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_off_the_main_thread_a_flow_runs_where_it_is_called(engine: Engine) -> None:
    names: list[str] = []

    @flow
    def where() -> None:
        names.append(threading.current_thread().name)

    thread = threading.Thread(target=lambda: engine.run(where), name="mine")
    thread.start()
    thread.join()
    engine.run(where)

    assert names == ["mine", "taxietl-run"]


def test_a_cancelled_run_starts_nothing_more_and_says_so(engine: Engine) -> None:
    done: list[str] = []

    @task
    def first() -> None:
        from taxietl.orchestrator import current_cancellation

        current_cancellation().request("Asked by a test.")
        done.append("first")

    @task
    def second() -> None:
        done.append("second")

    @flow
    def both() -> None:
        first()
        second()

    run = engine.run(both)

    assert done == ["first"]
    assert str(run.state) == "Cancelled('Asked by a test.')"
    assert states(engine, run.id, "first-0") == ["Pending", "Running", "Completed"]
    assert len(engine.history.task_runs(run.id)) == 1
    with pytest.raises(Cancelled, match="Asked by a test"):
        run.result()


def test_a_callback_is_not_called_after_its_block() -> None:
    cancellation, called = Cancellation(), threading.Event()

    with cancellation.on_cancel(called.set):
        pass
    cancellation.request("now")

    assert not called.wait(0.05)


def test_a_block_entered_too_late_is_not_entered() -> None:
    cancellation = Cancellation()
    cancellation.request("now")

    with pytest.raises(Cancelled), cancellation.on_cancel(lambda: None):
        pytest.fail("entered")


def test_a_wait_ends_with_the_request() -> None:
    cancellation = Cancellation()
    threading.Timer(0.05, lambda: cancellation.request("now")).start()
    began = time.monotonic()

    with pytest.raises(Cancelled, match="now"):
        cancellation.wait(30)

    assert time.monotonic() - began < 15  # of 30
