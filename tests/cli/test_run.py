"""`taxietl run` and `runs`: flows of the user's own, and what is told of them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check

from taxietl.orchestrator import Engine, flow

FLOWS = """
import sys
from dataclasses import dataclass

from taxietl import flow, task

@task
def double(n: int) -> int:
    return 2 * n

@task
def fail() -> None:
    raise ValueError("as planned")

@flow
def etl(n: int, names: list[str] | None = None, title: str = "1") -> int:
    assert isinstance(n, int) and isinstance(title, str)
    return double(n) + len(names or [])

@flow
def broken() -> None:
    fail()

@dataclass
class Point:
    x: int

@flow
def leave(code: int) -> None:
    sys.exit(code)

@flow
def speechless() -> None:
    raise AssertionError

@task(isolate=True)
def move(point: Point) -> Point:
    print("moving", point)
    return Point(point.x + 1)

@flow(log_prints=True)
def apart() -> int:
    return move(Point(1)).x

@task(retries=1, retry_delay_seconds=3600)
def later() -> None:
    print("ready", flush=True)
    raise OSError("cut")

@flow(run_name="waiter")
def wait() -> None:
    later()

@task
def interrupt() -> None:
    raise KeyboardInterrupt

@flow(run_name="stopped")
def stop() -> None:
    interrupt()

@flow
def loud(stars: str) -> int:
    import atexit, os, subprocess
    atexit.register(print, "at exit")
    print("printed")
    os.write(1, b"by the system")
    subprocess.run([sys.executable, "-c", "print('by a program')"])
    if stars == "fail":
        raise ValueError("as planned")
    return len(stars)

if __name__ == "__main__":
    print(etl(4))
"""


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    path = tmp_path / "own_flows.py"
    path.write_text(FLOWS)
    return path


def test_parameters_are_what_their_types_say(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl(
        "run", f"{flows}:etl", "-p", "n=5", "-p", 'names=["a"]', "-p", "title=7", "--json"
    )

    assert (done.code, done.document["result"]) == (0, 11)


def test_a_failed_flow_is_code_1_and_shown_with_its_reason(taxietl: Taxietl, flows: Path) -> None:
    done = taxietl("run", f"{flows}:broken", "-q")

    check_refused(done, 1, "ValueError: as planned")
    listed = taxietl("runs", "ls", "--state", "failed", "--json").document["runs"]
    assert [run["flow"] for run in listed] == ["broken"]
    shown = taxietl("runs", "show", listed[0]["name"])
    assert "fail-0" in shown.out
    assert "as planned" in shown.out


def test_logs_say_which_run_or_task_run_each_line_is_of(taxietl: Taxietl, flows: Path) -> None:
    path = flows.with_name("speaking.py")
    path.write_text(
        "import logging\nfrom taxietl import flow, get_run_logger, task\n\n"
        "@task\ndef add() -> None:\n    logging.getLogger('lib').warning('odd')\n\n"
        "@flow(run_name='below')\ndef below() -> None:\n    add()\n\n"
        "@flow(run_name='above')\ndef above() -> None:\n"
        "    get_run_logger().info('hi')\n    below()\n"
    )
    taxietl("run", f"{path}:above", "-q")

    lines = taxietl("runs", "logs", "above").out.splitlines()

    assert [line.split(" | ")[2] for line in lines] == [
        "taxietl.engine - Created flow run 'above' for flow 'above'",
        "Flow run 'above' - hi",
        "Flow run 'above' - Created subflow run 'below' for flow 'below'",
        "Flow run 'below' - Created task run 'add-0' for task 'add'",
        "Flow run 'below' - Executing 'add-0' immediately...",
        "lib - odd",
        "Task run 'add-0' - Finished in state Completed()",
        "Flow run 'below' - Finished in state Completed('All states completed.')",
        "Flow run 'above' - Finished in state Completed('All states completed.')",
    ]


@pytest.mark.parametrize("code", [0, 3])
def test_a_flow_that_ends_the_process_is_code_1_whatever_it_gave(
    taxietl: Taxietl, flows: Path, code: int
) -> None:
    done = taxietl("run", f"{flows}:leave", "-p", f"code={code}", "--json")

    check_refused(done, 1, f"SystemExit: {code}", "raise an error")
    assert done.document["exit_code"] == 1
    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert run["state"] == "Crashed"


def test_an_error_without_a_text_is_told_by_its_class(taxietl: Taxietl, flows: Path) -> None:
    check_refused(taxietl("run", f"{flows}:speechless", "-q"), 1, "error: AssertionErrorhint: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["etl", "-p", "n=many"], ["'n'"], id="wrong type"),
        pytest.param(["etl"], ["'n'"], id="missing"),
        pytest.param(["etl", "-p", "m=1"], ["'m'", "n"], id="unknown parameter"),
        pytest.param(["etl", "-p", "n"], ["name=value"], id="no value"),
        pytest.param(["elt", "-p", "n=1"], ["Did you mean 'etl'"], id="mistyped flow"),
    ],
)
def test_a_wrong_call_starts_nothing(
    taxietl: Taxietl, flows: Path, arguments: list[str], words: list[str]
) -> None:
    name, *options = arguments

    done = taxietl("run", f"{flows}:{name}", *options)

    check_refused(done, 2, *words)
    assert taxietl("runs", "ls", "--json").document == {"runs": []}


def test_a_file_that_is_not_there_is_refused(taxietl: Taxietl) -> None:
    check_refused(taxietl("run", "nowhere.py:etl"), 2, "nowhere.py")
    check_refused(taxietl("run", "no.such.module:etl"), 2, "no")


def test_an_unknown_run_or_state_is_refused_with_what_is_known(
    taxietl: Taxietl, flows: Path
) -> None:
    name = taxietl("run", f"{flows}:etl", "-p", "n=1", "--json").document["run"]["name"]

    check_refused(taxietl("runs", "show", "nobody"), 2, "nobody", name)
    check_refused(taxietl("runs", "ls", "--state", "Complete"), 2, "Did you mean 'Completed'")


def test_a_script_that_calls_its_flow_lands_in_the_same_history(
    taxietl: Taxietl, home: Path, flows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_HOME", str(home))

    done = subprocess.run([sys.executable, str(flows)], check=True, capture_output=True, text=True)

    assert done.stdout == "8\n"
    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert (run["flow"], run["state"]) == ("etl", "Completed")


RESUMED = """
import os
from pathlib import Path
from taxietl import Cache, flow, task

