from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
from punctual import check_in_time
from runs_at_hand import states

from taxietl.errors import ConfigError, IsolatedProcessError, TimedOutError, UnknownNameError
from taxietl.orchestrator import Engine, History, flow, task
from taxietl.orchestrator.stop.stopping import stop

TASKS = '''
import ctypes, logging, os, signal, subprocess, sys, threading, time
from pathlib import Path

from taxietl.errors import UnknownNameError
from taxietl.orchestrator import Retry, current_cancellation, flow, get_run_logger, task
from taxietl.errors import IsolatedProcessError


@task(isolate=True)
def add(one, other):
    return one + other


@task(isolate=True)
def look():
    links = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")
             if os.path.exists(f"/proc/self/fd/{each}")]
    return os.getpid(), [each for each in links if each.endswith(".lock")]


@task(isolate=True)
def talk():
    print("one", end="")
    get_run_logger().info("two")
    print(" three")
    try:
        raise OSError("cut")
    except OSError:
        logging.getLogger("somebody").warning("four", exc_info=True)
    print("five", end="")


@task(isolate=True)
def refuse():
    raise UnknownNameError("colour", "pink", ["green"])


class HttpError(ConnectionError):
    def __init__(self, status, body, *, after=None):
        super().__init__(f"HTTP {status}")
        self.status, self.body, self.after = status, body, after


@task(isolate=True, retry=Retry(on=HttpError, attempts=2, retry_if=lambda e: e.status >= 500))
def odd(status):
    error = HttpError(status, b"busy", after=threading.Lock())
    error.add_note("the third today")
    try:
        [][0]
    except IndexError as cause:
        raise error from cause


@task(isolate=True)
def foreign():
    class LocalError(HttpError):
        """No module has it by its name."""

    raise LocalError(503, b"busy")


@task(isolate=True)
def unknown():
    class LocalError(Exception):
        """Nor is there a class above that says anything."""

    raise LocalError("odd")


@task(isolate=True)
def together():
    raise ExceptionGroup("two", [HttpError(503, b"one"), OSError(2, "no file", "a.csv")])


@task(isolate=True)
def returned(error):
    return error


@task(isolate=True)
def leave():
    sys.exit(3)


@task(isolate=True)
def lock():
    return threading.Lock()


@task(isolate=True)
def spin(pid_file):
    Path(pid_file).write_text(str(os.getpid()))
    while True:
        pass


@task(isolate=True)
def deaf(pid_file):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(pid_file).write_text(str(os.getpid()))
    time.sleep(60)


@task(isolate=True)
def with_program(pid_file):
    program = subprocess.Popen(["sleep", "60"])
    Path(pid_file).write_text(str(program.pid))
    time.sleep(60)


@task(isolate=True)
def in_c(pid_file):
    """Neither a signal's handler nor another thread gets a turn in there."""
    Path(pid_file).write_text(str(os.getpid()))
    ctypes.PyDLL(None).sleep(60)


@task(isolate=True)
def careful(pid_file):
    try:
        Path(pid_file).write_text(str(os.getpid()))
        time.sleep(60)
    finally:
        print("cleaned up")


@task(isolate=True, retry=Retry(on=IsolatedProcessError, attempts=2))
def killed():
    os.kill(os.getpid(), signal.SIGKILL)


@task(isolate=True)
def segfault():
    ctypes.string_at(0)


@task(isolate=True)
def gone():
    os._exit(7)


@task(isolate=True)
def background():
    thread = threading.Thread(target=time.sleep, args=(60,))
    thread.start()
    return 5


@task(isolate=True)
def size(data):
    return len(data)


@task(isolate=True)
def outside():
    """What a program writes that the task starts, and what it reads."""
    return subprocess.run(["cat"], stdout=None, timeout=10).returncode


@flow
def below():
    return 5


@task(isolate=True)
def call_a_flow():
    return below()


@task(isolate=True)
def whoami():
    from taxietl.orchestrator import current_run
    run = current_run()
    return run.id, run.name, run.flow_name
'''


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A module of tasks that an import finds."""
    folder = tmp_path_factory.mktemp("isolated")
    (folder / "isolated_tasks.py").write_text(TASKS)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("isolated_tasks")
    sys.path.remove(str(folder))
    del sys.modules["isolated_tasks"]


Call = Callable[..., Any]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the system does that on Linux")


@pytest.fixture
def run(engine: Engine, tasks: ModuleType) -> Call:
    """Runs a flow that calls the task of that name."""

    def call(task_name: str, *args: Any, **options: Any) -> Any:
        return engine.run(flow(**options)(lambda: getattr(tasks, task_name)(*args)))

    return call


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def wait_until(is_so: Callable[[], bool], *, seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_the_call_is_made_in_another_process_that_holds_no_lock_of_the_run(run: Call) -> None:
    pid, locks = run("look").result()

    assert pid != os.getpid()
    assert locks == []


def test_arguments_and_results_travel(run: Call) -> None:
    assert run("add", {"a": [Path("b")]}.get("a"), [(1, 2.5)]).result() == [Path("b"), (1, 2.5)]
    assert run("size", b"x" * 20_000_000).result() == 20_000_000


def test_the_task_knows_its_run(run: Call, engine: Engine) -> None:
    done = run("whoami", name="Work", run_name="worker")

    assert done.result() == (done.id, "worker", "Work")


def test_logs_and_prints_are_in_the_runs_log_in_their_order(run: Call, engine: Engine) -> None:
    done = run("talk", log_prints=True)

    (task_run,) = engine.history.task_runs(done.id)
    lines = [
        (each.level, each.logger, each.message.splitlines()[0])
        for each in engine.history.logs(done.id)
        if each.task_run_id == task_run.id and not each.message.startswith("Finished")
    ]
    assert lines == [
        ("INFO", "taxietl.task_runs", "two"),
        ("INFO", "taxietl.task_runs", "one three"),
        ("WARNING", "somebody", "four"),
        ("INFO", "taxietl.task_runs", "five"),
    ]
    assert any("OSError: cut" in each.message for each in engine.history.logs(done.id))


def test_prints_that_are_not_logged_are_printed_here(
    run: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    run("talk")

    assert capsys.readouterr().out == "one three\nfive"


def test_an_error_comes_back_as_itself_with_its_traceback(run: Call, engine: Engine) -> None:
    done = run("refuse")

    with pytest.raises(UnknownNameError, match="'pink'") as raised:
        done.result()
    assert raised.value.hint == "Known: green."
    traces = [each.message for each in engine.history.logs(done.id) if "line" in each.message]
    assert any("isolated_tasks.py" in each and "in refuse" in each for each in traces)


def test_an_error_whose_class_asks_for_more_than_its_text_is_retried(
    run: Call, engine: Engine, tasks: ModuleType
) -> None:
    done = run("odd", 503)

    assert engine.history.task_runs(done.id)[0].attempts == 2
    error = done.final_state.error
    assert type(error) is tasks.HttpError
    assert (str(error), error.args, error.status) == ("HTTP 503", ("HTTP 503",), 503)
    assert error.body == b"busy"
    assert "lock" in error.after  # a lock cannot travel: its text can
    assert error.__notes__[0] == "the third today"
    assert type(error.__cause__) is IndexError
    assert engine.history.task_runs(run("odd", 404).id)[0].attempts == 1


def test_an_error_of_an_unknown_class_comes_as_the_class_above(
    run: Call, tasks: ModuleType
) -> None:
    known, other = run("foreign").final_state.error, run("unknown").final_state.error

    assert type(known) is tasks.HttpError
    assert str(known).endswith("LocalError: HTTP 503")
    assert known.status == 503
    assert (type(other), str(other).endswith("LocalError: odd")) == (RuntimeError, True)


def test_errors_travel_in_groups_arguments_and_results(run: Call, tasks: ModuleType) -> None:
    group = run("together").final_state.error
    sent = tasks.HttpError(500, b"sent")

    assert [type(each) for each in group.exceptions] == [tasks.HttpError, FileNotFoundError]
    assert group.exceptions[1].filename == "a.csv"
    assert vars(run("returned", sent).result()) == vars(sent)


def test_leaving_the_process_is_a_crash_of_the_task(run: Call, engine: Engine) -> None:
    done = run("leave")

    assert states(engine, done.id, "leave-0") == ["Pending", "Running", "Crashed"]
    assert "SystemExit: 3" in done.state.message


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("killed", "was killed by SIGKILL"),
        ("segfault", "was killed by SIGSEGV"),
        ("gone", "ended with status 7"),
    ],
)
def test_a_process_that_dies_is_a_crash_that_says_how(
    run: Call, engine: Engine, name: str, end: str
) -> None:
    done = run(name)

    (task_run,) = engine.history.task_runs(done.id)
    assert task_run.state.name == "Crashed"
    assert f"The process of task run '{name}-0' {end}." in task_run.state.message
    assert task_run.attempts == (2 if name == "killed" else 1)
    with pytest.raises(IsolatedProcessError, match=end):
        done.result()


def run_limited(engine: Engine, function: Call, seconds: float, pid_file: Path) -> Any:
    limited = task(isolate=True, timeout_seconds=seconds)(function)
    return engine.run(flow(log_prints=True)(lambda: limited(pid_file)))


@pytest.mark.parametrize("name", ["spin", "careful", "with_program", "deaf", "in_c"])
def test_a_timeout_ends_the_process_whatever_it_does(
    engine: Engine, tasks: ModuleType, tmp_path: Path, name: str
) -> None:
    pid_file = tmp_path / "pid"
    function = getattr(tasks, name).function
    for limit in (1, 2, 4, 8, 16):  # a process that is slow to start does not come so far
        began = time.monotonic()
        done = run_limited(engine, function, limit, pid_file)
        seconds = time.monotonic() - began
        if pid_file.exists() and pid_file.read_text():
            break

    assert states(engine, done.id, f"{name}-0") == ["Pending", "Running", "TimedOut"]
    assert not is_alive(int(pid_file.read_text()))
    assert seconds < limit + 10  # of 60
    with pytest.raises(TimedOutError):
        done.result()
    said = [each.message for each in engine.history.logs(done.id)]
    assert ("cleaned up" in said) == (name == "careful")


def test_what_goes_on_behind_a_result_is_not_waited_for(run: Call) -> None:
    began = time.monotonic()

    assert run("background").result() == 5

    assert time.monotonic() - began < 10


def test_programs_the_task_starts_find_no_input(run: Call) -> None:
    assert run("outside").result() == 0


def test_what_cannot_travel_is_refused_by_name(run: Call, engine: Engine) -> None:
    there, back = run("size", lambda: None), run("lock")

    with pytest.raises(ConfigError, match=r"'size' has isolate=True, and its arguments cannot"):
        there.result()
    with pytest.raises(ConfigError, match=r"returned what cannot be sent"):
        back.result()
    assert engine.history.task_runs(there.id)[0].attempts == 0


def test_a_flow_cannot_be_called_there(run: Call) -> None:
    with pytest.raises(ConfigError, match="was called in an isolated task"):
        run("call_a_flow").result()


def test_a_stream_cannot_go_there(engine: Engine, tasks: ModuleType) -> None:
    @task
    def numbers() -> Generator[int, None, None]:
        yield 1

    done = engine.run(flow(lambda: tasks.size(numbers())))

    with pytest.raises(ConfigError, match=r"'size' has isolate=True and was given a stream"):
        done.result()


@pytest.mark.parametrize("kind", ["inner", "lambda"])
def test_a_function_that_no_module_has_is_refused(kind: str) -> None:
    def inner() -> None:
        """Is local."""

    with pytest.raises(ConfigError, match="defined inside a function"):
        task(isolate=True)(inner if kind == "inner" else lambda: None)


SCRIPT = """
import ctypes, os, signal, sys, time
from dataclasses import dataclass
from pathlib import Path
from taxietl.errors import Cancelled
from taxietl.orchestrator import Engine, configure_logging, flow, task

