"""`taxietl schedule` as typed; systemctl is a script that notes what it is asked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from command import Taxietl, check_refused
from documents import check
from systemd import fake_systemctl, systemd_analyze

DAILY = ("--cron", "17 5 * * *")
USER = ("--by", "systemd-user")
RUN = ("--by", "run")
COMMAND = ("--", "runs", "ls", "--limit", "3", "--json")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH: of systemd's and cron's programs there are none but the test's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def asked(path: Path) -> Path:
    """What systemctl was asked."""
    return fake_systemctl(path)


@pytest.fixture
def units(home: Path) -> Path:
    """Where the user's units go."""
    return Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user"


def left(*folders: Path) -> list[str]:
    """The files in these folders."""
    return sorted(each.name for one in folders if one.exists() for each in one.iterdir())


UNITS = [
    "taxietl-nightly-failed.service",
    "taxietl-nightly.service",
    "taxietl-nightly.timer",
]


def test_a_timer_from_add_to_rm(taxietl: Taxietl, home: Path, units: Path, asked: Path) -> None:
    Path("taxietl.toml").write_text('[ingest]\nsource = "synthetic"\n')

    done = taxietl("schedule", "add", "nightly", *DAILY, *USER, *COMMAND)

    assert done.code == 0, done.err
    assert done.out.startswith("nightly  added: next at ")
    assert " 05:17:00 (" in done.out
    assert "loginctl enable-linger" in done.err
    assert left(units) == UNITS
    service = (units / UNITS[1]).read_text()
    line = f"--home {home} --config {Path.cwd() / 'taxietl.toml'} schedule exec nightly"
    assert f"ExecStart={Path(sys.executable).with_name('taxietl')} {line}\n" in service
    assert f"WorkingDirectory={Path.cwd()}\n" in service
    assert asked.read_text().splitlines() == [
        "--user show --property=Version",
        "--user daemon-reload",
        "--user enable taxietl-nightly.timer",
        "--user restart taxietl-nightly.timer",
    ]

    assert taxietl("schedule", "rm", "nightly").code == 0
    assert asked.read_text().splitlines()[4:] == [
        "--user disable --now taxietl-nightly.timer",
        "--user clean --what=state taxietl-nightly.timer",
        "--user daemon-reload",
    ]
    assert left(units, home / "schedules") == []


def test_the_documents(taxietl: Taxietl, asked: Path) -> None:
    added = taxietl("schedule", "add", "nightly", *DAILY, *USER, "--json", *COMMAND).document
    check(added, "schedule_add")
    assert added["installed"]
    assert added["schedule"]["command"] == ["runs", "ls", "--limit", "3", "--json"]
    check(taxietl("schedule", "exec", "nightly", "--json").document, "schedule_exec")
    shown = taxietl("schedule", "show", "nightly", "--json").document
    check(shown, "schedule_show")
    assert [each["is_edited"] for each in shown["files"]] == [False] * 3
    listed = taxietl("schedule", "ls", "--json").document
    check(listed, "schedules")
    (only,) = listed["schedules"]
    assert only == shown["schedule"]
    assert only["last"]["result"] == "done"
    check(taxietl("schedule", "failed", "nightly", "--json").document, "schedule_failed")
    check(taxietl("schedule", "rm", "nightly", "--json").document, "schedule_rm")


def test_ls_says_when_it_ran_last_and_runs_next(taxietl: Taxietl, path: Path) -> None:
    script = Path("own.py")
    script.write_text("from taxietl import flow\n\n@flow\ndef own():\n    raise ValueError('no')\n")
    taxietl("schedule", "add", "a", *DAILY, *RUN, "--", "run", "own.py")
    taxietl("schedule", "add", "b", "--every", "6h", *RUN, "--", "runs", "ls")
    assert taxietl("schedule", "exec", "a").code == 1

    done = taxietl("schedule", "ls")

    head, a, b = (line.split("  ") for line in done.out.splitlines())
    assert "failed with exit code 1" in [each.strip() for each in a]
    assert "never run" in [each.strip() for each in b]
    assert b[-1] == "runs ls"
    assert " ".join(head).split() == "name when by next last outcome command".split()
    assert "05:17" in done.out