@task(cache=Cache(), version="1")
def extract(month: int) -> Path:
    with Path("calls").open("a") as calls:
        calls.write(f"extract {month}\\n")
    path = Path(f"{month}.txt").resolve()
    path.write_text("trip\\n" * month)
    return path

@task
def transform(path: Path):
    yield from path.read_text().splitlines()

@task
def load(trips, month: int) -> int:
    rows = len(list(trips))
    with Path("calls").open("a") as calls:
        calls.write(f"load {month}\\n")
    if Path("kill").exists() and month == 2:
        os.kill(os.getpid(), 9)
    return rows

@flow(run_name="month-{month}")
def ingest(month: int) -> int:
    return load(transform(extract(month)), month)

@flow(run_name="months")
def ingest_months(months: list[int]) -> int:
    return sum(ingest(month) for month in months)
"""


def test_a_killed_run_is_resumed_where_it_stopped(
    taxietl: Taxietl, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "elsewhere"
    work.mkdir()
    (work / "flows_of_months.py").write_text(RESUMED)
    (work / "kill").touch()
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "run"]
    arguments = ["flows_of_months.py:ingest_months", "-p", "months=[1, 2, 3]"]
    killed = subprocess.run([*command, *arguments], cwd=work, check=False, capture_output=True)
    assert killed.returncode == -9
    assert (work / "calls").read_text().splitlines() == [
        "extract 1", "load 1", "extract 2", "load 2",
    ]  # fmt: skip
    (work / "kill").unlink()
    (work / "calls").unlink()

    done = taxietl("runs", "resume", "months", "--json")

    assert (done.code, done.document["result"]) == (0, 6)
    assert (work / "calls").read_text().splitlines() == ["load 2", "extract 3", "load 3"]
    check(done.document, "resume")
    assert done.document["resumed_from"] == "months"
    assert done.document["reused"] == 2
    tree = taxietl("runs", "show", "months-2", "--json").document
    check(tree, "run_tree")
    assert tree["resumed_from"] == "months"
    assert [each["state"] for each in tree["task_runs"]] == ["Cached", "Completed", "Completed"]
    assert taxietl("runs", "show", "months", "--json").document["name"] == "months-2"
    ids = {run["name"]: run["id"] for run in taxietl("runs", "ls", "--json").document["runs"]}
    old = taxietl("runs", "show", ids["months"])
    assert old.out.startswith("months  Crashed  flow '")
    assert ", resumed by months-2, Its process" in old.out.splitlines()[0]
    again = taxietl("runs", "resume", "months", "--json")
    check(again.document, "resume")
    assert (again.code, again.document["action"]) == (0, "nothing to do")
    assert again.document["run"]["name"] == "months-2"
    check_refused(taxietl("runs", "resume", "month-1"), 2, "is a child run of 'months'")
    monkeypatch.chdir(work)

    second = taxietl("run", "flows_of_months.py:ingest_months", "-p", "months=[1, 2, 3]", "--json")

    assert second.document["result"] == 6
    for each in ("month-1-2", "month-2-3", "month-3-2"):
        tasks = taxietl("runs", "show", each, "--json").document["task_runs"]
        assert {task["task"]: task["state"] for task in tasks} == {
            "extract": "Cached", "load": "Completed", "transform": "Completed",
        }  # fmt: skip


def test_a_flow_that_changed_is_resumed_with_a_warning(
    taxietl: Taxietl, flows: Path, tmp_path: Path
) -> None:
    name = taxietl("run", f"{flows}:broken").err.split("Created flow run '")[1].split("'")[0]
    flows.write_text(FLOWS.replace('raise ValueError("as planned")', "return None"))

    done = taxietl("runs", "resume", name)

    assert done.code == 0
    assert f"{flows} has changed since run '{name}' began" in done.err
    flows.unlink()
    failed = taxietl("runs", "resume", taxietl("runs", "ls", "--json").document["runs"][0]["name"])
    assert failed.code == 0  # it completed: nothing to do, file or not


def test_a_run_in_progress_is_not_resumed(taxietl: Taxietl, home: Path) -> None:
    with Engine(home) as engine:

        @flow(run_name="busy")
        def busy() -> int:
            refused = taxietl("runs", "resume", "busy")
            check_refused(refused, 75, "'busy' is still running", "runs cancel busy")
            return 1

        assert engine.run(busy).result() == 1


def test_a_run_is_cancelled_from_another_shell(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "long.py"
    path.write_text(
        "import time\nfrom taxietl import flow, task\n\n"
        "@task\ndef sleep() -> None:\n    while True:\n        time.sleep(0.01)\n\n"
        "@flow(run_name='long')\ndef long() -> None:\n    sleep()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", str(home), "run", str(path)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "Executing 'sleep-0'" not in process.stderr.readline():
            pass

        done = taxietl("runs", "cancel", "long", "--json")

        assert "Cancelled by " in process.communicate()[1]
    assert process.returncode == 143
    check(done.document, "cancel")
    assert (done.code, done.document["action"]) == (0, "cancelled")
    again = taxietl("runs", "cancel", "long")
    assert again.code == 0
    assert again.out.startswith("long  Cancelled before: nothing to do: Cancelled by ")
    check_refused(taxietl("runs", "cancel", "lung"), 2, "Did you mean 'long'")


def test_old_runs_are_pruned(taxietl: Taxietl, flows: Path) -> None:
    for _ in range(3):
        taxietl("run", f"{flows}:etl", "-p", "n=1", "-q")

    counted = taxietl("runs", "prune", "--keep", "1", "--dry-run", "--json")
    by_age = taxietl("runs", "prune", "--json").document
    pruned = taxietl("runs", "prune", "--older-than", "0h", "--keep", "1")

    check(counted.document, "prune")
    assert (counted.document["runs"], counted.document["dry_run"]) == (2, True)
    assert by_age["runs"] == 0
    assert pruned.out.startswith("2 runs, 2 with their child runs, 2 task runs and ")
    assert len(taxietl("runs", "ls", "--json").document["runs"]) == 1
    check_refused(taxietl("runs", "prune", "--older-than", "old"), 2, "12h, 90d, 4w")


@pytest.mark.parametrize(("stars", "code"), [("*", 0), ("fail", 1)])
def test_under_json_stdout_is_the_document_whatever_a_flow_prints(
    home: Path, flows: Path, stars: str, code: int
) -> None:
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "run", f"{flows}:loud"]
    arguments = ["-p", f"stars={stars}", "--json"]

    done = subprocess.run([*command, *arguments], check=False, capture_output=True, text=True)

    assert done.returncode == code
    document = json.loads(done.stdout)
    assert document.get("result", document.get("exit_code")) == 1
    for each in ("printed", "by the system", "by a program", "at exit"):
        assert each in done.stderr


def test_a_keyboard_interrupt_of_a_flow_is_130_and_cancelled(taxietl: Taxietl, flows: Path) -> None:
    assert taxietl("run", f"{flows}:stop").code == 130

    tree = taxietl("runs", "show", "stopped", "--json").document
    assert (tree["state"], tree["message"]) == ("Cancelled", "Interrupted.")
    assert [each["state"] for each in tree["task_runs"]] == ["Cancelled"]


def test_what_somebody_edited_in_the_history_is_shown_as_it_is(
    taxietl: Taxietl, flows: Path, home: Path
) -> None:
    assert taxietl("run", f"{flows}:etl", "-p", "n=1").code == 0
    with closing(sqlite3.connect(home / "history.db")) as connection, connection:
        connection.executescript(
            "UPDATE runs SET state = 'Paused', state_type = 'FAILED', parameters = '{n',"
            " created_at = 'today', started_at = 'today', message = 'two\nlines';"
            "UPDATE task_runs SET state = 'Paused', state_type = 'ODD', counts = '?', tags = '-',"
            " attempts = 'two', started_at = '2021-01-01';"
            "UPDATE states SET name = 'Paused', type = 'ODD', at = '';"
            "UPDATE logs SET at = 'then', run_id = run_id"
        )

    listed = taxietl("runs", "ls")
    (row,) = listed.out.splitlines()[1:]
    assert "Paused" in row
    assert "two lines" in row
    (run,) = taxietl("runs", "ls", "--json").document["runs"]
    assert (run["state"], run["parameters"]) == ("Paused", {"unreadable": "{n"})
    tree = taxietl("runs", "show", run["name"], "--json")
    assert tree.code == 0
    assert [each["name"] for each in tree.document["states"]] == ["Paused"] * 3
    assert taxietl("runs", "show", run["name"]).code == 0
    assert taxietl("runs", "logs", run["name"]).code == 0
    assert "Paused before: nothing to do" in taxietl("runs", "cancel", run["name"]).out
    assert taxietl("runs", "resume", run["name"]).code == 0


def test_an_isolated_task_of_a_file_is_found_and_its_prints_are_no_result(
    taxietl: Taxietl, flows: Path
) -> None:
    done = taxietl("run", f"{flows}:apart", "--json")

    assert (done.code, done.document["result"]) == (0, 2)
    assert "Task run 'move-0' - moving Point(x=1)" in done.err


def test_a_killed_waiter_is_crashed_and_shown_with_its_next_attempts_time(
    taxietl: Taxietl, flows: Path, home: Path
) -> None:
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "run", f"{flows}:wait"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        while "will attempt to run again" not in process.stderr.readline():
            assert process.poll() is None
        process.kill()

    shown = taxietl("runs", "show", "waiter", "--json").document
    (task_run,) = shown["task_runs"]
    waiting = task_run["states"][-2]
    due = datetime.fromisoformat(task_run["next_attempt_at"])
    assert (shown["state"], task_run["state"]) == ("Crashed", "Crashed")
    assert (waiting["name"], waiting["scheduled_for"]) == ("AwaitingRetry", due.isoformat())
    assert due - datetime.fromisoformat(waiting["at"]) == timedelta(hours=1)
    text = taxietl("runs", "show", "waiter").out
    assert f"next attempt was due {due.astimezone():%Y-%m-%d %H:%M:%S}" in text


LIMITED = """
from taxietl import flow, task

