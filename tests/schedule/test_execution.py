from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxietl.errors import ConfigError, TryLaterError
from taxietl.schedule import outcomes
from taxietl.schedule.definition import Schedule, Starter, save
from taxietl.schedule.execution import (
    execute,
    last_outcome,
    lock_file,
    output_file,
    report_failure,
)
from taxietl.schedule.outcomes import Outcome, Result

Make = Callable[..., Schedule]

AT = datetime(2027, 1, 2, 5, 17, tzinfo=UTC)
COMMAND = """
import os, signal, sys, time
what, *rest = sys.argv[3:]  # after --home HOME
if what == "exit":
    sys.exit(int(rest[0]))
if what == "kill":
    os.kill(os.getpid(), int(rest[0]))
if what == "say":
    print("\\n".join(f"line {each}" for each in range(int(rest[0]))))
    sys.exit(int(rest[1]))
if what == "wait":
    signal.signal(signal.SIGTERM, lambda *_: (print("told to stop", flush=True), sys.exit(143)))
    print("waiting", flush=True)
    while not os.path.exists("go"):
        time.sleep(0.01)
"""


@pytest.fixture
def command(make: Make, tmp_path: Path) -> Make:
    """Makes a schedule whose command does what its words say: `exit 3`, `wait`."""
    script = tmp_path / "command.py"
    script.write_text(COMMAND)

    def command(*words: str, **values: object) -> Schedule:
        schedule = make(*words, program=(sys.executable, str(script)), **values)
        save(schedule)
        return schedule

    return command


@pytest.mark.parametrize(
    ("words", "code", "result"),
    [
        (["exit", "0"], 0, Result.DONE),
        (["exit", "75"], 75, Result.TRY_LATER),
        (["exit", "3"], 3, Result.FAILED),
        (["exit", "143"], 143, Result.INTERRUPTED),
        (["kill", "9"], 137, Result.FAILED),
    ],
    ids=["0", "75", "3", "143", "kill -9"],
)
def test_the_exit_code_is_passed_on_and_kept(
    command: Make,
    caplog: pytest.LogCaptureFixture,
    words: list[str],
    code: int,
    result: Result,
) -> None:
    schedule = command(*words)

    done = execute(schedule, now=lambda: AT)

    assert (done.exit_code, done.result) == (code, result)
    assert last_outcome(schedule.home, "nightly") == done
    assert done.succeeded_at == (AT if code == 0 else None)
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(told) == (result is Result.FAILED)
    assert all(f"failed with exit code {code}" in each for each in told)


def test_try_later_three_times_in_a_row_is_a_failure(
    command: Make, caplog: pytest.LogCaptureFixture
) -> None:
    later = command("exit", "75")
    for _ in range(3):
        assert caplog.records == []
        execute(later, now=lambda: AT)

    (told,) = caplog.records
    assert "try later, 3 times in a row" in told.getMessage()
    execute(later, now=lambda: AT)
    assert len(caplog.records) == 1
    assert execute(command("exit", "0"), now=lambda: AT).late_in_a_row == 0


def test_the_last_success_is_remembered_through_failures(command: Make) -> None:
    execute(command("exit", "0"), now=lambda: AT)

    done = execute(command("exit", "1"))

    assert done.succeeded_at == AT


def test_two_never_overlap_also_when_the_first_was_killed(
    command: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = command("wait")
    first = subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", schedule.home, "schedule", "exec", "nightly"],
        stdout=subprocess.PIPE,
    )
    assert first.stdout
    assert first.stdout.readline() == b"waiting\n"
    with pytest.raises(TryLaterError, match=rf"is running since .*, process {first.pid}\."):
        execute(schedule)
    first.kill()
    first.wait()
    # Its command lives on, and holds the lock.
    with pytest.raises(TryLaterError):
        execute(schedule)
    assert report_failure(schedule, {}) is None

    (tmp_path / "go").touch()
    first.stdout.read()  # until the command has ended
    assert last_outcome(schedule.home, "nightly").result is Result.CRASHED  # type: ignore[union-attr]
    caplog.clear()
    done = execute(schedule)

    assert done.result is Result.DONE
    (told,) = caplog.records
    assert told.getMessage().endswith("crashed")
    first.stdout.close()