def test_ls_and_systemd_name_the_same_next_time(
    taxietl: Taxietl, path: Path, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path / "systemd-analyze").symlink_to(systemd_analyze_elsewhere(monkeypatch, path))
    for number, when in enumerate(
        [("--cron", "17 5 20 * FRI"), ("--on-calendar", "Mon..Fri 05:17"), ("--every", "6h")]
    ):
        name = f"s{number}"
        done = taxietl("schedule", "add", name, *when, *USER, "--json", "--", "runs", "ls")
        by_run = taxietl("schedule", "add", f"r{number}", *when, *RUN, "--json", "--", "runs", "ls")
        if when[0] == "--on-calendar":
            check_refused_json(by_run.document, 2, "systemd's")
            assert done.document["schedule"]["next_at"]
        else:  # systemd's answer, and cronsim's
            assert done.document["schedule"]["next_at"] == by_run.document["schedule"]["next_at"]


def systemd_analyze_elsewhere(monkeypatch: pytest.MonkeyPatch, path: Path) -> str:
    """The real program, though PATH has only the test's folder."""
    with monkeypatch.context() as all_of_it:
        all_of_it.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
        return systemd_analyze()


def check_refused_json(document: dict[str, object], code: int, word: str) -> None:
    assert document["exit_code"] == code
    assert word in json.dumps(document["error"])


@pytest.mark.parametrize("by", ["systemd-user", "systemd-system", "cron", "run"])
def test_print_installs_nothing_and_needs_nothing(
    taxietl: Taxietl, home: Path, units: Path, path: Path, by: str
) -> None:
    home.mkdir()

    done = taxietl("schedule", "add", "nightly", *DAILY, "--by", by, "--print", "--json", *COMMAND)

    check(done.document, "schedule_add")
    assert not done.document["installed"]
    assert len(done.document["files"]) == {"cron": 1, "run": 0}.get(by, 3)
    assert left(units, home) == []


BAD = {
    "cron": (["--cron", "61 25 * * *"], 2, ["minute (61)", "hour (25)", "0-59"]),
    "no time": ([], 2, ["exactly one of --cron"]),
    "two times": ([*DAILY, "--every", "6h"], 2, ["exactly one"]),
    "interval": (["--every", "7h"], 2, ["divide", "6h"]),
    "calendar": (["--on-calendar", "never"], 2, ["never", "systemd.time"]),
    "no systemd": ([*DAILY, *USER], 2, ["no program systemctl", "--by cron"]),
    "no crontab": ([*DAILY, "--by", "cron"], 2, ["no program crontab", "apt-get install cron"]),
    "credential": ([*DAILY, *RUN, "--credential", "a=b"], 2, ["run has no credentials"]),
    "no file": ([*DAILY, *USER, "--credential", "a=b"], 2, ["no file", "/b"]),
    "user": ([*DAILY, *USER, "--user", "root"], 2, ["--user is for --by systemd-system"]),
    "nobody": ([*DAILY, "--by", "systemd-system", "--user", "n0"], 2, ["no user 'n0'"]),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_told_and_nothing_is_installed(
    taxietl: Taxietl,
    home: Path,
    units: Path,
    path: Path,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options, code, words = BAD[what]
    if what == "calendar":
        (path / "systemd-analyze").symlink_to(systemd_analyze_elsewhere(monkeypatch, path))
        options = [*options, *USER]

    done = taxietl("schedule", "add", "nightly", *options, *COMMAND)

    check_refused(done, code, *words)
    assert left(units, home / "schedules") == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["nonsense"], ["'nonsense' cannot be scheduled"]),
        (["schedule", "ls"], ["cannot start `taxietl schedule`"]),
        (["--home", "x", "runs", "ls"], ["--home before `schedule`"]),
        (["runs", "lss"], ["No such command", "runs"]),
        (["runs", "ls", "--limit", "x"], ["--limit", "integer"]),
        (["runs", "ls", "--nonsense"], ["--nonsense"]),
        (["sync", "--color", "yelow"], ["'yelow'", "'yellow'"]),
        (["sync", "--color", "all", "--since", "2024"], ["--since 2024", "2019-03"]),
        (["ingest", "--color", "all", "--year", "2021-2019"], ["backwards", "2019-2021"]),
        (["verify", "--color", "all", "--year", "2021", "--month", "13"], ["no month 13"]),
        (["status", "--until", "2021-13"], ["--until 2021-13"]),
        (["run", "-p", "n=1", "flow.py:etl"], ["no file flow.py"]),
        (["sql", "SELECT 1", "--on", "postgresql://me:hunter2@db/t"], ["password", "env:"]),
    ],
)
def test_a_command_that_would_fail_at_night_is_refused(
    taxietl: Taxietl, home: Path, command: list[str], words: list[str]
) -> None:
    done = taxietl("schedule", "add", "nightly", *DAILY, *RUN, "--", *command)

    check_refused(done, 2, *words)
    assert "hunter2" not in done.err
    assert left(home / "schedules") == []


