"""docs/orchestrator.md and docs/from-prefect.md are run: what they show is what happens."""

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

PAGES = ["docs/orchestrator.md", "docs/from-prefect.md"]
ORCHESTRATOR = PAGES[0]


@pytest.mark.parametrize("block", python_blocks(ORCHESTRATOR))
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
    for each in blocks(ORCHESTRATOR)
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


@pytest.mark.parametrize("page", PAGES)
def test_a_configuration_of_a_page_is_taken(page: str, tmp_path: Path) -> None:
    configurations = [each.text for each in blocks(page) if each.language == "toml"]
    assert configurations

    for text in configurations:
        (tmp_path / "taxietl.toml").write_text(text)
        done = run(["taxietl", "limits", "ls"], tmp_path, with_log=True, DATABASE_URL="unused")
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_page_and_a_heading(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        assert other.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", other.read_text(), re.MULTILINE)
            known = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in known, target


@pytest.mark.parametrize(
    ("described", "options"),
    [
        (task, TaskOptions.__optional_keys__),
        (flow, FlowOptions.__optional_keys__),
        *((each, inspect.signature(each).parameters) for each in (Retry, Cache, Engine)),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_every_option_is_on_the_page_and_explained(described: Any, options: Iterable[str]) -> None:
    page = (ROOT / ORCHESTRATOR).read_text()

    for option in options:
        assert re.search(rf"\b{option}=|\({option}\)", page), option
        assert re.search(rf"\b{option}\b", described.__doc__), option


def test_every_name_and_state_is_on_the_page() -> None:
    page = (ROOT / ORCHESTRATOR).read_text()

    for name in (*orchestrator.__all__, *StateName):
        assert f"`{name}`" in page, name
