"""Each way in that is not the link is refused, and what pages hold of others is text."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from web import TOKEN, Browser, raw_status

from taxietl.orchestrator import Engine, attach_event, flow, get_run_logger, task
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.guards import MAX_BODY

PAGES = ("/", "/runs", "/runs/anybody", "/live", "/no/such/page")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
def test_nobody_gets_in_without_the_token(stranger: Browser, method: str, path: str) -> None:
    answer = stranger.ask(method, path)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "given",
    ["", "b" * 43, "a" * 42, "a" * 44, "A" * 43, "ä" * 43, "%00"],
    ids=["empty", "other", "short", "long", "case", "not ASCII", "nul"],
)
def test_a_wrong_token_is_refused(stranger: Browser, given: str) -> None:
    bearer = {"authorization": f"Bearer {given}".encode()}
    cookie = {"cookie": f"taxietl-4280={given}".encode()}
    session = "Bearer " + "a" * 43

    assert stranger.get(f"/?token={quote(given, safe='%')}").status_code == 401
    assert stranger.get("/", headers=bearer).status_code == 401
    assert stranger.get("/", headers=cookie).status_code == 401
    assert stranger.post("/login", data={"token": given}).status_code == 401
    assert stranger.post("/runs", headers={"authorization": session}).status_code == 401


def test_the_link_leaves_a_cookie_that_no_script_and_no_other_site_gets(
    stranger: Browser,
) -> None:
    answer = stranger.get(f"/runs?token={TOKEN}&state=Failed")

    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?state=Failed")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert TOKEN not in cookie
    assert stranger.get("/runs").status_code == 200


def test_a_link_cannot_lead_to_another_host(stranger: Browser) -> None:
    answer = stranger.get(f"//evil.example/?token={TOKEN}")

    assert not answer.headers.get("location", "/").startswith("//")


def test_the_token_may_be_typed(stranger: Browser) -> None:
    assert stranger.post("/login", data={"token": f" {TOKEN} "}).headers["location"] == "/"
    assert stranger.get("/").status_code == 200


def test_a_program_sends_the_token_as_a_bearer(stranger: Browser) -> None:
    answer = stranger.get("/runs", headers={"authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200


def test_health_and_looks_need_no_token(stranger: Browser) -> None:
    page = stranger.get("/").text

    assert stranger.get("/healthz").text == "ok\n"
    assert stranger.get("/favicon.ico").status_code == 200
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        assert stranger.get(path).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "127.0.0.1.evil.example",
            "evil.example:4280",
            "",
            "localhost@evil.example",
        ),
        *("[::2]:4280", "[evil", "[", "::1", "[::1].evil.example", "[::1]evil:1"),
    ],
)
def test_a_host_that_is_not_ours_is_refused_whoever_asks(app: Starlette, host: str) -> None:
    """DNS rebinding: a page of another site whose name has been made to mean this machine."""
    for path in (b"/", b"/healthz", b"/runs"):
        assert raw_status(app, path, host=host) == 400


@pytest.mark.parametrize("host", ["127.0.0.1:4280", "localhost", "LOCALHOST:1", "[::1]:4280"])
def test_a_host_of_ours_is_served(app: Starlette, host: str) -> None:
    assert raw_status(app, b"/healthz", host=host) == 200


def test_every_answer_forbids_what_is_not_ours(browser: Browser, stranger: Browser) -> None:
    answers = [
        *(browser.get(path) for path in ("/", "/runs", "/nothing", "/healthz", "/favicon.ico")),
        stranger.get("/"),
        browser.get("/", headers={"host": "evil.example"}),
        browser.get("/" + "x" * 9_000),
    ]

    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


def test_pages_hold_no_script_and_no_style_of_their_own(browser: Browser) -> None:
    for path in ("/", "/runs"):
        page = browser.get(path).text
        assert (
            re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", page) is None
        )
        assert re.search(r'(?:src|href)="(?:https?:)?//', page) is None


def test_pages_are_kept_by_no_cache_and_looks_for_good(browser: Browser) -> None:
    page = browser.get("/")
    (style,) = re.findall(r'href="(/static/style[^"]+)"', page.text)

    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in browser.get(style).headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        b"/static/../access.py",
        b"/static/..%2faccess.py",
        b"/static/%2e%2e/%2e%2e/history.db",
        b"/static/../../../../../../etc/passwd",
        b"/static//etc/passwd",
        b"/static/style.css",
        b"/static/",
        b"/../ui.token",
        b"/runs/../../ui.token",
        b"/runs/..%2f..%2fui.token",
        b"/static/\x00",
    ],
)
def test_no_path_leads_out_of_the_files_that_are_served(
    app: Starlette, dashboard: Dashboard, path: bytes
) -> None:
    cookie = f"{dashboard.access.cookie}={dashboard.access.session}"

    assert raw_status(app, path, cookie=cookie) == 404


def test_long_requests_are_refused(browser: Browser) -> None:
    long = "x" * (MAX_BODY + 1)

    def pieces() -> object:
        async def sent() -> object:
            for _ in range(20):
                yield b"x" * 1_000

        return sent()

    assert browser.get(f"/runs?text={'x' * 5_000}").status_code == 414
    assert browser.post("/login", content=long).status_code == 413
    assert browser.post("/login", content=pieces()).status_code == 413
    assert browser.post("/login", content=b"", headers={"content-length": "-1"}).status_code == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    for path in actions(browser.app):
        assert browser.post(path, headers=headers).status_code == 403, path


def actions(app: Starlette) -> list[str]:
    """Where something can be changed."""
    return [
        each.path.replace("{id}", "x").replace("{name}", "x")
        for each in app.routes
        if isinstance(each, Route) and each.methods and not each.methods <= {"GET", "HEAD"}
    ]


@task
def shown(text: str) -> str:
    get_run_logger().warning("first\n%s", text)
    attach_event("planted", text, details=text)
    return text


@flow(name="<script>alert('flow')</script>", run_name="{name}")
def planted(name: str, text: str) -> None:
    get_run_logger().info(text)
    shown(text)
    raise ValueError(text)


SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>"


@pytest.fixture
def run_id(engine: Engine) -> str:
    """A run in which a script stands wherever a text of others can."""
    return engine.run(planted, SCRIPT, SCRIPT).id


PATHS: list[Callable[[str], str]] = [
    lambda run_id: "/",
    lambda run_id: "/runs",
    lambda run_id: f"/runs?text={quote(SCRIPT)}",
    lambda run_id: f"/runs?state={quote(SCRIPT)}",
    lambda run_id: f"/runs?month={quote(SCRIPT)}",
    lambda run_id: f"/runs?flow={quote(SCRIPT)}",
    lambda run_id: f"/runs/{run_id}",
    lambda run_id: f"/runs/{run_id}?level=ERROR&task={quote(SCRIPT)}",
    lambda run_id: f"/runs/{run_id}?line={quote(SCRIPT)}",
    lambda run_id: f"/runs/{run_id}?said={quote(SCRIPT)}",
    lambda run_id: f"/runs/{quote(SCRIPT, safe='')}x",
    lambda run_id: f"/{quote(SCRIPT, safe='')}",
]


@pytest.mark.parametrize("path", PATHS, ids=[str(i) for i in range(len(PATHS))])
def test_no_text_of_others_becomes_markup(
    browser: Browser, run_id: str, path: Callable[[str], str]
) -> None:
    page = browser.get(path(run_id)).text

    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>" not in page
    # In a value of an attribute, too, quotes are quoted.
    assert 'onerror=alert(2)>"' not in page


def test_what_was_planted_is_shown_as_text(browser: Browser, run_id: str) -> None:
    page = browser.get(f"/runs/{run_id}").text

    # Title, heading, time line, parameters, error, event, log, arguments, flow.
    assert page.count("&lt;script&gt;alert(1)") >= 9
    assert "&lt;script&gt;alert(&#39;flow&#39;)" in page


def test_control_characters_are_shown_and_not_obeyed(browser: Browser, engine: Engine) -> None:
    engine.run(planted, "turned \u202egnp.exe \x1b[31m", "x")

    page = browser.get("/runs").text

    assert r"turned \u202egnp.exe \x1b[31m" in page
    assert "\u202e" not in page


def test_a_bug_says_nothing_of_the_inside(
    browser: Browser, dashboard: Dashboard, run_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    del dashboard.templates.filters["duration"]

    answer = browser.get(f"/runs/{run_id}")

    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "duration" not in answer.text
    assert "Traceback" not in answer.text
    assert "No filter named 'duration'" in caplog.text