@pytest.mark.parametrize("name", ["", "a b", "a/b", "../a", "-a", "a.b", "n" * 51, "ä"])
def test_a_name_that_no_unit_could_have_is_refused(taxietl: Taxietl, name: str) -> None:
    done = taxietl("schedule", "add", *DAILY, *RUN, "--", name, "runs", "ls")

    check_refused(done, 2, "cannot be the name of a schedule")


def test_a_name_that_is_there_already(taxietl: Taxietl, home: Path) -> None:
    taxietl("schedule", "add", "nightly", *DAILY, *RUN, *COMMAND)

    check_refused(
        taxietl("schedule", "add", "nightly", "--every", "6h", *RUN, *COMMAND),
        *(2, "named 'nightly' already", "--force"),
    )
    assert "17 5 * * *" in taxietl("schedule", "ls").out
    assert (
        taxietl("schedule", "add", "nightly", "--every", "6h", *RUN, "--force", *COMMAND).code == 0
    )
    assert "every 6h" in taxietl("schedule", "ls").out
    check_refused(taxietl("schedule", "show", "nightl"), 2, "Did you mean 'nightly'?")


def test_a_unit_that_was_edited_is_kept(taxietl: Taxietl, units: Path, asked: Path) -> None:
    taxietl("schedule", "add", "nightly", *DAILY, *USER, *COMMAND)
    timer = units / UNITS[2]
    timer.write_text(timer.read_text().replace("05:17", "06:17"))
    edited = timer.read_text()

    check_refused(taxietl("schedule", "rm", "nightly"), 2, str(timer), "edited by hand", "--force")
    assert taxietl("schedule", "show", "nightly").out.count("(edited by hand)") == 1
    again = ("schedule", "add", "nightly", *DAILY, *USER)
    other_home = ("--home", units.parent / "other")
    check_refused(taxietl(*other_home, *again, *COMMAND), 2, "edited by hand")
    assert timer.read_text() == edited

    assert taxietl(*again, "--force", *COMMAND).code == 0
    assert "05:17" in timer.read_text()
    check_refused(taxietl(*other_home, *again, *COMMAND), 2, "another TAXIETL_HOME")
    timer.write_text(edited)
    assert taxietl("schedule", "rm", "nightly", "--force").code == 0


