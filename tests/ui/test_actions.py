"""What the buttons of a run do, and that nothing else can press them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from web import Browser

from taxietl.orchestrator import Engine, History, current_cancellation, flow, task
from taxietl.orchestrator.define.entry import load_flow
from taxietl.orchestrator.store.rows import RunRow
from taxietl.ui.actions import ACTIONS

FLOWS = """
from pathlib import Path

from taxietl import flow, task


@task
def count(number: int) -> int:
    with Path("calls").open("a") as calls:
        calls.write(f"{number} ")
    if number == 2 and not Path("published-2").exists():
        raise FileNotFoundError("month 2 is not published")
    return number


@flow(run_name="months")
def months(numbers: list[int]) -> int:
    return sum(count(number) for number in numbers)
"""


@task
def wait(event: threading.Event) -> None:
    while not event.wait(0.02):
        current_cancellation().check()


@flow(run_name="waiting")
def waiting(event: threading.Event) -> None:
    wait(event)


@pytest.fixture
def failed(engine: Engine) -> str:
    """The id of a run that failed, of a flow in a file of the working directory."""
    Path("flows.py").write_text(FLOWS)
    return engine.run(load_flow("flows.py:months"), [1, 2, 3]).id


def press(browser: Browser, run_id: str, button: str) -> str:
    """Press a button of a run's page; gives where it led."""
    action = f"/runs/{run_id}/{button}"
    answer = browser.post(action, data=browser.form(browser.get(f"/runs/{run_id}"), action))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def ended(history: History, path: str) -> RunRow:
    """The run of that page, once it has ended."""
    return until(lambda: history.run(path.rpartition("/")[2]), lambda run: run.state.is_final())


def until(look: Callable[[], RunRow], is_right: Callable[[RunRow], bool]) -> RunRow:
    deadline = time.monotonic() + 20
    while not is_right(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_resume_starts_a_run_that_reuses_what_had_completed(
    browser: Browser, engine: Engine, failed: str
) -> None:
    Path("published-2").touch()

    new = ended(engine.history, press(browser, failed, "resume"))

    assert (new.state.name, new.resumed_from) == ("Completed", failed)
    assert Path("calls").read_text().split() == ["1", "2", "2", "3"]
    assert "months-2" in browser.get(f"/runs/{failed}").text


def test_run_again_does_all_anew(browser: Browser, engine: Engine, failed: str) -> None:
    Path("published-2").touch()

    new = ended(engine.history, press(browser, failed, "rerun"))

    assert (new.state.name, new.resumed_from) == ("Completed", None)
    assert Path("calls").read_text().split() == ["1", "2", "1", "2", "3"]


def test_cancel_stops_the_run(browser: Browser, engine: Engine) -> None:
    may_end = threading.Event()
    runner = threading.Thread(target=lambda: engine.run(waiting, may_end), daemon=True)
    runner.start()
    run = until(lambda: engine.history.find("waiting"), lambda run: run and run.state.is_running())
    try:
        path = press(browser, run.id, "cancel")
    finally:
        may_end.set()
        runner.join()

    stopped = engine.history.run(run.id).state
    assert stopped.name == "Cancelled"
    assert "with the dashboard on" in stopped.message
    assert path == f"/runs/{run.id}"
    assert "Cancelled" in browser.get(path).text


def test_a_command_that_begins_no_run_says_why(
    browser: Browser, engine: Engine, failed: str
) -> None:
    token = browser.form(browser.get(f"/runs/{failed}"), f"/runs/{failed}/resume")
    Path("flows.py").unlink()

    answer = browser.post(f"/runs/{failed}/resume", data=token)

    assert answer.status_code == 400
    assert "flows.py" in answer.text


def test_a_run_has_the_buttons_that_mean_something(
    browser: Browser, engine: Engine, failed: str
) -> None:
    Path("published-2").touch()
    done = engine.resume(failed)
    assert done is not None

    def buttons(run_id: str) -> list[str]:
        page = browser.get(f"/runs/{run_id}").text
        return [each for each in ("cancel", "resume", "rerun") if f"{run_id}/{each}" in page]

    may_end = threading.Event()
    may_end.set()
    assert buttons(failed) == ["resume", "rerun"]
    assert buttons(done.id) == ["rerun"]
    assert buttons(engine.run(waiting, may_end).id) == []  # it is in no file


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("csrf", [None, "", "0" * 64], ids=["missing", "empty", "wrong"])
def test_a_form_that_is_not_ours_does_nothing(
    browser: Browser, engine: Engine, failed: str, path: str, csrf: str | None
) -> None:
    data = {} if csrf is None else {"csrf": csrf}

    answer = browser.post(path.replace("{id}", failed), data=data)

    assert answer.status_code == 403
    assert len(engine.history.runs()) == 1


@pytest.mark.parametrize("path", ACTIONS)
def test_what_changes_something_is_asked_for_by_a_form_alone(browser: Browser, path: str) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert browser.ask(method, path.replace("{id}", "x")).status_code in (404, 405)


def test_a_run_that_is_not_there_is_not_acted_on(browser: Browser, failed: str) -> None:
    token = browser.form(browser.get(f"/runs/{failed}"), f"/runs/{failed}/resume")

    for path in ACTIONS.keys() - {"/profiles/add"}:
        assert browser.post(path.replace("{id}", "nobody"), data=token).status_code == 404
