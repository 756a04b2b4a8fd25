"""The dashboard as people meet it: in Chromium, from the link that `taxietl ui` prints.

Where no Chromium is installed (Debian: `apt-get install chromium`), these tests are skipped.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from ui_home import fill
from ui_warehouse import fill_warehouse

from taxietl.orchestrator import Engine, flow, task

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed to look with")


@dataclass(frozen=True)
class Site:
    """A dashboard that is up."""

    home: Path
    link: str
    run_id: str
    """Of the run that has most to show."""

    def at(self, path: str) -> str:
        """The address of a page."""
        return self.link.partition("/?")[0] + path

    @property
    def paths(self) -> tuple[str, ...]:
        """Pages of each kind."""
        named = ("/schedules", "/limits", "/cache", "/profiles", "/nothing")
        named += (
            "/coverage",
            "/coverage/green-2021-01",
            "/coverage/green-2021-04",
            "/coverage/green-2021-01/quality?on=warehouse",
            "/lake",
            "/flows",
        )
        return ("/", "/runs", f"/runs/{self.run_id}", "/runs?state=Crashed", *named)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("ui") / "home"
    config = home.parent / "taxietl.toml"
    config.write_text(f"[profiles.lake]\ntype = 'folder'\npath = '{home.parent / 'lake'}'\n")
    fill_warehouse(home, home.parent / "files", config=config)
    run_id = fill(home)
    place = ("--home", str(home), "--config", str(config))
    command = [sys.executable, "-m", "taxietl", *place, "ui", "--port", "0", "-q"]
    command += ["--flows", str(Path(__file__).parents[1] / "support")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Site(home, process.stdout.readline().strip(), run_id)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens the dashboard by its link, in a window of its own; says what the console said."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**options)
        context.set_default_timeout(5_000)
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.link)
        if path != "/":
            page.goto(site.at(path))
        return page

    yield opened
    for context in contexts:
        context.close()
    # A page that is not there is one to look at, too.
    assert [each for each in complaints if "404 (Not Found)" not in each] == []


def test_axe_finds_nothing_to_complain_about(open_page: Open, site: Site) -> None:
    page = open_page(color_scheme="light")
    found, checked = {}, 0
    for path in site.paths:
        page.goto(site.at(path))
        open_all(page, 3)
        whole = Axe().run(page).response
        page.emulate_media(color_scheme="dark")
        # The rules that look at colours; to all others it is the same page in the dark.
        colours = ["color-contrast", "link-in-text-block"]
        dark = Axe().run(page, options={"runOnly": colours}).response
        page.emulate_media(color_scheme="light")
        checked += sum(len(each["passes"]) for each in (whole, dark))
        found[path] = [
            (each["id"], [node["html"][:200] for node in each["nodes"]])
            for each in (*whole["violations"], *dark["violations"])
        ]

    assert {path: some for path, some in found.items() if some} == {}
    assert checked > 20 * len(site.paths)


def open_all(page: Page, most: int) -> None:
    """Unfold what can be unfolded."""
    for each in page.locator("details").all()[:most]:
        each.evaluate("each => { each.open = true }")


def test_the_page_that_asks_for_the_token_is_in_order(chromium: Browser, site: Site) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(site.at("/runs"))
        assert Axe().run(page).violations_count == 0

        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_have_text("That is not its token.")
        page.get_by_label("Token").fill(site.link.partition("token=")[2])
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("heading", name="Running now")).to_be_visible()


def test_nothing_scrolls_sideways(open_page: Open, site: Site) -> None:
    page = open_page()
    for path in site.paths:
        page.goto(site.at(path))
        open_all(page, 8)
        for width in (320, 768, 1280, 3840):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@task
def wait(event: threading.Event) -> None:
    event.wait(10)


@flow(name="Elsewhere", run_name="started-elsewhere")
def elsewhere(event: threading.Event) -> None:
    wait(event)


def test_a_run_that_is_started_elsewhere_appears_and_moves(open_page: Open, site: Site) -> None:
    """Within a second, and without a reload."""
    page = open_page()
    page.evaluate("window.here = true")
    expect(page.locator("#liveness")).to_have_text("live")
    may_end = threading.Event()

    with Engine(site.home) as engine:
        runner = threading.Thread(target=lambda: engine.run(elsewhere, may_end), daemon=True)
        runner.start()
        try:
            now = page.locator("article.now")
            expect(now).to_contain_text("started-elsewhere", timeout=2_000)
            began = now.locator("[data-since]").get_attribute("data-since")
            seen = time.time()
            first = now.locator("[data-since]").inner_text()
            expect(now.locator("[data-since]")).not_to_have_text(first, timeout=1_500)
        finally:
            may_end.set()
            ended = time.monotonic()
            runner.join()
        expect(page.locator(".strip a").last).to_have_attribute(
            "aria-label", re.compile("^started-elsewhere, Completed"), timeout=2_000
        )
        assert time.monotonic() - ended < 1.5
    assert began
    assert seen - datetime.fromisoformat(began).timestamp() < 1.5
    assert page.evaluate("window.here") is True


def test_what_a_reader_has_opened_stays_open(open_page: Open, site: Site) -> None:
    page = open_page(f"/runs/{site.run_id}")
    page.locator(".tree summary").nth(1).click()
    page.get_by_label("Level").focus()
    expect(page.locator("#liveness")).to_have_text("live")

    with page.expect_response(site.at(f"/runs/{site.run_id}")), Engine(site.home) as engine:
        may_end = threading.Event()
        may_end.set()
        engine.run(elsewhere, may_end)

    expect(page.locator(".tree details[open]")).to_have_count(1)
    expect(page.get_by_label("Level")).to_be_focused()


def test_a_button_does_what_it_says(open_page: Open, site: Site) -> None:
    page = open_page(f"/runs/{site.run_id}")

    page.get_by_role("button", name="Run again").click(timeout=20_000)

    expect(page.get_by_role("heading", name=re.compile(r"both-\d"))).to_be_visible(timeout=20_000)
    expect(page.locator("header.run .state")).to_have_text("Completed", timeout=10_000)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_back_forward_and_links_into_a_page_work(open_page: Open, site: Site) -> None:
    page = open_page("/runs")
    page.get_by_label("State").select_option("Failed")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(site.at("/runs?state=Failed"))
    page.get_by_role("link", name="green-2021-13").click()
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
    page.get_by_role("link", name="Line 3", exact=True).click()
    expect(page.locator("#L3:target")).to_be_visible()
    line = page.url

    page.go_back()
    page.go_back()
    expect(page.get_by_label("State")).to_have_value("Failed")
    page.go_forward()
    page.go_forward()
    assert page.url == line
    page.goto("about:blank")
    page.goto(line)
    expect(page.locator("#L3:target")).to_be_in_viewport()


def test_all_but_the_liveness_works_without_scripts(open_page: Open, site: Site) -> None:
    page = open_page("/runs", java_script_enabled=False)
    page.get_by_label("Colour").select_option("yellow")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="yellow-2021-02", exact=True).first.click()

    expect(page.get_by_role("heading", name="yellow-2021-02")).to_be_visible()
    page.locator(".tree summary").nth(1).click()
    expect(page.locator(".tree details[open] .states")).to_be_visible()
    assert page.locator("time").first.inner_text().endswith(("EST", "EDT"))
    expect(page.locator("#zone")).to_have_text("New York")


def test_times_are_in_the_readers_zone(open_page: Open) -> None:
    page = open_page("/runs", timezone_id="Asia/Tokyo")
    first = page.locator(".list time").first

    expect(page.locator("#zone")).to_have_text("Asia/Tokyo")
    shown, exact = first.inner_text(), first.get_attribute("title") or ""
    assert exact.endswith("UTC")
    hours = (int(shown.split(", ")[1][:2]) - int(exact.split()[1][:2])) % 24
    assert hours == 9


def test_all_is_reached_by_the_keyboard(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("header.run")).to_be_visible()


def test_what_was_planted_does_nothing(open_page: Open) -> None:
    page = open_page("/runs?text=planted")

    page.locator(".list th a").first.click()

    expect(page.get_by_role("heading", name="<script>document.title")).to_be_visible()
    assert page.title() != "planted"
    assert page.locator("main img").count() == 0