@pytest.mark.parametrize("refused", ["show", "daemon-reload", "enable", "restart"])
def test_if_systemd_refuses_all_is_as_it_was(
    taxietl: Taxietl, home: Path, units: Path, path: Path, refused: str
) -> None:
    fake_systemctl(path, refused=refused)

    done = taxietl("schedule", "add", "nightly", *DAILY, *USER, *COMMAND)

    check_refused(done, 2 if refused == "show" else 5, "Job failed.")
    assert left(units, home / "schedules") == []

    fake_systemctl(path)
    taxietl("schedule", "add", "nightly", *DAILY, *USER, *COMMAND)
    before = {each: each.read_bytes() for each in units.iterdir()}
    fake_systemctl(path, refused=refused)
    taxietl("schedule", "add", "nightly", "--every", "6h", *USER, "--force", *COMMAND)
    assert {each: each.read_bytes() for each in units.iterdir()} == before
    assert "17 5 * * *" in taxietl("schedule", "ls").out


def test_another_starter_takes_the_first_ones_place(
    taxietl: Taxietl, units: Path, asked: Path
) -> None:
    taxietl("schedule", "add", "nightly", *DAILY, *USER, *COMMAND)

    done = taxietl("schedule", "add", "nightly", *DAILY, *RUN, "--force", *COMMAND)

    assert done.code == 0, done.err
    assert left(units) == []
    assert "disable --now taxietl-nightly.timer" in asked.read_text()


SECRETS = """
[profiles.a]
type = "postgres"
host = "db"
password = { credential = "pg" }
[profiles.b]
type = "postgres"
host = "db"
password = { env = "PGPASSWORD" }
[[alerts]]
on = ["failed"]
url = { credential = "chat" }
"""


def test_secrets_of_the_configuration(
    taxietl: Taxietl, units: Path, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_INGEST__SOURCE", "mirror")
    Path("taxietl.toml").write_text(SECRETS)
    Path("pg").write_text("hunter2")
    add = ("schedule", "add", "nightly", *DAILY, *USER, "--force")

    warned = [line for line in taxietl(*add, *COMMAND).err.splitlines() if "warning" in line]
    store = units.parent.parent / "credstore"
    assert len(warned) == 4
    assert f"profiles.a.password is the credential 'pg': put it into {store / 'pg'}" in warned[0]
    assert "profiles.b.password is read from the environment variable PGPASSWORD" in warned[1]
    assert f"alerts.1.url is the credential 'chat': put it into {store / 'chat'}" in warned[2]
    assert "TAXIETL_INGEST__SOURCE: set here" in warned[3]

    store.mkdir()
    for name in ("pg", "chat"):
        (store / name).write_text("hunter2")
    taxietl(*add, *COMMAND)
    for name in ("pg", "chat"):
        assert f"LoadCredential={name}:{store / name}\n" in (units / UNITS[1]).read_text()
    done = taxietl(*add, "--credential", "pg=pg", *COMMAND)
    assert f"LoadCredential=pg:{Path.cwd() / 'pg'}\n" in (units / UNITS[1]).read_text()
    assert "'pg'" not in done.err
    (crontab,) = taxietl(
        *("schedule", "add", "c", *DAILY, "--by", "cron", "--print", "--json", *COMMAND)
    ).document["files"]
    assert "hunter2" not in crontab["text"]


def test_a_running_schedule_is_not_removed(taxietl: Taxietl, home: Path) -> None:
    from taxietl.filelock import try_lock

    taxietl("schedule", "add", "nightly", *DAILY, *RUN, *COMMAND)
    lock = try_lock(home / "schedules" / "nightly.lock")
    assert lock

    check_refused(taxietl("schedule", "rm", "nightly"), 75, "is running")
    check_refused(taxietl("schedule", "exec", "nightly"), 75, "is running")
    lock.release()
    assert taxietl("schedule", "rm", "nightly").code == 0


def test_the_help_has_nothing_that_only_units_call(taxietl: Taxietl) -> None:
    shown = taxietl("schedule", "--help").out

    assert "add" in shown
    assert "exec" not in shown
