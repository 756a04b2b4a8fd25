"""The page of `status` in Chromium: readable in light and dark, alone, and by a screen reader.

Where no Chromium is installed (Debian: `apt-get install chromium`), this is skipped.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from taxietl.cli.status_page import page as status_page
from taxietl.flows.coverage import (
    Coverage,
    CoveredMonth,
    MonthState,
    TableCoverage,
)
from taxietl.flows.coverage_records import Reading, Record
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.trip_file import TripFile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NOW = datetime(2021, 7, 15, 12, tzinfo=UTC)


def _months(color: str) -> list[CoveredMonth]:
    """A month in every state, and loaded ones with bars of every length."""
    states = [*MonthState, *[MonthState.LOADED] * 22]
    return [
        CoveredMonth(
            month,
            state,
            "<why>",
            "run",
            Record(
                *(month, f"{color}_trips", place * place * 10_000, NOW - timedelta(days=place)),
                *("run", "tlc", "https://example.org", None, 9, "a" * 64),
            ),
        )
        for place, state in enumerate(states)
        for month in [TripFile(color, 2015 + place // 12, place % 12 + 1)]
    ]


def _status() -> str:
    tables = [
        TableCoverage(each, f"{each}_trips", is_usual=True, months=tuple(_months(each)))
        for each in DATASETS
    ]
    reading = Reading("warehouse", "here", "ledger", {}, (), ())
    return status_page(Coverage(reading, NOW, tuple(tables), ()))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to look with")
def test_axe_finds_nothing_to_complain_about(tmp_path: Path) -> None:
    path = tmp_path / "status.html"
    path.write_text(_status(), encoding="utf-8")
    loaded: list[str] = []
    said: list[str] = []

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 700, "height": 600}, color_scheme="light")
        page.on("request", lambda request: loaded.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(path.as_uri())
        whole = Axe().run(page).response
        page.emulate_media(color_scheme="dark")
        dark = Axe().run(page, options={"runOnly": ["color-contrast"]}).response
        overflow = page.evaluate("document.body.scrollWidth - innerWidth")
        browser.close()

    found = [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in (*whole["violations"], *dark["violations"])
    ]
    assert found == []
    assert len(dark["passes"][0]["nodes"]) > 100
    assert (loaded, said, overflow <= 0) == ([path.as_uri()], [], True)
