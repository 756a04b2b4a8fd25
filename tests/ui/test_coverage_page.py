"""The calendar of months and the page of a month, as they are read from what holds the months."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ui_warehouse import PLANTED, fill_warehouse
from web import Browser

from taxietl.cli.status_page import page as status_page
from taxietl.errors import TryLaterError
from taxietl.flows.coverage import Coverage, coverage_of
from taxietl.flows.coverage_reading import read_profile
from taxietl.tlc.selection import MonthOptions
from taxietl.ui.asking import Asker
from taxietl.ui.dashboard import Dashboard

STATES = {"01": "loaded", "02": "dropped", "03": "loaded", "04": "refused"}


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    fill_warehouse(home, tmp_path / "files")
    return home


def states(page: str) -> dict[str, str]:
    """Of 2021, by month."""
    cells = re.findall(r'class="month ([a-z-]+)" title="green-2021-(\d\d)', page)
    return {month: state for state, month in cells if month in STATES}


def test_each_month_has_its_state_and_leads_to_its_page(browser: Browser, filled: Path) -> None:
    page = browser.get("/coverage").text

    assert states(page) == STATES
    assert 'href="/coverage/green-2021-01?on=warehouse"' in page
    assert "refused for its data" in page
    assert PLANTED not in page
    assert "style=" not in page


def test_it_is_the_picture_of_status(browser: Browser, dashboard: Dashboard, filled: Path) -> None:
    page = browser.get("/coverage").text
    dashboard.read_settings()
    alone = status_page(_covered())

    def cells(text: str) -> list[tuple[str, str]]:
        return re.findall(r'class="(month [a-z-]+)" title="([^"]*)"', text)

    assert cells(page) == cells(alone)
    assert len(cells(page)) > 12


def _covered() -> Coverage:
    from datetime import datetime

    now = datetime.now().astimezone()
    return coverage_of(
        read_profile("warehouse"), MonthOptions().filter(now.date()), now, every_color=False
    )


def test_a_month_shows_all_its_versions(browser: Browser, filled: Path) -> None:
    page = browser.get("/coverage/green-2021-01?on=warehouse").text

    assert page.count("Version ") >= 2
    assert page.count("there now") == 1
    assert page.count("superseded") >= 1
    assert "green_tripdata_2021-01.csv" in page
    assert "taxietl inspect --color green --year 2021 --month 1" in page
    assert 'href="/coverage/green-2021-02?on=warehouse"' in page
    run = re.findall(r'href="(/runs/[^"]+)">green-2021-01', page)
    assert browser.get(run[0]).status_code == 200


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("02", "taken out by drop"),
        ("04", "Why it failed"),
        ("05", "taxietl ingest --color green --year 2021 --month 5"),
    ],
)
def test_a_month_that_is_not_there_says_why(
    browser: Browser, filled: Path, month: str, says: str
) -> None:
    page = browser.get(f"/coverage/green-2021-{month}?on=warehouse").text
    if month == "04":
        (link,) = re.findall(r'<dt>Last run</dt><dd><a href="([^"]+)"', page)
        run = browser.get(link)
        page = browser.get(run.headers["location"]).text

    assert says in page
    assert PLANTED not in page


def test_a_file_that_another_process_has_is_not_waited_for(browser: Browser, filled: Path) -> None:
    code = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1]); c.execute('BEGIN; CREATE TABLE x "
        "(a INT)'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(filled / "taxi.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        page = browser.get("/coverage").text
        month = browser.get("/coverage/green-2021-03?on=warehouse").text
        assert process.stdin
        process.stdin.close()

    assert f"process {process.pid}" in page
    assert states(page) == STATES
    assert "green_tripdata_2021-03.csv" in month


def test_where_nothing_is_it_says_what_to_type(browser: Browser, home: Path) -> None:
    page = browser.get("/coverage").text

    assert "taxietl ingest --color yellow --year 2021 --month 1" in page
    assert not (home / "taxi.duckdb").exists()


def test_a_server_that_is_not_up_is_told_and_another_profile_can_be_chosen(
    browser: Browser,
) -> None:
    Path("taxietl.toml").write_text(
        '[profiles.gone]\ntype = "postgres"\nhost = "127.0.0.1"\nport = 1\ndatabase = "x"\n'
        'user = "u"\n[profiles.lake]\ntype = "folder"\npath = "lake"\n'
    )

    page = browser.get("/coverage?on=gone").text

    assert "gone cannot be read" in page
    assert '<option value="gone" selected>' in page
    assert '<option value="lake">' in page


@pytest.mark.parametrize(
    "path",
    [
        "/coverage?on=nobody",
        "/coverage?on=postgresql://me:hunter2@127.0.0.1/x",
        "/coverage?on=../../etc/passwd",
        "/coverage/green-2021-13",
        "/coverage/blue-2021-01",
        "/coverage/green-2021-01?table=%3Cscript%3E",
        "/coverage/%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert "hunter2" not in answer.text
    assert "<script>" not in answer.text.replace('<script src="', "")


def test_nobody_sees_it_without_the_token(stranger: Browser) -> None:
    assert stranger.get("/coverage").status_code == 401
    assert stranger.get("/coverage/green-2021-01").status_code == 401


def test_a_place_that_does_not_answer_is_waited_for_only_so_long() -> None:
    asker, may_end, calls = Asker(patience=0.02), threading.Event(), []

    def slow() -> str:
        calls.append(1)
        may_end.wait(10)
        return "at last"

    for _ in range(3):
        with pytest.raises(TryLaterError, match=r"Profile 'far' has not answered within 0\.02 s"):
            asker.ask("Profile 'far'", "far", slow)
    assert asker.ask("near", "near", lambda: "at once") == "at once"
    may_end.set()

    patient = Asker()
    assert patient.ask("far", "far", slow) == patient.ask("far", "far", slow) == "at last"
    assert len(calls) == 2


def test_an_answer_counts_for_as_long_as_asked_and_until_something_happens() -> None:
    asker = Asker()
    numbers = iter(range(3))
    for seconds in (0.0, 0.0, 60.0):
        last = asker.ask("n", "n", lambda: next(numbers), kept_seconds=seconds)
    assert last == 1
    answers = iter("abc")

    given = [asker.ask("x", "x", lambda: next(answers), mark=mark) for mark in (1, 1, 2)]

    assert given == ["a", "a", "b"]
    with pytest.raises(ZeroDivisionError):
        asker.ask("x", "y", lambda: 1 // 0)


def test_the_quality_report_of_a_month_is_made_on_demand(browser: Browser, filled: Path) -> None:
    page = browser.get("/coverage/green-2021-01?on=warehouse").text
    (address,) = re.findall(r'href="(/coverage/green-2021-01/quality[^"]*)"', page)

    report = browser.get(address.replace("&amp;", "&"))

    assert report.status_code == 200
    assert "Findings" in report.text
    style = re.search(r"<style>(.*?)</style>", report.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = report.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert "style=" not in report.text
    assert "<script" not in report.text


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("green-2021-05/quality?on=warehouse", "not loaded"),
        ("green-2021-01/quality?on=warehouse&table=--help", "--help"),
        ("purple-2021-05/quality", "purple-2021-05"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(
    browser: Browser, filled: Path, address: str, says: str
) -> None:
    page = browser.get(f"/coverage/{address}")

    assert page.status_code in (400, 404)
    assert says in page.text


def test_the_warehouse_may_be_given_by_its_address(browser: Browser, filled: Path) -> None:
    address = f"duckdb:///{filled / 'taxi.duckdb'}"
    Path("taxietl.toml").write_text(f'[ingest]\nto = "{address}"\n')

    page = browser.get("/coverage").text

    # That April was refused is told of the profile that it was meant for.
    assert states(page) == STATES | {"04": "missing"}
    link = re.search(r'href="(/coverage/green-2021-01\?on=[^"]+)"', page)
    assert link
    assert "Version 1" in browser.get(link[1].replace("&amp;", "&")).text


def test_a_password_in_that_address_is_needed_and_not_shown(browser: Browser, home: Path) -> None:
    Path("taxietl.toml").write_text('[ingest]\nto = "postgresql://me:hunter2@127.0.0.1:1/x"\n')

    page = browser.get("/coverage").text

    assert "kept nowhere" not in page
    assert "hunter2" not in page
    assert "127.0.0.1" in page
