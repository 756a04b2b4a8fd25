"""The checks of a set-up, each against the real thing."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxietl.doctor.examination import Check, examine
from taxietl.errors import TaxietlError
from taxietl.findings import Finding, State

PLANTED = "hunter2-planted"
Examine = Callable[..., list[Finding]]


def told(findings: list[Finding]) -> str:
    return "\n".join(f"{each.state} {each.message} {each.hint}" for each in findings)


def test_without_a_configuration_none_is_needed(found: Examine) -> None:
    (only,) = found("config")

    assert only.state is State.OK
    assert "taxietl init" in only.message


def test_a_valid_configuration_is_named_with_its_profiles(found: Examine) -> None:
    (only,) = found("config", config='[profiles.lake]\ntype = "folder"\npath = "lake"\n')

    assert only.state is State.OK
    assert "taxietl.toml is valid; profiles: lake, warehouse." in only.message


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param("[ingest]\nsorce = 'tlc'\n", ("sorce", "source"), id="unknown key"),
        pytest.param("[ingets]\n", ("ingets",), id="unknown section"),
        pytest.param("[ingest\n", ("not valid TOML",), id="not TOML"),
    ],
)
def test_a_wrong_configuration_is_a_problem_and_the_rest_is_looked_at(
    found: Examine, config: str, words: tuple[str, ...]
) -> None:
    wrong, home = found("config", "home", "disk", config=config)

    assert (wrong.state, wrong.exit_code) == (State.PROBLEM, 2)
    for word in words:
        assert word in wrong.message
    assert (home.check, home.state) == ("home", State.OK)


def test_a_secret_written_out_is_a_warning_and_not_repeated(found: Examine) -> None:
    config = f'[profiles.it]\ntype = "postgres"\npassword = "{PLANTED}"\n'
    Path("taxietl.toml").touch(0o644)

    _, warned = found("config", config=config)

    assert warned.state is State.WARNING
    assert "profiles.it.password is a secret written out" in warned.message
    assert "chmod 600" in warned.message
    assert PLANTED not in told([warned])


@pytest.mark.parametrize(
    ("mode", "readers"),
    [(0o604, "every user of this machine"), (0o640, "its group"), (0o600, ""), (0o400, "")],
    ids=["others", "group", "nobody", "nobody, read-only"],
)
@pytest.mark.parametrize(
    "lines",
    [
        'type = "postgres"\npassword = {{ file = "{file}" }}',
        'type = "postgres"\nurl = {{ file = "{file}" }}',
        'type = "gcp-credentials"\nservice_account_file = "{file}"',
        'type = "gcp-credentials"\nservice_account_info = {{ file = "{file}" }}',
    ],
    ids=["password", "url", "key file", "key"],
)
def test_who_else_can_read_a_secret_file(
    found: Examine, tmp_path: Path, lines: str, mode: int, readers: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(PLANTED)
    file.chmod(mode)

    (only,) = found("permissions", config="[profiles.it]\n" + lines.format(file=file))

    if readers:
        assert only.state is State.WARNING
        assert f"can be read by {readers}" in only.message
        assert only.hint == f"chmod 600 {file}"
    else:
        assert only.state is State.OK
    assert PLANTED not in told([only])
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_home_is_not_made(found: Examine, home: Path) -> None:
    (only,) = found("home")

    assert only.state is State.OK
    assert "the first run makes it" in only.message
    assert not home.exists()


def test_a_file_in_the_way_of_the_home(found: Examine, home: Path) -> None:
    home.write_text("a letter")

    (only,) = found("home")

    assert (only.state, only.exit_code) == (State.PROBLEM, 2)
    assert "--home DIR" in only.hint


@pytest.mark.parametrize(
    ("free", "state", "code"),
    [(50_000_000, State.PROBLEM, 5), (1_000_000_000, State.WARNING, 0), (1 << 40, State.OK, 0)],
)
def test_the_room_on_a_disk_against_what_months_take(
    found: Examine, free: int, state: State, code: int
) -> None:
    config = '[profiles.lake]\ntype = "folder"\npath = "lake"\n'

    disk, *cache = found("disk", config=config, free_bytes=lambda _: free)

    assert (disk.state, disk.exit_code) == (state, code)
    assert "taxi.duckdb (profile warehouse)" in disk.message
    assert "lake (profile lake)" in disk.message
    assert [each.state for each in cache] == ([State.WARNING] if free < 10e9 else [])


def test_a_check_that_hangs_keeps_nobody_waiting() -> None:
    def hang() -> list[Finding]:
        time.sleep(5)
        return []

    checks = [
        Check("slow", "it", hang),
        Check("quick", "", lambda: [Finding.ok("quick", "", "fine")]),
    ]

    slow, quick = examine(checks, limit_seconds=0.05)

    assert (slow.check, slow.subject, slow.exit_code) == ("slow", "it", 5)
    assert "no answer within 0.05 s" in slow.message
    assert quick.state is State.OK


def test_what_a_check_found_before_it_broke_is_kept() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding.ok("it", "", "fine so far")
        raise ZeroDivisionError("at postgresql://me:" + PLANTED + "@db/taxi")

    fine, failed = examine([Check("it", "", broken)])

    assert fine.message == "fine so far"
    assert type(failed.error) is TaxietlError
    assert "ZeroDivisionError" in failed.message
    assert PLANTED not in failed.message
