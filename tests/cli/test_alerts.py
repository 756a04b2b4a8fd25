"""Alerts as a user meets them: sent once, to whom they concern, and without a secret anywhere."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from command import Done, Taxietl, check_refused
from documents import check
from receivers import Mail, Webhook

from taxietl.extract.synthetic import write

PLANTED = "hunter2-t0ken"

FLOWS = """
import os, time
from taxietl import attach_event, flow
from taxietl.errors import NotPublishedError

@flow
def weather(how: str = "ends") -> None:
    if how == "ends":
        return
    if how == "is late":
        raise NotPublishedError("not yet")
    attach_event("my-event", "it rained")
    if how == "fails":
        raise ValueError("no weather")
    if how == "dies":
        os.kill(os.getpid(), 9)
    print("ready", flush=True)
    while how == "hangs":
        time.sleep(0.01)
"""


@pytest.fixture
def hooked(home: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """The webhook, told of everything; the flows, which are in ./flows.py."""
    Path("flows.py").write_text(FLOWS)
    alert('["failed", "crashed", "my-event", "restated", "rejects", "shrunk"]', '{ env = "HOOK" }')
    monkeypatch.setenv("HOOK", f"json://root:{PLANTED}@{webhook.place}/{PLANTED}")
    return webhook


def alert(on: str, url: str) -> None:
    """Add one to the configuration."""
    with Path("taxietl.toml").open("a") as file:
        file.write(f"[[alerts]]\non = {on}\nurl = {url}\n")


def titles(webhook: Webhook) -> list[str]:
    return [each["title"].partition(": ")[2] for each in webhook.messages]


def is_nowhere(home: Path, *dones: Done) -> bool:
    texts = [each.out + each.err for each in dones]
    texts += [each.read_bytes().decode("latin-1") for each in home.rglob("*") if each.is_file()]
    return not any(PLANTED in text for text in texts)


def test_a_command_sends_one_digest_of_all_its_months(
    taxietl: Taxietl, hooked: Webhook, mail: Mail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert('"restated"', '{ env = "MAIL" }')
    monkeypatch.setenv(
        "MAIL", f"mailto://root:{PLANTED}@{mail.place}?from=taxi@example.com&to=me@example.com"
    )
    ingest = ("ingest", "--color", "green", "--year", "2021", "--source", tmp_path, "-q")
    for month in (1, 2):
        write(tmp_path / f"green_tripdata_2021-{month:02}.parquet", "green", 2021, month, rows=90)

    first = taxietl(*ingest, "--month", "1-2")
    for month in (1, 2):
        write(tmp_path / f"green_tripdata_2021-{month:02}.parquet", "green", 2021, month, rows=91)
    second = taxietl(*ingest, "--month", "1-3")

    assert (first.code, second.code) == (0, 3)  # March is not there
    assert titles(hooked) == ["failed, restated (2)"]
    [(subject, text)] = mail.mails
    assert subject.endswith(": restated (2)")
    for words in ("green-2021-01 restated: +1 rows, now 9", "green-2021-02 restated: +1 rows"):
        assert words in hooked.messages[0]["message"]
        assert words in text
    assert "1 of 3 months failed: green-2021-03." in hooked.messages[0]["message"]
    assert "taxietl runs show" in text
    assert is_nowhere(tmp_path / "home", first, second)


def test_a_flow_of_the_users_own_is_told_of(taxietl: Taxietl, hooked: Webhook) -> None:
    done = taxietl("run", "flows.py:weather", "-p", "how=fails", "--json")

    assert done.code == done.document["exit_code"] == 1
    assert titles(hooked) == ["failed, my-event"]


def test_what_runs_no_flow_and_what_asks_later_sends_nothing(
    taxietl: Taxietl, hooked: Webhook, tmp_path: Path
) -> None:
    done = [
        taxietl("sql", "SELECT nonsense"),
        taxietl("run", "flows.py:no_such_flow"),
        taxietl("ingest", "--color", "green", "--year", "2099", "--month", "1", "--dry-run"),
    ]

    assert all(each.code for each in done)
    assert hooked.messages == []


@pytest.mark.parametrize(
    ("number", "told"), [(signal.SIGKILL, ["crashed, my-event"]), (signal.SIGINT, ["my-event"])]
)
def test_a_killed_run_is_told_of_by_the_next_start_and_an_interrupted_one_is_no_failure(
    taxietl: Taxietl, home: Path, hooked: Webhook, number: signal.Signals, told: list[str]
) -> None:
    line = [sys.executable, "-m", "taxietl", "--home", str(home), "run", "flows.py:weather"]
    with subprocess.Popen(
        [*line, "-p", "how=hangs"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
    taxietl("runs", "ls")
    assert titles(hooked) == (told if number == signal.SIGINT else [])

    again = [taxietl("run", "flows.py:weather") for _ in range(2)]

    assert [each.code for each in again] == [0, 0]
    assert titles(hooked) == told
    assert is_nowhere(home, *again)


def test_an_alert_that_cannot_be_sent_is_said_and_fails_nothing(
    taxietl: Taxietl, home: Path, hooked: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.status = 500
    run = ("run", "flows.py:weather", "-p", "how=rains")
    refused = taxietl(*run, "--debug", "-q")
    monkeypatch.delenv("HOOK")
    unset = taxietl(*run, "-q")
    monkeypatch.setitem(sys.modules, "apprise", None)
    missing = taxietl(*run, "-q")
    logs = taxietl("runs", "logs", taxietl("runs", "ls", "--json").document["runs"][0]["name"])

    assert [each.code for each in (refused, unset, missing)] == [0, 0, 0]
    assert "An alert could not be sent: alerts.1: the service did not take it" in refused.err
    assert "the environment variable HOOK is not set" in unset.err
    assert "pip install 'taxietl[alerts]'" in missing.err
    assert "pip install 'taxietl[alerts]'" in logs.out
    assert is_nowhere(home, refused, unset, missing, logs)


def test_alerts_test_sends_one_through_each(
    taxietl: Taxietl, home: Path, hooked: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert('"failed"', f'"jason://{PLANTED}"')
    alert('"failed"', '{ env = "NO_HOOK" }')

    done = taxietl("alerts", "test")

    assert done.code == 2
    assert titles(hooked) == ["a test"]
    first, second, third = done.out.splitlines()
    assert first.startswith("sent    env:HOOK     alerts.1 is told of: failed, crashed,")
    assert "alerts.2.url holds no address that Apprise understands" in second
    assert "alerts.3.url: the environment variable NO_HOOK is not set" in third
    assert is_nowhere(home, done)


def test_alerts_test_without_alerts_or_apprise_says_what_to_write(
    taxietl: Taxietl, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_refused(taxietl("alerts", "test"), 2, "No alerts are configured.", "[[alerts]]")
    alert('"failed"', '{ env = "HOOK" }')
    monkeypatch.setitem(sys.modules, "apprise", None)
    check_refused(taxietl("alerts", "test"), 2, "pip install 'taxietl[alerts]'")


def test_no_command_shows_an_address(taxietl: Taxietl, home: Path, hooked: Webhook) -> None:
    alert('"failed"', f'"json://root:{PLANTED}@127.0.0.1:1/{PLANTED}"')

    done: list[Any] = [
        taxietl("profiles", "ls"),
        taxietl("profiles", "show", "warehouse"),
        taxietl("doctor", "--json"),
        tested := taxietl("alerts", "test", "--debug", "--json"),
    ]
    check(tested.document, "alerts_test")
    assert [each["sent"] for each in tested.document["alerts"]] == [True, False]
    assert tested.document["exit_code"] == tested.code == 5
    with Path("taxietl.toml").open("a") as file:
        file.write('urll = "nonsense"\n')
    done += [taxietl("profiles", "ls", "--debug"), taxietl("doctor")]

    assert is_nowhere(home, *done)


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("run", "flows.py:weather", "-p", "how=fails"), 1, "failed, my-event"),
        (("run", "flows.py:weather", "-p", "how=dies"), 137, "failed, crashed, my-event"),
        (("sql", "SELECT nonsense"), 5, "failed"),
    ],
    ids=["a run that failed", "a run that was killed", "no run"],
)
def test_a_scheduled_command_that_failed_is_told_of_once(
    taxietl: Taxietl, home: Path, hooked: Webhook, command: Any, code: int, told: str
) -> None:
    added = taxietl("schedule", "add", "nightly", "--by", "run", "--every", "1h", "--", *command)

    done = taxietl("schedule", "exec", "nightly")
    after = taxietl("schedule", "failed", "nightly")

    assert added.code == after.code == 0
    assert (done.code, titles(hooked)) == (code, [told])
    assert is_nowhere(home, added, done, after)


def test_doctor_looks_at_each_address_and_sends_nothing(
    taxietl: Taxietl, home: Path, hooked: Webhook
) -> None:
    alert('"failled"', '{ env = "HOOK" }')
    alert('"failed"', f'"jason://{PLANTED}"')

    done = taxietl("doctor", "--json")

    found = [each for each in done.document["checks"] if each["check"] == "alerts"]
    assert [each["state"] for each in found] == ["ok", "warning", "problem"]
    assert found[1]["hint"] == "Did you mean 'failed'?"
    assert found[2]["exit_code"] == 2
    assert hooked.messages == []
    assert is_nowhere(home, done)


def test_a_credential_of_an_alert_goes_into_the_unit(
    taxietl: Taxietl, home: Path, tmp_path: Path
) -> None:
    alert('"failed"', '{ credential = "hook" }')
    (tmp_path / "hook").write_text(f"json://{PLANTED}")
    line = ("schedule", "add", "nightly", "--by", "systemd-user", "--every", "1h", "--print")

    done = taxietl(*line, "--credential", f"hook={tmp_path / 'hook'}", "--", "runs", "ls")
    warned = taxietl(*line, "--", "runs", "ls")

    assert done.out.count(f"LoadCredential=hook:{tmp_path / 'hook'}") == 2  # and OnFailure's
    assert "alerts.1.url is the credential 'hook'" in warned.err


def test_a_schedule_pings_its_address_after_success_only(
    taxietl: Taxietl, home: Path, webhook: Webhook, tmp_path: Path
) -> None:
    ping = tmp_path / "ping"
    ping.write_text(f"http://{webhook.place}/{PLANTED}\n")
    line = ("schedule", "add", "nightly", "--by", "run", "--every", "1h", "--force")
    to = (*line, "--ping", f"file:{ping}", "--")

    done = [taxietl(*to, "runs", "ls"), taxietl("schedule", "exec", "nightly")]
    assert webhook.pings == [f"/{PLANTED}"]
    webhook.status = 404
    done += [refused := taxietl("schedule", "exec", "nightly")]
    ping.write_text(f"ftp://{PLANTED}")
    done += [
        wrong := taxietl("schedule", "exec", "nightly"),
        taxietl("schedule", "show", "nightly"),
    ]
    ping.write_text(f"http://{webhook.place}/{PLANTED}")
    done += [
        taxietl(*to, "sql", "SELECT nonsense"),
        failed := taxietl("schedule", "exec", "nightly"),
    ]

    assert (refused.code, wrong.code, failed.code) == (0, 0, 5)
    assert "The ping of schedule 'nightly' did not arrive: HTTP 404" in refused.err
    assert "holds no address that could be asked" in wrong.err
    assert len(webhook.pings) == 2
    assert f"ping = file:{ping}" in done[4].out
    assert is_nowhere(home, *done)


@pytest.mark.parametrize(
    "given", [f"https://hc.example.com/{PLANTED}", "file:./nowhere", "credential:a/b", "env:"]
)
def test_a_ping_is_a_reference(taxietl: Taxietl, home: Path, given: str) -> None:
    line = ("schedule", "add", "nightly", "--by", "run", "--every", "1h", "--ping", given)

    done = taxietl(*line, "--", "runs", "ls")

    check_refused(done, 2, "--ping")
    assert is_nowhere(home, done)


def test_three_times_later_in_a_row_is_told_of_once(taxietl: Taxietl, hooked: Webhook) -> None:
    line = ("schedule", "add", "nightly", "--by", "run", "--every", "1h", "--")
    taxietl(*line, "run", "flows.py:weather", "-p", "how=is late")

    codes = [taxietl("schedule", "exec", "nightly").code for _ in range(4)]

    assert codes == [75] * 4
    assert titles(hooked) == ["failed"]
    assert "try later, 3 times in a row" in hooked.messages[0]["message"]


def test_a_schedule_that_was_killed_with_its_command_is_told_of_once(
    taxietl: Taxietl, home: Path, hooked: Webhook
) -> None:
    line = ("schedule", "add", "nightly", "--by", "run", "--every", "1h", "--")
    taxietl(*line, "run", "flows.py:weather", "-p", "how=hangs")
    with subprocess.Popen(
        [sys.executable, "-m", "taxietl", "--home", str(home), "schedule", "exec", "nightly"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        children = psutil.Process(process.pid).children(recursive=True)
        for each in (process, *children):
            each.kill()

    taxietl("schedule", "failed", "nightly")  # as OnFailure= does
    taxietl("schedule", "failed", "nightly")
    taxietl("run", "flows.py:weather")

    assert titles(hooked) == ["crashed (2), my-event"]
