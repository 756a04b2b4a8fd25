"""Limits, cache, schedules, profiles and figures, as they are when they are asked for."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from web import TOKEN, Browser

from taxietl.config import load_settings
from taxietl.orchestrator import Cache, Engine, flow, task
from taxietl.schedule.definition import Schedule, Starter, When, save
from taxietl.schedule.outcomes import Outcome, Result, write
from taxietl.ui.pages.profiles import DOTS


@task(cache=Cache())
def fetch(number: int) -> int:
    return number


@flow(run_name="cached")
def cached() -> None:
    fetch(7)


@task(tags={"tlc"})
def hold(event: threading.Event, begun: threading.Event) -> None:
    begun.set()
    event.wait(10)


@flow(run_name="holding")
def holding(event: threading.Event, begun: threading.Event) -> None:
    hold.submit(event, begun)
    hold.submit(event, begun)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/limits", "[limits]"),
        ("/cache", "@task(cache=Cache())"),
        ("/schedules", "taxietl schedule add nightly"),
        ("/profiles", "taxietl profiles add NAME"),
    ],
)
def test_where_nothing_is_a_page_says_what_to_type(browser: Browser, path: str, says: str) -> None:
    assert says in browser.get(path).text


def test_who_holds_and_who_waits_is_shown(browser: Browser, home: Path) -> None:
    Path("taxietl.toml").write_text("[limits]\ntlc = 1\nidle = 3\n")
    may_end, begun = threading.Event(), threading.Event()
    with Engine(home, limits={"tlc": 1}) as engine:
        runner = threading.Thread(target=lambda: engine.run(holding, may_end, begun), daemon=True)
        runner.start()
        assert begun.wait(10)
        try:
            page = browser.get("/limits").text
        finally:
            may_end.set()
            runner.join()

    assert "1 of 1 held, 1 waiting" in page
    assert "0 of 3 held" in page
    assert re.search(r"hold-\d</th>.*?holding</a>.*?holds a slot", page, re.S)
    assert "waits, number 1" in page


def test_what_is_kept_is_shown_with_the_run_that_made_it(browser: Browser, engine: Engine) -> None:
    done = engine.run(cached)
    for _ in range(2):
        engine.run(cached)

    page = browser.get("/cache").text

    assert "1 results" in page
    assert 'data-label="Hits" class="number">2<' in page
    assert re.search(rf'fetch</th>.*?<a href="/runs/{done.id}">cached</a>', page, re.S)


def test_a_run_says_whose_result_it_used_or_why_none(
    browser: Browser, engine: Engine, home: Path
) -> None:
    made, used = engine.run(cached), engine.run(cached)

    missed = browser.get(f"/runs/{made.id}").text
    hit = browser.get(f"/runs/{used.id}").text
    with closing(sqlite3.connect(home / "history.db")) as history, history:
        history.execute("DELETE FROM cache")
    forgotten = browser.get(f"/runs/{used.id}").text

    assert "Cache miss: " in missed
    assert "Cache hit" not in missed
    assert re.search(rf'Cache hit: the result of run <a href="/runs/{made.id}">cached</a>, ', hit)
    assert "Cache miss" not in hit
    assert "Cache hit: the result is no longer kept." in forgotten


def schedule(home: Path, name: str, *command: str) -> Schedule:
    made = Schedule(
        name=name,
        when=When(cron="17 5 * * *", given="17 5 * * *"),
        starter=Starter.RUN,
        command=command,
        folder=home,
        home=home,
        config=None,
        program=("taxietl",),
        added_at=datetime.now(UTC),
    )
    save(made)
    return made


def test_schedules_are_shown_with_their_next_and_last_run(browser: Browser, home: Path) -> None:
    schedule(home, "nightly", "ingest", "--to", "postgresql://me:hunter2@host/taxi")
    schedule(home, "weekly", "runs", "prune")
    at = datetime.now(UTC)
    write(home, "nightly", Outcome(Result.FAILED, at, at, exit_code=4))
    (home / "schedules" / "broken.json").write_text("{")

    Engine(home).run(cached)
    overview = browser.get("/").text
    page = browser.get("/schedules").text

    assert "hunter2" not in overview
    assert re.findall(r'href="/schedules#schedule-(\w+)"', overview) == ["nightly", "weekly"]
    assert "taxietl ingest --to" in page
    assert "hunter2" not in page
    assert "failed with exit code 4" in page
    assert "never run" in page
    assert "broken.json cannot be read" in page


CONFIG = """
[profiles.short]
type = "postgres"
url = "postgresql://me:hunter2@127.0.0.1:1/taxi"

[profiles.long]
type = "postgres"
host = "127.0.0.1"
port = 1
database = "taxi"
password = "a-much-longer-secret-than-the-other"

