"""What holds for every command line: options given once, `list`, `help`, texts as written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from command import Taxietl, check_refused

from taxietl.cli.app import app

ROOT: Any = typer.main.get_command(app())


def below(group: Any, trail: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group, by what one types for it."""
    yield trail, group
    for name, command in getattr(group, "commands", {}).items():
        yield from below(command, (*trail, name))


ALL = dict(below(ROOT))
GROUPS = [trail for trail, each in ALL.items() if hasattr(each, "commands")]
COMMANDS = [trail for trail in ALL if trail not in GROUPS]


def options(trail: tuple[str, ...]) -> list[Any]:
    return [each for each in ALL[trail].params if each.param_type_name == "option"]


@pytest.mark.parametrize("trail", ALL, ids=" ".join)
def test_an_option_that_takes_one_value_is_given_once(
    taxietl: Taxietl, trail: tuple[str, ...]
) -> None:
    for option in options(trail):
        for name in [] if option.is_flag or option.multiple else option.opts:
            done = taxietl(*trail, name, "1", name, "2")

            check_refused(done, 2, f"{option.opts[-1]} is given", "one value")


@pytest.mark.parametrize("form", ["--year=2021", "--year=2020"])
def test_both_forms_of_an_option_count(taxietl: Taxietl, form: str) -> None:
    check_refused(taxietl("verify", "--year", 2021, form), 2, "--year is given 2 times")


def test_what_repeats_and_flags_may_be_given_twice(taxietl: Taxietl) -> None:
    done = taxietl(
        *("generate", "--color", "green", "--year", 2021, "--month", 1, "--rows", 9),
        *("--out", "green_tripdata_2021-01.csv", "-q", "-q", "--json", "--json"),
    )
    assert done.document["rows"] == 9

    done = taxietl(
        *("ingest", "--color", "green", "--year", 2021, "--month", 1, "--month", 1, "--force"),
        *("--force", "--source", ".", "--transform", "drop-outside-month", "--transform"),
        "drop-zero-passengers",
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize("trail", [each for each in GROUPS if (*each, "ls") in ALL], ids=" ".join)
def test_list_is_ls(taxietl: Taxietl, trail: tuple[str, ...]) -> None:
    assert taxietl(*trail, "list", "--help").out == taxietl(*trail, "ls", "--help").out


@pytest.mark.parametrize("trail", ALL, ids=" ".join)
def test_help_is_a_command_too(taxietl: Taxietl, trail: tuple[str, ...]) -> None:
    asked = taxietl(*trail, "--help")
    assert asked.code == 0
    assert f"Usage: {' '.join(['taxietl', *trail])} [OPTIONS]" in asked.out

    assert taxietl("help", *trail).out.strip() == asked.out.strip()
    if trail in GROUPS:
        assert taxietl(*trail, "help").out.strip() == asked.out.strip()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["runs", "ls", "--config", "x"], ["--config", "before the command", "taxietl --config"]),
        (["--json", "runs", "ls"], ["--json", "after the command"]),
        (["ingest", "--colour", "green"], ["--colour", "--color"]),
        (["runs", "lst"], ["'lst'", "'ls'"]),
        (["nonsense"], ["'nonsense'", "taxietl --help"]),
    ],
    ids=lambda each: each[0],
)
def test_a_slip_is_met_with_what_to_type(
    taxietl: Taxietl, line: list[str], words: list[str]
) -> None:
    check_refused(taxietl(*line), 2, *words)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"= 1"], ids=["folder", "binary", "typo"])
def test_a_configuration_that_cannot_be_read_is_named(
    taxietl: Taxietl, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "given.toml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    for name in (file, tmp_path / "none.toml"):
        check_refused(taxietl("--config", name, "profiles", "ls"), 2, str(name))


def test_help_of_no_command_suggests_one(taxietl: Taxietl) -> None:
    check_refused(taxietl("help", "ingst"), 2, "No such command 'ingst'", "'ingest'")


@pytest.mark.parametrize("trail", ALL, ids=" ".join)
def test_help_shows_its_texts_as_they_are_written(
    taxietl: Taxietl, trail: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    shown = " ".join(taxietl(*trail, "--help").out.split())

    command = ALL[trail]
    children = getattr(command, "commands", {}).values()
    for each in (command, *command.params, *(child for child in children if not child.hidden)):
        first = (each.help or "").split("\n\n")[0]
        assert " ".join(first.split()) in shown


def test_inspect_shows_values_as_they_are(taxietl: Taxietl, tmp_path: Path) -> None:
    file = tmp_path / "fhv.csv"
    file.write_text(
        "dispatching_base_num,Pickup_date,locationID\n"
        "[red]B1[/red],2015-01-01 00:10:00,1\n:smile:,2015-01-01 00:20:00,2\n"
    )

    done = taxietl("inspect", file, "--color", "fhv", "--year", 2015, "--month", 1)

    assert "[red]B1[/red] (1)" in done.out
    assert ":smile: (1)" in done.out


@pytest.mark.parametrize("trail", ALL, ids=" ".join)
def test_help_is_told_one_way(
    taxietl: Taxietl, trail: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    shown = taxietl(*trail, "--help").out

    for each in ALL[trail].params:
        assert str(each.help).endswith("."), each.name
        assert "default" not in str(each.help).lower().replace("the default warehouse", "")
        told = each.show_default if isinstance(each.show_default, str) else each.default
        if told is not None and not getattr(each, "is_flag", False):
            assert f"[default: {getattr(told, 'value', told)}]" in shown
