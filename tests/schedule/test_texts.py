"""What is written for a schedule: units and crontab lines."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from systemd import verify

from taxietl.errors import ConfigError
from taxietl.schedule import crontab, systemd
from taxietl.schedule.definition import Schedule, Starter
from taxietl.schedule.installing import calendar, texts
from taxietl.schedule.stamps import is_untouched, stamped

Make = Callable[..., Schedule]


@pytest.mark.parametrize("starter", [Starter.SYSTEMD_USER, Starter.SYSTEMD_SYSTEM])
def test_systemd_has_nothing_against_a_unit(make: Make, tmp_path: Path, starter: Starter) -> None:
    folder = tmp_path / '50%n $HOME d\'arc "x" a\\b ü;#'
    folder.mkdir()
    program = tmp_path / "50%n $HOME ü;#" / "taxietl"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    schedule = make(
        *("sql", "SELECT '%n', \"x\"; --", "$HOME"),
        cron="0 5 20 * FRI",
        starter=starter,
        folder=folder,
        home=folder / "home",
        config=folder / "taxietl.toml",
        program=(str(program),),
        user="root" if starter is Starter.SYSTEMD_SYSTEM else None,
        credentials={"pg": folder / "pg"},
    )
    units = tmp_path / "units"
    units.mkdir()
    for each in texts(schedule):
        (units / Path(each.place).name).write_text(each.text)

    said = verify(
        *sorted(units.iterdir()),
        manager=starter.value.removeprefix("systemd-"),
        runtime=tmp_path,
    )

    assert said == ""
    assert len(list(units.iterdir())) == 3


def test_a_unit_has_all_that_was_promised(make: Make) -> None:
    schedule = make(
        starter=Starter.SYSTEMD_SYSTEM,
        user="taxi",
        config=Path("/etc/taxietl.toml"),
        home=Path("/srv/taxi"),
        folder=Path("/srv"),
        program=("/opt/bin/taxietl",),
        credentials={"pg": Path("/etc/credstore/pg")},
    )

    made = systemd.units(schedule, calendar(schedule), delay=timedelta(minutes=5))

    timer, service, failed = (text.splitlines() for text in made.values())
    assert {"OnCalendar=*-*-* 05:17:00", "Persistent=true", "RandomizedDelaySec=300"} <= set(timer)
    line = "ExecStart=/opt/bin/taxietl --home /srv/taxi --config /etc/taxietl.toml schedule"
    assert {
        "User=taxi",
        "WorkingDirectory=/srv",
        f"{line} exec nightly",
        "SuccessExitStatus=75",
        "OnFailure=taxietl-nightly-failed.service",
        "LoadCredential=pg:/etc/credstore/pg",
        "NoNewPrivileges=yes",
    } <= set(service)
    assert {f"{line} failed nightly", "User=taxi", "LoadCredential=pg:/etc/credstore/pg"} <= set(
        failed
    )


@pytest.mark.parametrize(
    ("cron", "seconds"), [("17 5 * * *", 300), ("*/5 * * * *", 30), ("* * * * *", 6)]
)
def test_a_timer_waits_a_tenth_of_its_interval_at_most(make: Make, cron: str, seconds: int) -> None:
    timer, *_ = texts(make(cron=cron, starter=Starter.SYSTEMD_USER))

    assert f"RandomizedDelaySec={seconds}\n" in timer.text


def test_no_password_of_a_command_is_in_a_text(make: Make) -> None:
    command = ("sql", "SELECT 1", "--on", "postgresql://me:hunter2@db/taxi")

    for starter in (Starter.SYSTEMD_USER, Starter.CRON):
        for each in texts(make(*command, starter=starter)):
            assert "hunter2" not in each.text


def test_an_edit_by_hand_is_noticed() -> None:
    text = stamped("nightly", "[Unit]\nDescription=ä\n")

    assert is_untouched(text)
    assert not is_untouched(text.replace("ä", "b"))
    assert not is_untouched(text + "\n")
    assert not is_untouched("[Unit]\n")
    assert not is_untouched("")


FOREIGN = [
    b"",
    b"# mine\n",
    b"MAILTO=ana\n\n0 5 * * * /bin/true %\n",
    b"\xff\xfe no text\n\t \n# BEGIN taxietl schedule nightl\n# END taxietl schedule nightlyx\n",
    b"# BEGIN taxietl schedule other\nx\n# END taxietl schedule other\n",
    b"a\r\nb\r\n",
]


@pytest.mark.parametrize("before", FOREIGN)
@pytest.mark.parametrize("after", FOREIGN)
def test_foreign_lines_stay_byte_for_byte(make: Make, before: bytes, after: bytes) -> None:
    schedule = make(starter=Starter.CRON)
    full = crontab.with_block(before, schedule) + after

    assert full.startswith(before)
    assert full.endswith(after)
    assert crontab.without(full, "nightly") == before + after
    lines = crontab.find(full, "nightly")
    assert lines
    assert is_untouched(lines)
    changed = make("flows", "ls", starter=Starter.CRON)
    again = crontab.with_block(full, changed)
    assert b"flows ls" in again
    assert b"runs ls" not in again
    assert crontab.without(again, "nightly") == before + after


def test_a_percent_sign_is_no_line_break_to_cron(make: Make) -> None:
    lines = crontab.block(make(starter=Starter.CRON, home=Path("/srv/50% off")))

    assert "--home '/srv/50\\% off' schedule exec nightly\n" in lines


@pytest.mark.parametrize("home", ["/a\nb", f"/{'long' * 250}"])
def test_what_no_crontab_can_hold_is_refused(make: Make, home: str) -> None:
    with pytest.raises(ConfigError, match="crontab"):
        crontab.block(make(starter=Starter.CRON, home=Path(home)))


def test_the_checker_is_a_real_one(tmp_path: Path) -> None:
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nNoNewPriv=yes\n")

    assert "NoNewPriv" in verify(unit, manager="system", runtime=tmp_path)
    assert shutil.which("systemd-analyze")


@pytest.mark.parametrize("program", ["/d'arc/taxietl", "/a\\b/taxietl"])
def test_a_program_that_systemd_would_not_start_is_refused(make: Make, program: str) -> None:
    schedule = make(starter=Starter.SYSTEMD_USER, program=(program,))

    with pytest.raises(ConfigError, match="systemd starts no program"):
        texts(schedule)