def test_sigterm_is_passed_on_and_the_end_awaited(command: Make) -> None:
    schedule = command("wait")
    run = subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", schedule.home, "schedule", "exec", "nightly"],
        stdout=subprocess.PIPE,
    )
    assert run.stdout
    assert run.stdout.readline() == b"waiting\n"

    run.send_signal(signal.SIGTERM)

    assert run.stdout.read() == b"told to stop\n"
    assert run.wait() == 143
    last = last_outcome(schedule.home, "nightly")
    assert last
    assert (last.result, last.exit_code) == (Result.INTERRUPTED, 143)
    run.stdout.close()


def test_a_folder_that_is_gone_is_a_failure(
    command: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = command("exit", "0", folder=tmp_path / "gone")

    with pytest.raises(ConfigError, match="gone: No such file") as refused:
        execute(schedule)

    assert "schedule add nightly --force" in refused.value.hint
    assert last_outcome(schedule.home, "nightly").exit_code == 2  # type: ignore[union-attr]
    assert len(caplog.records) == 1


def test_what_a_failed_run_printed_is_left_for_cron_to_mail(
    command: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    execute(command("say", "150", "0", starter=Starter.CRON))
    assert capfd.readouterr() == ("", "")

    schedule = command("say", "150", "5", starter=Starter.CRON)
    execute(schedule)

    mailed = capfd.readouterr().err.splitlines()
    assert mailed[:2] == ["line 50", "line 51"]
    assert len(mailed) == 100
    assert len(output_file(schedule.home, "nightly").read_text().splitlines()) == 150


def test_a_unit_that_was_killed_is_told_once(
    command: Make, caplog: pytest.LogCaptureFixture
) -> None:
    schedule = command("exit", "0")
    killed = Outcome(Result.RUNNING, AT, pid=1, succeeded_at=AT, invocation="a1")
    outcomes.write(schedule.home, "nightly", killed)
    told_by_systemd = {"MONITOR_INVOCATION_ID": "a1", "MONITOR_EXIT_STATUS": "KILL"}

    for _ in range(2):
        last = report_failure(schedule, told_by_systemd)

    assert last == replace(killed, result=Result.CRASHED)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("status", "code"), [("203", 203), ("KILL", 1), ("", 1)])
def test_a_unit_that_did_not_even_start_is_told(
    command: Make, caplog: pytest.LogCaptureFixture, status: str, code: int
) -> None:
    schedule = command("exit", "0")
    execute(schedule, now=lambda: AT)
    environment = {"MONITOR_INVOCATION_ID": "a2", "MONITOR_EXIT_STATUS": status}

    for _ in range(2):
        last = report_failure(schedule, environment)

    assert last
    assert (last.result, last.exit_code, last.succeeded_at) == (Result.FAILED, code, AT)
    assert len(caplog.records) == 1


def test_a_run_that_failed_by_itself_is_not_told_again(
    command: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOCATION_ID", "a3")
    schedule = command("exit", "4")
    execute(schedule)

    report_failure(schedule, {"MONITOR_INVOCATION_ID": "a3", "MONITOR_EXIT_STATUS": "4"})

    assert len(caplog.records) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"result": "odd"}', '{"started_at": 1}'])
def test_an_outcome_that_cannot_be_read_is_none(command: Make, text: str) -> None:
    schedule = command("exit", "0")
    outcomes.outcome_file(schedule.home, "nightly").write_text(text)

    assert last_outcome(schedule.home, "nightly") is None
    assert execute(schedule).result is Result.DONE


def test_only_the_user_reads_what_is_kept(command: Make) -> None:
    schedule = command("exit", "0")
    execute(schedule)

    kept = sorted(lock_file(schedule.home, "nightly").parent.iterdir())
    assert [each.name for each in kept] == ["nightly.json", "nightly.last.json"]
    assert {each.stat().st_mode & 0o777 for each in kept} == {0o600}
    assert json.loads(kept[0].read_text())["command"] == ["exit", "0"]
    assert os.getpid() == json.loads(kept[1].read_text())["pid"]
