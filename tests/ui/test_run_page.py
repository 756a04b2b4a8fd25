"""A run's page: its tree, why it failed, its rows, and its log lines, filtered and linked to."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from web import Browser

from taxietl.errors import SourceError
from taxietl.orchestrator import (
    Engine,
    Retry,
    Run,
    attach_image,
    attach_link,
    attach_markdown,
    attach_table,
    flow,
    get_run_logger,
    report_progress,
    task,
)


@task(retry=Retry(on=OSError, attempts=2))
def fetch(number: int) -> int:
    get_run_logger().warning("fetching\nin two lines")
    if number == 2:
        raise OSError("connection reset")
    return number


@flow(run_name="child-{number}")
def child(number: int) -> int:
    return fetch(number)


@flow(run_name="parent")
def parent(numbers: list[int], note: str = "") -> None:
    for number in numbers:
        child(number)


@task
def load(rows: int) -> dict[str, object]:
    return {
        "load_id": f"load of {rows}",
        "action": "loaded",
        "rows_read": rows,
        "rows_loaded": rows - 3,
        "rows_dropped": {"drop-zero-passengers": 2},
        "rows_rejected": 1,
        "values_nulled": {"tip_amount": 7},
    }


@flow(run_name="yellow-2021-01")
def loads() -> None:
    load(100)
    load(300)


@flow(run_name="refused")
def refused() -> None:
    raise SourceError("there is no month 13", hint="Choose one from 1 to 12.")


@pytest.fixture
def run(engine: Engine) -> Run[None]:
    return engine.run(parent, [1, 2], note="a\nb")


def test_a_name_leads_to_the_latest_run_of_that_name(browser: Browser, engine: Engine) -> None:
    ids = [engine.run(parent, []).id for _ in range(2)]

    answer = browser.get("/runs/parent")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{ids[1]}")
    assert "parent-2" in browser.get(f"/runs/{ids[1]}").text
    assert browser.get(f"/runs/{ids[0]}").status_code == 200


def test_a_run_that_is_not_there_is_named_with_one_that_is(browser: Browser, run: Run) -> None:
    answer = browser.get("/runs/parrent")

    assert answer.status_code == 404
    assert "Did you mean &#39;parent&#39;?" in answer.text


def test_the_tree_is_on_a_time_line(browser: Browser, run: Run) -> None:
    page = browser.get(f"/runs/{run.id}").text

    tree = page.split('<ol class="tree">')[1].split("</ol>")[0]
    assert re.findall(r'<li class="d(\d)">.*?<span class="name">([^<]+)<', tree, re.S) == [
        *(("0", "parent"), ("1", "child-1"), ("2", "fetch-0")),
        *(("1", "child-2"), ("2", "fetch-0")),
    ]
    assert tree.count('<svg class="lane"') == 5
    assert "2 attempts" in tree
    assert "AwaitingRetry" in tree


def test_why_a_run_failed_is_told_first(browser: Browser, engine: Engine, run: Run) -> None:
    page = browser.get(f"/runs/{run.id}").text
    failed = page.split('id="h-why"')[1].split("</section>")[0]

    assert "OSError: connection reset" in failed
    assert "First in fetch-0." in failed


def test_a_hint_of_ours_is_told_with_the_error(browser: Browser, engine: Engine) -> None:
    page = browser.get(f"/runs/{engine.run(refused).id}").text

    assert "What to do:</strong> Choose one from 1 to 12." in page


def test_parameters_are_shown(browser: Browser, run: Run) -> None:
    page = browser.get(f"/runs/{run.id}").text.split('id="h-parameters"')[1]

    assert "[1, 2]" in page
    assert "<code>a\nb</code>" in page


def test_the_rows_of_loads_are_a_picture_with_figures(browser: Browser, engine: Engine) -> None:
    page = browser.get(f"/runs/{engine.run(loads).id}").text
    rows = page.split('id="h-rows"')[1].split("</section>")[0]

    assert "400 read in 2 loads" in rows
    found = re.findall(r'<strong class="number">([\d,]+)</strong> ([\w -]+?) <span', rows)
    assert found == [("394", "loaded"), ("4", "dropped by drop-zero-passengers"), ("2", "rejected")]
    assert "14 values made null in 1 columns" in rows


def numbers(page: str) -> list[int]:
    return [int(each) for each in re.findall(r'<li id="L(\d+)"', page)]


def test_log_lines_are_filtered_and_keep_their_numbers(browser: Browser, run: Run) -> None:
    every = browser.get(f"/runs/{run.id}").text
    warnings = browser.get(f"/runs/{run.id}?level=WARNING").text
    (call,) = set(re.findall(r'<option value="([0-9a-f]{16})">fetch-0', warnings)[:1])

    of_task = browser.get(f"/runs/{run.id}?task={call}").text

    assert numbers(every) == list(range(1, len(numbers(every)) + 1))
    assert set(numbers(warnings)) < set(numbers(every))
    assert "INFO</span>" not in warnings
    assert "ERROR</span>" in warnings
    assert 0 < len(numbers(of_task)) < len(numbers(every))


def test_a_line_is_linked_to_with_those_around_it(browser: Browser, engine: Engine) -> None:
    done = engine.run(parent, [1] * 60)
    last = numbers(browser.get(f"/runs/{done.id}").text)
    page = browser.get(f"/runs/{done.id}?line=50").text

    assert len(last) == 200
    assert 1 not in last
    assert 50 in numbers(page)
    assert numbers(page)[0] == 31
    assert f'href="/runs/{done.id}?line=50#L50"' in page
    assert f'href="/runs/{done.id}?before=31#logs"' in page


def test_what_is_no_line_or_level_is_refused_in_words(browser: Browser, run: Run) -> None:
    for query in ("line=x", "before=-1", "level=LOUD", f"after={'9' * 30}"):
        assert browser.get(f"/runs/{run.id}?{query}").status_code == 400


def test_a_message_of_several_lines_is_folded(browser: Browser, run: Run) -> None:
    page = browser.get(f"/runs/{run.id}").text

    assert re.search(r"<summary>fetching</summary><pre[^>]*>in two lines</pre>", page)


def test_attachments_are_shown_and_nothing_in_them_is_obeyed(
    browser: Browser, engine: Engine, tmp_path: Path
) -> None:
    picture = tmp_path / "plot.svg"
    picture.write_bytes(
        b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>'
    )

    @flow
    def work() -> None:
        attach_markdown("# <script>alert(1)</script>", name="report")
        attach_table([{"<b>": "<i>", "rows": 1_369_765}] * 2000, name="counts")
        attach_link("https://example.com/?a=1&b=2", text="the page")
        attach_link("folder/file.txt")
        attach_image("https://example.com/x.png")
        attach_image(picture, name="plot")

    run = engine.run(work)
    page = browser.get(f"/runs/{run.id}").text

    assert "<h3>&lt;script&gt;alert(1)&lt;/script&gt;</h3>" in page
    assert "<i>" not in page
    assert '<th scope="col">&lt;b&gt;</th>' in page
    assert '<td class="number">1,369,765</td>' in page
    assert "1,000 more rows were not kept." in page
    assert (
        '<a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer">the page</a>' in page
    )
    assert "folder/file.txt</pre>" in page
    assert '<a href="https://example.com/x.png" rel="noopener noreferrer">' in page
    data = base64.b64encode(picture.read_bytes()).decode()
    assert f'<img src="data:image/svg+xml;base64,{data}" alt="plot">' in page


@pytest.mark.parametrize(
    "content",
    [
        "x",
        '{"url": "data:text/html;base64,PHNjcmlwdD4="}',
        '{"url": "javascript:alert(1)"}',
        '{"rows": 1}',
    ],
)
@pytest.mark.parametrize("kind", ["markdown", "table", "link", "image"])
def test_an_attachment_that_somebody_edited_is_text(
    browser: Browser, engine: Engine, kind: str, content: str
) -> None:
    run = engine.run(flow(lambda: attach_link("https://example.com")))
    with engine.history.database.transaction() as connection:
        connection.execute("UPDATE attachments SET kind = ?, content = ?", (kind, content))

    answer = browser.get(f"/runs/{run.id}")

    assert answer.status_code == 200
    section = answer.text.partition('id="h-attachments"')[2].partition("</section>")[0]
    assert "<pre" in section
    assert "<img" not in section
    assert "href" not in section


def test_how_far_a_run_is_is_shown_while_it_goes_on(
    browser: Browser, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxietl.orchestrator.run.progress._FIRST_AFTER_SECONDS", -1.0)
    pages: list[str] = []

    @flow
    def reads() -> None:
        report_progress(1_000_000, 4_000_000, unit="rows")
        (root,) = engine.history.open_roots()
        pages.extend(browser.get(path).text for path in ("/", f"/runs/{root.id}"))

    run = engine.run(reads)

    for page in pages:
        assert "1,000,000 of 4,000,000 rows" in page
        assert 'value="25"' in page
    assert "of 4,000,000 rows" not in browser.get(f"/runs/{run.id}").text
