"""`taxietl doctor` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Taxietl
from documents import check

NOBODY = "http://127.0.0.1:1/{color}-{year}-{month}.parquet"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves the machine."""
    monkeypatch.setenv("TAXIETL_SOURCES__TLC__URL", NOBODY)


def _everything_in(folder: Path) -> dict[str, bytes | None]:
    return {
        str(each): each.read_bytes() if each.is_file() else None
        for each in sorted(folder.rglob("*"))
    }


def test_a_machine_without_anything_has_no_problem_and_stays_so(
    taxietl: Taxietl, home: Path
) -> None:
    before = _everything_in(home.parent)

    done = taxietl("doctor")

    assert done.code == 0, done.out
    assert {line.split()[0] for line in done.out.splitlines()} <= {"ok", "warning"}
    assert _everything_in(home.parent) == before


def test_the_profiles_are_checked_as_profiles_check_does(taxietl: Taxietl, home: Path) -> None:
    Path("taxietl.toml").write_text(
        '[profiles.it]\ntype = "postgres"\nhost = "127.0.0.1"\nport = 1\nuser = "me"\n'
    )

    doctor, profiles = taxietl("doctor", "--json"), taxietl("profiles", "check", "--json")

    check(doctor.document, "doctor")
    messages = {each["message"] for each in doctor.document["checks"]}
    assert {each["message"] for each in profiles.document["checks"]} <= messages
    assert doctor.code == profiles.code == doctor.document["exit_code"] == 5


def test_a_broken_configuration_is_a_line_among_others(taxietl: Taxietl, home: Path) -> None:
    Path("taxietl.toml").write_text("[ingest]\nsorce = 'tlc'\nmax_rejcts = 1\n")

    done = taxietl("doctor", "--json")

    check(done.document, "doctor")
    assert done.code == 2
    states = {each["check"]: each["state"] for each in done.document["checks"]}
    assert states["config"] == "problem"
    assert states["versions"] == "ok"


def test_a_planted_secret_is_nowhere(taxietl: Taxietl, home: Path, tmp_path: Path) -> None:
    planted = "hunter2-planted"
    (tmp_path / "url").write_text(f"postgresql://me:{planted}@127.0.0.1:1/taxi")
    (tmp_path / "url").chmod(0o644)
    Path("taxietl.toml").write_text(
        f'[profiles.a]\ntype = "postgres"\nurl = {{ file = "{tmp_path / "url"}" }}\n'
        f'[profiles.b]\ntype = "postgres"\nhost = "127.0.0.1"\nport = 1\npassword = "{planted}"\n'
    )

    done = [taxietl("doctor", *each) for each in ((), ("--json",), ("-v", "--debug"))]

    assert [each.code for each in done] == [5, 5, 5]
    assert planted not in json.dumps([(each.out, each.err) for each in done])
