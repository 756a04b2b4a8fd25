"""The user's flows: found without being run, started by a form, and wrong values told there."""

from __future__ import annotations

import html
import os
import re
import time
from pathlib import Path

import pytest
from web import Browser

from taxietl.orchestrator import Engine, StateName
from taxietl.orchestrator.query.listing import ListedFlow, ListedParameter
from taxietl.ui.asking import Asker
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.flow_forms import Field, form_of, problems_of

FLOWS = '''
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, SecretStr, field_validator

from taxietl import flow

Path("loaded").touch()


class Range(BaseModel):
    low: int


@flow(run_name="adding")
def add(number: int, color: Literal["yellow", "green"] = "yellow", note: str = "", *more: int):
    """Add <b>numbers</b>."""
    Path("said").write_text(f"{number} {color} {note!r} {more}")
    return number + sum(more)


@flow
def between(low: Range):
    pass


@flow
def hidden(password: SecretStr):
    pass
'''


@pytest.fixture
def folder(dashboard: Dashboard) -> Path:
    """A folder with flows, and a file that cannot be read."""
    made = Path("own")
    made.mkdir()
    (made / "flows.py").write_text(FLOWS)
    (made / "broken.py").write_text("import taxietl\ndef <script>\n")
    dashboard.folders = (str(made),)
    return made


def sent(browser: Browser, flow: str, **values: str) -> dict[str, str]:
    """The fields of the form of a flow, with values."""
    token = browser.form(browser.get("/flows"), "/flows/run")["csrf"]
    return {"csrf": token, "flow": flow, **{f"p.{name}": each for name, each in values.items()}}


def test_flows_are_shown_with_a_field_each_parameter_and_not_run(
    browser: Browser, folder: Path
) -> None:
    page = browser.get("/flows").text

    assert "own/flows.py:add" in page
    assert "Add &lt;b&gt;numbers" in page
    names = re.findall(r'name="p\.(\w+)"', page)
    assert names == ["number", "color", "note", "more", "low"]
    assert "taxietl run own/flows.py:hidden --help" in page
    assert "broken.py" in page
    assert "<script>" not in page.replace("<script src=", "")
    assert not Path("loaded").exists()


def test_a_folder_that_takes_long_holds_up_no_page(
    browser: Browser, dashboard: Dashboard, folder: Path
) -> None:
    os.mkfifo(folder / "slow.py")  # whoever reads it waits for a writer
    dashboard.asker = Asker(patience=0.1)

    page = browser.get("/flows")

    (folder / "slow.py").write_text("")
    assert page.status_code == 200
    assert f"The folder {folder} has not answered within 0.1 s." in page.text


def test_run_starts_one_in_a_process_of_its_own(
    browser: Browser, folder: Path, engine: Engine
) -> None:
    form = sent(
        browser, "own/flows.py:add", number="3", color="green", note="it's -x=1", more="[4]"
    )

    answer = browser.post("/flows/run", data=form)

    assert answer.status_code == 303, answer.text
    run_id = answer.headers["location"].removeprefix("/runs/")
    deadline = time.monotonic() + 10
    while not engine.history.run(run_id).state.is_final() and time.monotonic() < deadline:
        time.sleep(0.02)
    run = engine.history.run(run_id)
    assert run.state.name is StateName.COMPLETED
    assert run.pid != os.getpid()
    assert Path("said").read_text() == '3 green "it\'s -x=1" (4,)'
    assert f'href="/runs/{run_id}"' in browser.get("/flows").text


@pytest.mark.parametrize(
    ("flow", "values", "field", "says"),
    [
        ("add", {"number": "<script>"}, "number", "It is a whole number."),
        ("add", {"number": ""}, "number", "It is required."),
        ("add", {"number": "1", "color": "red"}, "color", "It is one of yellow, green."),
        ("add", {"number": "1", "note": "\x00"}, "note", "no command line"),
        ("between", {"low": '{"low": "x"}'}, "low", "got a wrong value for 'low'"),
        ("add", {"number": "1", "more": '["x"]'}, "more", "wrong value for 'more'"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_the_rest_is_kept(
    browser: Browser, folder: Path, flow: str, values: dict[str, str], field: str, says: str
) -> None:
    answer = browser.post("/flows/run", data=sent(browser, f"own/flows.py:{flow}", **values))

    assert answer.status_code == 400
    assert answer.text.count('aria-invalid="true"') == 1
    told = answer.text.split(f'name="p.{field}"')[1].split("</div>")[0]
    assert says in html.unescape(told)
    assert "<script>" not in answer.text.replace("<script src=", "")
    assert not Path("said").exists()


def test_what_the_file_itself_says_is_told_above_the_form(browser: Browser, folder: Path) -> None:
    with (folder / "flows.py").open("a") as file:
        file.write("\nraise ValueError('not today')\n")

    answer = browser.post("/flows/run", data=sent(browser, "own/flows.py:add", number="1"))

    assert answer.status_code == 400
    assert "not today" in answer.text


@pytest.mark.parametrize(
    "flow", ["own/../../x.py:etl", "/etc/passwd:x", "taxietl.flows.ingest:x", ""]
)
def test_only_what_is_listed_can_be_run(browser: Browser, folder: Path, flow: str) -> None:
    assert browser.post("/flows/run", data=sent(browser, flow)).status_code == 404


def test_a_form_of_others_runs_nothing(browser: Browser, stranger: Browser, folder: Path) -> None:
    form = sent(browser, "own/flows.py:add", number="1")

    assert browser.post("/flows/run", data=form | {"csrf": "wrong"}).status_code == 403
    assert stranger.post("/flows/run", data=form).status_code == 401
    assert not Path("loaded").exists()


def test_where_nothing_is_it_says_what_to_type(browser: Browser, dashboard: Dashboard) -> None:
    assert "taxietl ui --flows DIR" in browser.get("/flows").text
    Path("empty").mkdir()
    dashboard.folders = ("empty", "gone")
    page = browser.get("/flows").text
    assert "There are no flows" in page
    assert "gone" in page


@pytest.mark.parametrize(
    ("hint", "kind", "wrong"),
    [
        ("int", "number", "1.5"),
        ("'int | None'", "number", "x"),
        ("Optional[float]", "text", "x"),
        ("Annotated[datetime.date, 'when']", "date", "2021-13-01"),
        ("bool", "choice", "yes"),
        ("Literal['a', 2]", "choice", "b"),
        ("list[int]", "text", ""),
        (None, "text", ""),
        ("SecretStr", "secret", ""),
    ],
)
def test_a_hint_makes_a_field(hint: str | None, kind: str, wrong: str) -> None:
    flow = ListedFlow("f", "f.py:f", "f.py", 1, "", (ListedParameter("x", hint, None, True),))
    (field,) = form_of(flow)

    assert isinstance(field, Field)
    assert field.kind == kind
    assert problems_of((field,), {"x": wrong}) or kind == "secret"
    if kind != "secret":
        assert problems_of((field,), {"x": ""}) == {"x": "It is required."}
