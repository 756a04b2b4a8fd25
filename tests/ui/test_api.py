"""The API answers what its description says, and only who has the token."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from web import TOKEN, Browser

from taxietl.cli.main import main
from taxietl.orchestrator import Engine, Retry, attach_event, flow, get_run_logger, task
from taxietl.schedule.definition import Schedule, Starter, When, save


@task(retry=Retry(on=OSError, attempts=2))
def fetch(number: int) -> int:
    get_run_logger().warning("fetching %d", number)
    if number == 2:
        raise OSError("password=hunter2 is wrong")
    return number


@flow(run_name="yellow-2021-01")
def month(number: int) -> None:
    attach_event("restated", "by the TLC", rows=3)
    fetch(number)


@flow(run_name="both")
def both() -> None:
    month(1)
    month(2)


@pytest.fixture
def run_id(engine: Engine, home: Path) -> str:
    """A run with all that a run can have, in a home with all that a home can have."""
    Path("taxietl.toml").write_text(
        '[limits]\ntlc = 2\n[profiles.pg]\ntype = "postgres"\npassword = { env = "PG" }\n'
    )
    save(
        Schedule(
            name="nightly",
            when=When(cron="17 5 * * *", given="17 5 * * *"),
            starter=Starter.RUN,
            command=("runs", "ls"),
            folder=home,
            home=home,
            config=None,
            program=("taxietl",),
            added_at=datetime.now(UTC),
        )
    )
    done = engine.run(both)
    engine.resume(done.id, both)
    return done.id


@pytest.fixture
def spec(browser: Browser) -> dict[str, Any]:
    found: dict[str, Any] = browser.get("/api/openapi.json").json()
    return found


def check(spec: dict[str, Any], path: str, document: Any, status: str = "200") -> None:
    """The document is what the description says of that path."""
    answer = spec["paths"][path]["get"]["responses"][status]
    schema = answer["content"]["application/json"]["schema"]
    jsonschema.validate(document, {**schema, "components": spec["components"]})


def test_every_path_answers_as_described(
    browser: Browser, spec: dict[str, Any], run_id: str
) -> None:
    for path in spec["paths"]:
        answer = browser.get(path.replace("{id}", run_id).replace("{name}", "both"))

        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "application/json"
        check(spec, path, answer.json())
        assert "hunter2" not in answer.text


def test_every_path_of_the_api_is_described(browser: Browser, spec: dict[str, Any]) -> None:
    routes = {
        each.path.replace(":path", "")  # type: ignore[attr-defined]
        for each in browser.app.routes
        if each.path.startswith("/api/")  # type: ignore[attr-defined]
    }

    assert routes == {*spec["paths"], "/api/openapi.json"}
    assert spec["openapi"] == "3.1.0"


def test_every_parameter_that_is_described_is_taken(
    browser: Browser, spec: dict[str, Any], run_id: str
) -> None:
    some = {"date": "2021-01-01", "enum": None, "integer": 3}
    for path in ("/api/runs", "/api/runs/{id}/logs"):
        for each in spec["paths"][path]["get"]["parameters"]:
            if each["in"] != "query":
                continue
            schema = each["schema"]
            value = schema.get("enum", [some.get(schema.get("type"), "2021-01")])[0]
            if schema.get("format") == "date":
                value = "2021-01-01"
            answer = browser.get(path.replace("{id}", run_id), params={each["name"]: value})
            assert answer.status_code == 200, each["name"]
            check(spec, path, answer.json())


def test_it_says_of_runs_what_the_commands_say(
    browser: Browser, home: Path, run_id: str, capfd: pytest.CaptureFixture[str]
) -> None:
    import json

    capfd.readouterr()
    main(["--home", str(home), "runs", "show", run_id, "--json"])
    shown = json.loads(capfd.readouterr().out)
    main(["--home", str(home), "runs", "ls", "--json"])
    listed = json.loads(capfd.readouterr().out)

    assert browser.get(f"/api/runs/{run_id}").json() == shown
    assert browser.get("/api/runs").json()["runs"] == listed["runs"]


def test_pages_of_the_api_lead_to_one_another(browser: Browser, run_id: str) -> None:
    first = browser.get("/api/runs?limit=2").json()
    second = browser.get(f"/api/runs?limit=2&after={first['older']}").json()
    lines = browser.get(f"/api/runs/{run_id}/logs?limit=3").json()
    before = browser.get(f"/api/runs/{run_id}/logs?limit=3&before={lines['earlier']}").json()

    assert len({each["id"] for each in first["runs"] + second["runs"]}) == 4
    numbers = [each["number"] for each in before["logs"] + lines["logs"]]
    assert numbers == list(range(lines["total"] - 5, lines["total"] + 1))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs?limit=0", 400),
        ("/api/runs?limit=501", 400),
        ("/api/runs?state=Bored", 400),
        ("/api/runs/nobody", 404),
        ("/api/nothing", 404),
    ],
)
def test_what_it_refuses_it_refuses_in_json(
    browser: Browser, spec: dict[str, Any], path: str, status: int
) -> None:
    answer = browser.get(path)

    assert answer.status_code == status
    jsonschema.validate(answer.json(), spec["components"]["schemas"]["Error"])


def test_it_is_for_who_has_the_token_and_changes_nothing(
    stranger: Browser, spec: dict[str, Any], run_id: str
) -> None:
    bearer = {"authorization": f"Bearer {TOKEN}"}
    for path in (each.replace("{id}", run_id).replace("{name}", run_id) for each in spec["paths"]):
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert answer.json()["error"]["hint"].startswith("Send it as")
        assert stranger.get(path, headers=bearer).status_code == 200
        assert stranger.post(path, headers=bearer).status_code == 401
