"""Overview and list of runs: what they show, and where they lead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from web import Browser

from taxietl.orchestrator import Engine, attach_event, flow
from taxietl.ui.pages.runs import PER_PAGE


@flow(name="Load", run_name="{name}")
def load(name: str) -> None:
    if name.startswith("bad"):
        raise ValueError("no such month")


def shown(page: str) -> list[str]:
    """The names of the runs in the table, in its order."""
    return re.findall(r'<th scope="row"[^>]*><a href="/runs/[0-9a-f]{32}">([^<]*)</a>', page)


def test_where_nothing_has_run_pages_say_what_to_type(browser: Browser) -> None:
    for path in ("/", "/runs"):
        assert "taxietl ingest --color yellow --year 2021 --month 1" in browser.get(path).text


def test_the_overview_shows_the_last_runs_and_what_failed(browser: Browser, engine: Engine) -> None:
    for name in ("good", "bad", "better"):
        engine.run(load, name)

    page = browser.get("/").text

    assert "The last 3 runs" in page
    assert re.findall(r'aria-label="(\w+), (\w+), [\d.]+ s"', page) == [
        *(("good", "Completed"), ("bad", "Failed"), ("better", "Completed")),
    ]
    assert "ValueError: no such month" in page.split('id="h-failed"')[1]
    assert re.search(r'href="/runs\?state=Failed".*?<strong>1</strong>', page)


def test_pages_of_runs_lead_to_one_another(browser: Browser, engine: Engine) -> None:
    for number in range(PER_PAGE + 2):
        engine.run(load, f"run{number}")

    first = browser.get("/runs").text
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = browser.get(older.replace("&amp;", "&")).text
    (newer,) = re.findall(r'rel="prev" href="([^"]+)"', second)

    assert shown(first) == [f"run{number}" for number in range(PER_PAGE + 1, 1, -1)]
    assert shown(second) == ["run1", "run0"]
    assert shown(browser.get(newer.replace("&amp;", "&")).text) == shown(first)
    assert 'rel="prev"' not in first
    assert 'rel="next"' not in second


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=failed", ["bad-2021-02"]),
        ("color=yellow", ["drop-yellow-2021-02", "yellow-2021-02", "yellow-2020-12"]),
        ("color=yellow&month=2021", ["drop-yellow-2021-02", "yellow-2021-02"]),
        ("month=2021-02", ["drop-yellow-2021-02", "green-2021-02", "yellow-2021-02"]),
        ("flow=Nobody", []),
        ("text=GREEN", ["green-2021-02"]),
        ("text=no+such", ["bad-2021-02"]),
        ("until=2020-01-01", []),
        ("since=2020-01-01&text=bad&state=Failed&flow=Load&top=1", ["bad-2021-02"]),
    ],
)
def test_runs_are_filtered(browser: Browser, engine: Engine, query: str, names: list[str]) -> None:
    for name in (
        *("yellow-2020-12", "yellow-2021-02", "green-2021-02"),
        *("bad-2021-02", "drop-yellow-2021-02"),
    ):
        engine.run(load, name)

    page = browser.get(f"/runs?{query}").text

    assert shown(page) == names
    assert names or "No run is like that" in page


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("state=Bored", "There is no state"),
        ("color=purple", "There is no colour"),
        ("month=2021-13", "is no month"),
        ("since=yesterday", "is no day"),
        ("until=9999-12-31", "is no day"),
    ],
)
def test_what_means_nothing_is_refused_in_words(browser: Browser, query: str, says: str) -> None:
    answer = browser.get(f"/runs?{query}")

    assert answer.status_code == 400
    assert says in answer.text


def test_a_page_that_is_not_there_says_so(browser: Browser) -> None:
    answer = browser.get("/no/such/page")

    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_every_place_in_the_navigation_is_there(browser: Browser) -> None:
    places = re.findall(r'<li><a href="(/[^"]*)"', browser.get("/").text.split("</nav>")[0])

    assert places
    assert {browser.get(path).status_code for path in places} == {200}


def test_a_dead_run_is_shown_as_crashed(browser: Browser, engine: Engine, home: Path) -> None:
    done = engine.run(load, "good")
    with engine.history.database.transaction() as connection:
        connection.execute(
            "UPDATE runs SET state = 'Running', state_type = 'RUNNING', ended_at = NULL"
        )

    page = browser.get(f"/runs/{done.id}").text

    assert "Crashed" in page
    assert "is gone; last heard of at" in page


def test_the_overview_tells_what_happened_and_whether_anybody_is_told(
    browser: Browser, engine: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @flow(run_name="shrinks")
    def shrinks() -> None:
        attach_event("shrunk", "green-2021-03 <b>lost</b> 90 rows")

    run = engine.run(shrinks)
    nobody = browser.get("/").text
    monkeypatch.setenv("TAXIETL_CONFIG", str(home.parent / "taxietl.toml"))
    (home.parent / "taxietl.toml").write_text(
        '[[alerts]]\non = ["failed"]\nurl = { env = "ALERT_URL" }\n'
    )
    somebody = browser.get("/").text

    assert f'<span class="event">shrunk</span> <a href="/runs/{run.id}">shrinks</a>' in nobody
    assert "&lt;b&gt;lost&lt;/b&gt; 90 rows" in nobody
    assert "taxietl alerts test" in nobody
    assert "Alerts go to 1 address." in somebody
