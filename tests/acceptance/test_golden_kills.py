"""`kill -9` at every commit of every scenario: what is left is sound, and is brought to its end.

A process acts out a scenario of `golden_flows.py` and is killed at one of its commits, whether to
the history or to the queue for slots. The next one to open the history ends what was open, and
resuming comes to the same end as if nothing had been, with nothing done twice that was complete.
"""

from __future__ import annotations

import itertools
import json
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commit_trace import dumped
from golden_flows import SCENARIOS
from golden_process import Processes

from taxietl.orchestrator import History

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")

KILLED = [name for name, scenario in SCENARIOS.items() if scenario.kills]
EVERY = {
    **dict.fromkeys(("subflows", "submitted", "limited", "cancelled"), 2),
    **dict.fromkeys(("cached", "resumed", "isolated", "died"), 3),
}
"""Of the long ones, and of those that start processes, each so manyth commit has to do."""
ALIKE = 4
"""So many commits come before the first of a scenario's own; one scenario stands for all there."""
READERS = {"add", "first_of", "add_again"}
"""They read a stream, so they run again, whether they had completed or not."""

FINAL = {"Completed", "Cached", "Failed", "TimedOut", "Cancelled", "Crashed", "NotReady"}


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with Processes() as processes:
        yield processes


class Home:
    """One history, looked at from outside."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder, self.home = folder, folder / "home"

    def calls(self) -> list[str]:
        """All calls of functions so far."""
        path = self.folder / "calls.txt"
        return path.read_text().splitlines() if path.exists() else []

    def check(self) -> None:
        """Once it was opened, nothing in it is open, and all that it says of a run agrees."""
        with History.opened(self.home):
            pass
        assert not list((self.home / "runs").iterdir())
        with closing(sqlite3.connect(self.home / "history.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        runs = self._rows("SELECT * FROM runs")
        tasks = self._rows("SELECT * FROM task_runs")
        run_ids, task_ids = {each["id"] for each in runs}, {each["id"] for each in tasks}
        assert {each["run_id"] for each in tasks} <= run_ids
        assert {each["child_run_id"] for each in tasks} - {None} <= run_ids
        assert {each["parent_task_run_id"] for each in runs} - {None} <= task_ids
        retries = "SELECT run_id FROM states WHERE task_run_id IS NULL AND name = 'Retrying'"
        tried_again = {each["run_id"] for each in self._rows(retries)}
        for run in runs:
            self._agrees(run, "run_id = ? AND task_run_id IS NULL", may_reopen=False)
        for task in tasks:
            may_reopen = task["kind"] == "stream" or task["run_id"] in tried_again
            states = self._agrees(task, "task_run_id = ?", may_reopen=may_reopen)
            attempts = sum(each["name"] in ("Running", "Retrying") for each in states)
            assert task["attempts"] == attempts, dict(task)
            if task["state_type"] == "COMPLETED":
                assert task["stored"] in ("stored", "not stored"), dict(task)

    def _agrees(self, row: sqlite3.Row, of_it: str, *, may_reopen: bool) -> list[sqlite3.Row]:
        states = self._rows(f"SELECT * FROM states WHERE {of_it} ORDER BY rowid", row["id"])
        last = states[-1]
        said = (row["state"], row["state_type"], row["message"], row["state_at"])
        assert said == (last["name"], last["type"], last["message"], last["at"])
        assert last["name"] in FINAL
        # A stream that is read again begins anew, and so does a call of a flow that is retried.
        assert may_reopen or not [each for each in states[:-1] if each["name"] in FINAL]
        begun = [each["at"] for each in states if each["name"] not in ("Pending", "NotReady")]
        times = (row["created_at"], row["started_at"], row["ended_at"])
        assert times == (states[0]["at"], begun[0] if begun else None, last["at"])
        return states

    def complete(self) -> set[str]:
        """The calls that need not be made again: they completed, and gave what could be kept.

        A flow that a task calls is that task's affair, and begins anew with it.
        """
        rows = self._rows(
            "SELECT task, arguments FROM task_runs WHERE state_type = 'COMPLETED'"
            " AND kind = 'task' AND stored = 'stored' AND run_id NOT IN (SELECT runs.id FROM runs"
            " JOIN task_runs AS callers ON callers.id = runs.parent_task_run_id"
            " WHERE callers.kind = 'task')"
        )
        found = set()
        for row in rows:
            arguments = json.loads(row["arguments"])
            arguments.pop("folder", None)
            if row["task"] not in READERS:
                found.add(f"{row['task']} {dumped(arguments)}")
        return found

    def last_state(self) -> str:
        """Of the last run that was begun by itself."""
        query = "SELECT state FROM runs WHERE parent_id IS NULL ORDER BY rowid DESC LIMIT 1"
        return str(self._rows(query)[0]["state"])

    def _rows(self, query: str, *given: Any) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.home / "history.db")) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, given).fetchall()


def kill(processes: Processes, what: str, home: Home, scenario: str, **when: Any) -> bool:
    """Have a process do that until it is killed, and look at what is left; False if it was not."""
    told = processes.run(what, home.folder, scenario=scenario, **when)
    home.check()
    return bool(told["signal"] == signal.SIGKILL)


def resume(processes: Processes, home: Home, scenario: str, outcome: str) -> None:
    """Bring what was killed to its end, and see that it is the right one."""
    calls, complete = home.calls(), home.complete()
    told = processes.run("resumed", home.folder, scenario=scenario)
    home.check()
    assert not {*home.calls()[len(calls) :]} & complete
    assert told["outcome"] in (outcome, "nothing to do")
    if told["outcome"] == "nothing to do":
        assert home.last_state() == "Completed"
    if scenario == "limited":
        assert processes.run("after", home.folder, scenario=scenario)["outcome"] == "Completed() 9"


@pytest.mark.parametrize("scenario", KILLED)
def test_a_run_killed_after_any_commit_is_found_crashed_and_goes_on(
    scenario: str, processes: Processes, tmp_path: Path
) -> None:
    undisturbed = processes.run("trace", Home(tmp_path / "0").folder, scenario=scenario)

    first = 1 if scenario == "plain" else 1 + ALIKE
    for commit in range(first, undisturbed["commits"] + 1, EVERY.get(scenario, 1)):
        home = Home(tmp_path / str(commit))
        assert kill(processes, "killed", home, scenario, commit=commit, before=False)
        resume(processes, home, scenario, undisturbed["outcome"])


@pytest.mark.torture
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_runs_killed_at_every_commit_and_again_while_they_are_resumed_go_on(
    seed: int, processes: Processes, tmp_path: Path
) -> None:
    rng, began, kills = random.Random(seed), time.monotonic(), 0
    for scenario in KILLED:
        undisturbed = processes.run("trace", Home(tmp_path / scenario).folder, scenario=scenario)
        commits = undisturbed["commits"]
        for commit, before in itertools.product(range(1, commits + 1), (True, False)):
            home = Home(tmp_path / f"{scenario}-{commit}-{before}")
            assert kill(processes, "killed", home, scenario, commit=commit, before=before)
            calls, complete = home.calls(), home.complete()
            second = {"commit": rng.randint(1, commits), "before": rng.random() < 0.5}
            kills += 1 + kill(processes, "resumed", home, scenario, **second)
            assert not {*home.calls()[len(calls) :]} & complete
            resume(processes, home, scenario, undisturbed["outcome"])
    seconds = time.monotonic() - began
    print(f"seed {seed}: {len(KILLED)} scenarios, {kills} kills, {seconds:.0f} s")