@dataclass
class Point:
    x: int

@task(isolate=True)
def double(point: Point) -> Point:
    return Point(point.x * 2)

@task(isolate=True)
def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)

@task(isolate=True)
def patient() -> None:
    print(os.getpid(), flush=True)
    time.sleep(60)

@task(isolate=True)
def in_c() -> None:
    print(os.getpid(), flush=True)
    ctypes.PyDLL(None).sleep(60)  # no thread of the process gets a turn

@flow(run_name="worker")
def work(kind: str) -> None:
    if kind == "double":
        assert double(Point(2)) == Point(4)
        print("4", flush=True)
    else:
        globals()[kind]()

def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    configure_logging(40)
    try:
        Engine(Path(sys.argv[1])).run(work, sys.argv[2]).result()
    except Cancelled as error:
        sys.exit(error.exit_code)

GUARD
    main()
"""


def start(home: Path, kind: str, guard: str = 'if __name__ == "__main__":') -> Any:
    script = home.parent / "script.py"
    script.write_text(SCRIPT.replace("GUARD", guard))
    return subprocess.Popen(
        [sys.executable, str(script), str(home), kind],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_tasks_and_classes_of_the_main_script_are_found(home: Path) -> None:
    out, err = start(home, "double").communicate(timeout=30)

    assert (out, err) == ("4\n", "")


def test_a_script_that_runs_its_flow_when_loaded_is_told_what_to_write(home: Path) -> None:
    process = start(home, "double", guard="if True:")
    _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "ConfigError: A script that runs a flow while it is loaded" in err
    with Engine(home) as engine:
        assert len(engine.history.runs()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_run_and_child_within_two_seconds(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    def attempt(turn: int) -> float:
        home = tmp_path / str(turn)
        process = start(home, "deaf")
        try:
            child = int(process.stdout.readline())
            sent = time.monotonic()
            process.send_signal(number)
            process.communicate(timeout=20)
        finally:
            process.kill()
        seconds = time.monotonic() - sent

        assert process.returncode == code
        assert not is_alive(child)
        history = History(home)
        rows = history.database.rows("SELECT state FROM runs UNION SELECT state FROM task_runs")
        history.close()
        assert {row["state"] for row in rows} == {"Cancelled"}
        return seconds

    check_in_time(2, attempt)


def test_a_run_that_is_stopped_while_its_task_is_apart_says_who_asked(home: Path) -> None:
    process = start(home, "patient")
    process.stdout.readline()

    with History.opened(home) as history:
        stop(history, "worker")
        process.communicate(timeout=20)
        run = history.run("worker")
        messages = {run.state.message, history.task_runs(run.id)[0].state.message}

    (message,) = messages
    assert "with `taxietl runs cancel`" in message


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
@pytest.mark.parametrize("kind", ["deaf", pytest.param("in_c", marks=needs_linux)])
def test_the_child_dies_with_its_killed_parent(home: Path, kind: str) -> None:
    process = start(home, kind)
    child = int(process.stdout.readline())
    assert is_alive(child)

    process.kill()
    process.communicate(timeout=10)

    assert wait_until(lambda: not is_alive(child), seconds=10)  # of 60, and it is at once
    with Engine(home) as engine:
        assert {each.state.name for each in engine.history.runs()} == {"Crashed"}