[profiles.elsewhere]
type = "postgres"
password = { env = "NO_SUCH_VARIABLE" }
"""


@pytest.fixture
def config() -> Path:
    path = Path("taxietl.toml")
    path.write_text(CONFIG)
    path.chmod(0o600)
    return path


def test_secrets_are_dots_that_say_nothing_of_their_length(browser: Browser, config: Path) -> None:
    page = browser.get("/profiles").text

    assert "hunter2" not in page
    assert "a-much-longer" not in page
    dots = re.findall(r'<span class="dots"[^>]*>([^<]*)<', page)
    assert dots == [DOTS] * 3
    assert "environment variable NO_SUCH_VARIABLE" in page
    assert "written out in the configuration" in page


def test_a_profile_is_checked_by_its_button(browser: Browser, config: Path) -> None:
    token = browser.form(browser.get("/profiles"), "/profiles/warehouse/check")

    for name in ("warehouse", "elsewhere"):
        answer = browser.post(f"/profiles/{name}/check", data=token)
        assert answer.headers["location"] == f"/profiles#profile-{name}"
    page = browser.get("/profiles").text

    good, bad = (page.split(f'id="profile-{name}"')[1] for name in ("warehouse", "elsewhere"))
    assert "✓ answers" in good.split("</section>")[0]
    assert "✕ failed" in bad.split("</section>")[0]
    assert "NO_SUCH_VARIABLE is not set" in bad
    assert browser.post("/profiles/nobody/check", data=token).status_code == 404


def test_a_profile_is_added_by_its_form(browser: Browser, config: Path) -> None:
    hidden = browser.form(browser.get("/profiles"), "/profiles/add")
    sent = hidden | {"type": "postgres", "name": "analysts"}
    sent |= {"set-host": "db.example.com", "set-password": "env:ANALYST_PASSWORD", "set-user": ""}

    answer = browser.post("/profiles/add", data=sent)

    assert answer.headers["location"] == "/profiles#profile-analysts"
    added = config.read_text().removeprefix(CONFIG)
    assert '[profiles.analysts]\ntype = "postgres"\nhost = "db.example.com"\n' in added
    assert 'password = { env = "ANALYST_PASSWORD" }' in added
    assert 'id="profile-analysts"' in browser.get("/profiles").text


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "elsewhere"}, "There is a profile"),
        ({"set-port": "many"}, "port"),
        ({"set-password": "hunter3-planted"}, "password is a secret"),
        ({"type": "oracle", "set-password": "hunter3-planted"}, "oracle"),
        ({"name": "../x"}, "../x"),
    ],
)
def test_a_profile_that_cannot_be_added_leaves_all_as_it_was(
    browser: Browser, config: Path, changed: dict[str, str], says: str
) -> None:
    hidden = browser.form(browser.get("/profiles"), "/profiles/add")
    sent = hidden | {"type": "postgres", "name": "new", "set-host": "db.example.com"} | changed

    answer = browser.post("/profiles/add", data=sent)

    assert answer.status_code in (400, 404)
    assert says in answer.text
    assert "hunter3" not in answer.text
    assert config.read_text() == CONFIG
    if changed.get("type") is None:
        assert 'value="db.example.com"' in answer.text


def test_a_configuration_that_is_wrong_is_told_with_what_to_do(
    browser: Browser, config: Path
) -> None:
    assert browser.get("/profiles").status_code == 200
    config.write_text("[profiles.x]\ntype = 'nothing'\n")

    answer = browser.get("/profiles")

    assert answer.status_code == 400
    assert "taxietl.toml" in answer.text
    assert browser.get("/runs").status_code == 200


def test_prometheus_gets_figures_of_all(browser: Browser, engine: Engine, home: Path) -> None:
    Path("taxietl.toml").write_text("[limits]\ntlc = 2\n")
    engine.run(cached)
    at = datetime.now(UTC)
    schedule(home, "nightly", "runs", "ls")
    write(home, "nightly", Outcome(Result.DONE, at, at, exit_code=0, succeeded_at=at))
    browser.cookies.clear()

    assert browser.get("/metrics").status_code == 401
    answer = browser.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.headers["content-type"].startswith("text/plain")
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found["taxietl_runs", "Completed"] == 1
    assert found["taxietl_runs_in_progress",] == 0
    assert found["taxietl_cache_results",] == 1
    assert found["taxietl_flow_last_run_failed", "cached"] == 0
    assert found["taxietl_flow_last_success_timestamp_seconds", "cached"] <= at.timestamp()
    assert found["taxietl_limit_slots", "tlc"] == 2
    assert found["taxietl_schedule_last_exit_code", "nightly"] == 0
    assert all(not name.startswith("python_") for name, *_ in found)


def test_settings_are_read_anew_at_each_look(browser: Browser, home: Path) -> None:
    assert "0 of 5 held" not in browser.get("/limits").text
    Path("taxietl.toml").write_text("[limits]\nlate = 5\n")

    assert "0 of 5 held" in browser.get("/limits").text
    assert load_settings(home=home).limits == {"late": 5}


def test_every_figure_is_on_its_page(browser: Browser) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ui.md").read_text()
    named = set(re.findall(r"^# TYPE (\w+)", browser.get("/metrics").text, re.M))

    assert named == set(re.findall(r"`(taxietl_\w+)`", page))
