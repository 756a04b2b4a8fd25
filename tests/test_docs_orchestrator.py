"""The pages about flows are run, and their map is held to the code: what they show is so."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import typer
from pages import ROOT, Block, blocks, check_text, commands, has_log, python_blocks, run

from taxietl import Cache, Retry, flow, orchestrator, task
from taxietl.cli.app import app
from taxietl.orchestrator import Engine, StateName
from taxietl.orchestrator.define.decoration import FlowOptions, TaskOptions

OURS = ["docs/flows.md", "docs/runs.md", "docs/orchestrator.md"]
FLOWS, RUNS, MAP = OURS
PAGES = [*OURS, "docs/from-prefect.md"]
SOURCE = ROOT / "src" / "taxietl" / "orchestrator"


@pytest.mark.parametrize("block", [each for page in OURS for each in python_blocks(page)])
def test_an_example_runs_and_prints_what_the_page_shows(block: Block, tmp_path: Path) -> None:
    path = tmp_path / block.file_name
    path.write_text(block.text)
    shown = block.followed_by("text")

    done = run([sys.executable, path.name], tmp_path, with_log=has_log(shown))

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    if shown is not None:
        check_text(done.stdout, shown)


SESSIONS = [
    pytest.param(each, id=each.file_name)
    for page in OURS
    for each in blocks(page)
    if each.language == "python" and each.followed_by("console")
]


@pytest.mark.parametrize("block", SESSIONS)
def test_a_session_behind_an_example_goes_as_the_page_shows(block: Block, tmp_path: Path) -> None:
    (tmp_path / block.file_name).write_text(block.text)
    session = block.followed_by("console") or ""
    seen = ""

    for command in commands(session):
        seen += f"$ {command}\n{run(shlex.split(command), tmp_path, with_log=True).stdout}\n"

    check_text(seen, session)


CONSOLE = [
    pytest.param(command, id=command)
    for page in PAGES
    for block in blocks(page)
    if block.language == "console"
    for command in commands(block.text)
    if command.startswith("taxietl ")
]


@pytest.mark.parametrize("line", CONSOLE)
def test_a_command_of_a_console_block_is_one_of_ours(line: str) -> None:
    command, rest = _command(shlex.split(line, comments=True)[1:])

    command.make_context(command.name, rest)  # raises what the command line would say


@pytest.mark.parametrize("page", PAGES)
def test_a_command_in_the_text_is_one_of_ours(page: str) -> None:
    named = re.findall(r"`taxietl\s+([^`]+)`", (ROOT / page).read_text())
    assert named

    for words in named:
        _command(words.split())


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command those words begin with, and the words behind it."""
    command: Any = typer.main.get_command(app())
    rest = list(words)
    while children := getattr(command, "commands", None):
        assert rest[0] in children, words
        command = children[rest.pop(0)]
    return command, rest


CONFIGURATIONS = [
    pytest.param(each.text, id=f"{page}-{each.heading}")
    for page in PAGES
    for each in blocks(page)
    if each.language == "toml"
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_a_configuration_of_a_page_is_taken(text: str, tmp_path: Path) -> None:
    (tmp_path / "taxietl.toml").write_text(text)

    done = run(["taxietl", "limits", "ls"], tmp_path, with_log=True, DATABASE_URL="unused")

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("page", "described", "options"),
    [
        (FLOWS, task, TaskOptions.__optional_keys__),
        (FLOWS, flow, FlowOptions.__optional_keys__),
        *((FLOWS, each, inspect.signature(each).parameters) for each in (Retry, Cache)),
        (RUNS, Engine, inspect.signature(Engine).parameters),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_every_option_is_on_its_page_and_explained(
    page: str, described: Any, options: Iterable[str]
) -> None:
    cells = "\n".join(re.findall(r"^\| .+$", (ROOT / page).read_text(), re.MULTILINE))

    for option in options:
        assert re.search(rf"`{option}=`|\({option}, …\)", cells), option
        assert re.search(rf"\b{option}\b", described.__doc__), option


def test_every_name_and_state_is_on_the_page() -> None:
    page = (ROOT / FLOWS).read_text()

    for name in (*orchestrator.__all__, *StateName):
        assert f"`{name}`" in page, name


def test_the_map_has_the_folders_there_are_in_the_order_of_the_package() -> None:
    rows = _section("The map")
    listed = re.findall(r"^    (\w+) {2,}\w", orchestrator.__doc__ or "", re.MULTILINE)

    assert re.findall(r"\b(\w+)/ ", rows) == listed
    assert set(listed) == {each.parent.name for each in SOURCE.glob("*/__init__.py")}


def test_the_files_that_the_map_names_are_there() -> None:
    named = re.findall(r"`(\w+/\w+\.py)`", (ROOT / MAP).read_text())
    stations = re.findall(r"→ (\w+):|=: (\w+)", _section("The way of a call"))
    assert named
    assert stations

    missing = [
        each
        for each in (*named, *(f"run/{''.join(station)}.py" for station in stations))
        if not (SOURCE / each).is_file()
    ]

    assert missing == []


def test_the_nouns_of_the_map_are_classes_where_it_says() -> None:
    rows = re.findall(r"^\| (`\w.+?) \|.*\| `(.+)` \|$", _section("The nouns"), re.MULTILINE)
    assert rows

    for nouns, module in rows:
        for noun in re.findall(r"`(\w+)`", nouns):
            assert re.search(rf"^class {noun}\b", (SOURCE / module).read_text(), re.M), noun


def _section(heading: str) -> str:
    """What stands on the map's page below that heading."""
    return (ROOT / MAP).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
