"""Debian's crontab and cron, as a user has them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cron import run_with_cron

FOREIGN = b"# mine\nMAILTO=ana\n\n0 5 * * *\t/bin/true \\%  \n# no end: \xff\n"


@pytest.fixture
def line(tmp_path: Path) -> str:
    """How to type taxietl in a script."""
    return f"{sys.executable} -m taxietl --home {tmp_path / 'home'} schedule"


def test_the_crontab_is_as_it_was_after_add_and_rm(tmp_path: Path, line: str) -> None:
    (tmp_path / "mine").write_bytes(FOREIGN)

    done = run_with_cron(
        f"""
        cd {tmp_path}
        crontab mine
        {line} add nightly --by cron --cron '17 5 * * *' -- runs ls
        crontab -l > with
        {line} rm nightly
        crontab -l > after
        crontab -r
        {line} add nightly --by cron --every 6h -- runs ls
        {line} rm nightly
        ! crontab -l
        """,
        tmp_path,
    )

    assert done.returncode == 0, done.stderr
    during = (tmp_path / "with").read_bytes()
    assert during.startswith(FOREIGN)
    assert b"\n17 5 * * * /" in during[len(FOREIGN) :]
    assert (tmp_path / "after").read_bytes() == FOREIGN
    assert done.stderr.strip() == "no crontab for root"


def test_a_real_cron_starts_it(tmp_path: Path, line: str) -> None:
    last = tmp_path / "home" / "schedules" / "nightly.last.json"

    done = run_with_cron(
        f"""
        cd {tmp_path}
        {line} add nightly --by cron --every 1m -- runs ls >&2
        eval "$daemon"
        for i in $(seq 300); do
            found=$(cat {last} 2>&1) || true
            case $found in *'"exit_code": 0'*) echo "$found"; exit;; esac
            sleep 0.1
        done
        """,
        tmp_path,
    )

    outcome = json.loads(done.stdout)
    assert (outcome["result"], outcome["exit_code"]) == ("done", 0), done.stderr
