"""The page of a lake: what lies there, what a verification found, and a bucket that is slow."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gcs import Gcs
from web import Browser

from taxietl.cli.main import main
from taxietl.extract.synthetic import write
from taxietl.flows.upload import upload_month
from taxietl.flows.upload_plan import UploadOptions
from taxietl.runtime import open_engine
from taxietl.tlc.trip_file import TripFile
from taxietl.ui.asking import Asker
from taxietl.ui.dashboard import Dashboard

BUCKET = """
[profiles.lake]
type = "gcs"
bucket = "lake"
credentials = "nobody"
endpoint = "{url}"
[profiles.nobody]
type = "gcp-credentials"
anonymous = true
"""
FOLDER = """
[profiles.lake]
type = "folder"
path = "<lake>"
"""


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """A lake of either kind as the profile `lake`."""
    if request.param == "folder":
        Path("taxietl.toml").write_text(FOLDER)
        yield "folder"
        return
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        Path("taxietl.toml").write_text(BUCKET.format(url=service.url))
        yield "bucket"


@pytest.fixture
def filled(place: str, dashboard: Dashboard, tmp_path: Path) -> str:
    """January of green lies there, and February in both forms."""
    dashboard.read_settings()
    for month in (1, 2):
        write(tmp_path / f"green_tripdata_2021-{month:02d}.csv", "green", 2021, month, rows=40)
    with open_engine() as engine:
        for month, raw in ((1, False), (2, False), (2, True)):
            options = UploadOptions(source=str(tmp_path), to="lake", raw=raw)
            engine.run(upload_month, TripFile("green", 2021, month), options)
    return place


def test_each_object_is_shown_and_leads_to_its_versions(browser: Browser, filled: str) -> None:
    page = browser.get("/lake").text

    assert ("gs://lake" if filled == "bucket" else "&lt;lake&gt;") in page
    assert "<lake>" not in page
    assert "3 objects" in page
    links = re.findall(r'href="(/coverage/[^"]+)"', page)
    assert len(links) == 3
    assert links[0] == "/coverage/green-2021-01?on=lake&amp;table=parquet"
    month = browser.get(links[0].replace("&amp;", "&")).text
    assert "Version 1" in month
    assert "generation" in month


def test_it_is_verified_by_its_button_and_told_whoever_did_it(
    browser: Browser, filled: str, dashboard: Dashboard
) -> None:
    assert "Not yet" in browser.get("/lake").text
    token = browser.form(browser.get("/lake"), "/lake/lake/verify")

    answer = browser.post("/lake/lake/verify", data=token)

    assert answer.status_code == 303
    run = dashboard.history.run(answer.headers["location"].removeprefix("/runs/"))
    assert run.name == "verify-lake"
    deadline = time.monotonic() + 20
    while not dashboard.history.run(run.id).state.is_final():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "✓ whole" in browser.get("/lake").text
    assert "all 3 objects in" in browser.get("/lake").text
    if filled == "folder":
        for month in ("01", "02"):
            Path(f"<lake>/data/green/green_tripdata_2021-{month}.parquet").write_bytes(b"PAR1")
        assert main(["--home", str(dashboard.home), "lake", "verify", "-q"]) == 5
        page = browser.get("/lake").text
        assert "✕ damaged" in page
        assert "2 of 3 objects in" in page
        for month in ("01", "02"):
            assert f"<li><code>data/green/green_tripdata_2021-{month}.parquet</code> " in page
        assert '<span class="event">damaged</span>' in browser.get("/").text


def test_a_verification_needs_a_form_of_ours_and_a_lake(browser: Browser, filled: str) -> None:
    token = browser.form(browser.get("/lake"), "/lake/lake/verify")

    assert browser.post("/lake/lake/verify").status_code == 403
    assert browser.post("/lake/warehouse/verify", data=token).status_code == 404
    assert browser.get("/lake?on=warehouse").status_code == 404
    assert browser.get("/lake?on=../../etc").status_code == 404


def test_where_nothing_is_it_says_what_to_type(browser: Browser, home: Path) -> None:
    assert "taxietl profiles add lake --type folder" in browser.get("/lake").text
    Path("taxietl.toml").write_text(FOLDER)
    assert "taxietl upload-gcs --color yellow" in browser.get("/lake").text


def test_a_bucket_that_does_not_answer_is_told_and_no_other_page_waits(
    browser: Browser, dashboard: Dashboard, home: Path
) -> None:
    dashboard.asker = Asker(patience=0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        Path("taxietl.toml").write_text(BUCKET.format(url=url))
        for path in ("/lake", "/coverage?on=lake", "/lake"):
            page = browser.get(path).text
            assert "lake cannot be read" in page
            assert "has not answered within 0.1 s" in page
        assert browser.get("/coverage?on=warehouse").status_code == 200
        assert browser.get("/runs").status_code == 200
