"""Take the pictures of the dashboard that README and docs/ui.md show: `make screenshots`.

Fills a home of its own with taxietl's commands, on months that it makes, starts `taxietl ui` on it
and looks at its pages with Playwright and the Chromium that is installed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent / "images"
PLACE = Path("/tmp/taxi")
TAXIETL = (sys.executable, "-m", "taxietl")

CONFIG = """\
[profiles.lake]
type = "folder"
path = "lake"

[profiles.analysts]
type = "postgres"
host = "db.example.com"
database = "ny_taxi"
user = "analyst"
password = { env = "PGPASSWORD" }

[limits]
weather = 1
"""

FLOWS = '''\
"""How the weather was while people took taxis."""

import time

from taxietl import Retry, attach_link, attach_markdown, attach_table, flow, report_progress, task

TRIES = []


@task(retry=Retry(on=ConnectionError, attempts=3, delay=0.2), tags={"weather"})
def fetch(day: int) -> dict:
    if day == 3 and not TRIES:
        TRIES.append(day)
        raise ConnectionError("503 from api.weather.example")
    time.sleep(0.05)
    return {"day": f"2021-01-{day:02}", "high": 2 + day % 5, "snow": day % 4 == 0}


@flow(name="Weather", run_name="weather-{city}")
def weather(city: str = "Queens", days: int = 7, with_snow: bool = True) -> None:
    """Fetch some days of weather."""
    found = [fetch(day) for day in range(1, days + 1)]
    attach_table(found, name="weather")
    attach_markdown(f"## {city}\\n\\n- {days} days\\n- snow on **{sum(d['snow'] for d in found)}**")
    attach_link("https://www.weather.gov/okx/", text="National Weather Service")


@task
def read(rows: int) -> None:
    for done in range(0, rows, rows // 200):
        report_progress(done, rows, unit="rows")
        time.sleep(0.1)


@flow(name="Backfill", run_name="backfill-2019")
def backfill(rows: int = 84_399_019) -> None:
    """Read a year again."""
    read(rows)
'''


def run(*arguments: str, may_fail: bool = False) -> None:
    """A command of taxietl in the home of the pictures."""
    done = subprocess.run([*TAXIETL, *arguments, "-q"], cwd=PLACE, env=environment(), check=False)
    if done.returncode and not may_fail:
        sys.exit(f"taxietl {' '.join(arguments)} ended with {done.returncode}.")


def environment() -> dict[str, str]:
    """That of commands which know nothing of this machine's configuration."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TAXIETL_")}
    return own | {
        "TAXIETL_HOME": str(PLACE / "home"),
        "TAXIETL_CONFIG": str(PLACE / "taxietl.toml"),
    }


def months(color: str, since: str, until: str) -> tuple[str, ...]:
    """The options that ask for them."""
    return ("--color", color, "--since", since, "--until", until)


def fill() -> None:
    """Have some of everything happen."""
    shutil.rmtree(PLACE, ignore_errors=True)
    (PLACE / "files").mkdir(parents=True)
    (PLACE / "taxietl.toml").write_text(CONFIG)
    (PLACE / "flows.py").write_text(FLOWS)
    name = "files/{color}_tripdata_{year}-{month:02d}.parquet"
    for color, rows in (("yellow", "60000"), ("green", "9000")):
        asked = months(color, "2023-01", "2024-09")
        run("generate", *asked, "--rows", rows, "--out", name)
    run("ingest", *months("yellow", "2023-01", "2024-09"), "--source", "files")
    run("ingest", *months("green", "2023-01", "2024-04"), "--source", "files")
    again = ("--color", "yellow", "--year", "2024", "--month", "3")
    run("generate", *again, "--rows", "61204", "--seed", "7", "--out", name)
    run("ingest", *again, "--source", "files")
    run("ingest", "--color", "green", "--year", "2024", "--month", "12", "--source", "files",
        may_fail=True)  # fmt: skip
    run("upload-gcs", *months("yellow", "2024-01", "2024-06"), "--source", "files")
    run("schedule", "add", "nightly", "--by", "run", "--cron", "17 5 * * *",
        "--", "sync", "--color", "yellow")  # fmt: skip
    run("schedule", "add", "weather", "--by", "run", "--cron", "0 6 * * 1",
        "--", "run", "flows.py:weather", "-p", "city=Queens")  # fmt: skip
    for city in ("Queens", "Bronx"):
        run("run", "flows.py:weather", "-p", f"city={city}")
    run("ingest", "--color", "yellow", "--year", "2024", "--month", "9", "--source", "files")


def rename_host() -> None:
    """Where the pictures were taken is nobody's business."""
    with closing(sqlite3.connect(PLACE / "home" / "history.db")) as history, history:
        history.execute("UPDATE runs SET host = 'taxi'")


def run_id(name: str) -> str:
    """The latest run of that name."""
    with closing(sqlite3.connect(PLACE / "home" / "history.db")) as history:
        row = history.execute(
            "SELECT id FROM runs WHERE name = ? OR base = ? ORDER BY rowid DESC", (name, name)
        ).fetchone()
    return str(row[0])


def take(browser: Browser, link: str) -> None:
    """Look at the pages and keep what is seen."""
    root = link.partition("/?")[0]
    run = f"/runs/{run_id('weather-Queens')}"
    pictures = (
        ("overview-light", "/", 1200, 700),
        ("overview-dark", "/", 1200, 700),
        ("coverage-light", "/coverage", 1200, 800),
        ("coverage-dark", "/coverage", 1200, 800),
        ("run-light", run, 1200, 900),
        ("flows-light", "/flows", 1200, 640),
        ("phone-dark", "/", 360, 740),
    )
    for name, path, width, height in pictures:
        with browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=name.rpartition("-")[2]
        ) as context:
            page = context.new_page()
            page.goto(link)
            page.goto(root + path)
            page.wait_for_timeout(300)  # the script puts times into the reader's zone
            page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    """Fill a home, look at it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium to look with (Debian: apt-get install chromium).")
    IMAGES.mkdir(exist_ok=True)
    fill()
    long = [*TAXIETL, "run", "flows.py:backfill", "-q"]
    shown = [*TAXIETL, "ui", "--port", "0", "-q", "--flows", "."]
    with (
        subprocess.Popen(long, cwd=PLACE, env=environment()) as backfill,
        subprocess.Popen(
            shown, cwd=PLACE, env=environment(), stdout=subprocess.PIPE, text=True
        ) as dashboard,
        sync_playwright() as playwright,
    ):
        try:
            assert dashboard.stdout
            link = dashboard.stdout.readline().strip()
            time.sleep(5)
            rename_host()
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            take(browser, link)
            browser.close()
        finally:
            backfill.terminate()
            dashboard.terminate()
    shutil.rmtree(PLACE)


if __name__ == "__main__":
    main()