@task(tags={"tlc"})
def fetch() -> None: ...

@flow
def etl() -> None:
    fetch()

if __name__ == "__main__":
    etl()
"""


def test_a_script_obeys_the_configuration_as_the_command_does(
    taxietl: Taxietl, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("limited.py").write_text(LIMITED)
    Path("taxietl.toml").write_text("[limits]\ntlc = 0\n")
    monkeypatch.setenv("TAXIETL_HOME", str(home))

    command = taxietl("run", "limited.py", "-q")
    script = subprocess.run([sys.executable, "limited.py"], check=False, capture_output=True)

    check_refused(command, 2, "tlc")
    assert script.returncode == 1
    first, second = taxietl("runs", "ls", "--json").document["runs"]
    assert first["message"] == second["message"]
    assert "tlc" in first["message"]


@pytest.mark.parametrize("target", ["broken_flows.py:etl", "broken_flows:etl"])
def test_a_file_with_a_fault_is_code_1_and_debug_shows_where(taxietl: Taxietl, target: str) -> None:
    Path("broken_flows.py").write_text('from taxietl import flow\n\nraise ValueError("planned")\n')

    done = taxietl("run", target)
    debugged = taxietl("run", target, "--debug")

    check_refused(done, 1, "broken_flows", "line 3: ValueError: planned", "--debug")
    assert 'raise ValueError("planned")' in debugged.err
    assert "Traceback" in debugged.err
