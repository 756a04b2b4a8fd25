"""The docs are held to the code: what exists is described, and what is described exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from taxietl.cli.app import app
from taxietl.config.sources import BUILT_IN
from taxietl.errors import EXIT_CODE_ORDER
from taxietl.load import ledger
from taxietl.steps import registry
from taxietl.tlc.datasets import DATASETS

ROOT = Path(__file__).parents[1]
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
README = (ROOT / "README.md").read_text()


def _commands(command: Any, trail: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", {})
    for name, child in children.items():
        yield from _commands(child, (*trail, name))
    if not children:
        yield trail, command


COMMANDS = dict(_commands(typer.main.get_command(app())))


@pytest.mark.parametrize("trail", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_in_the_reference(trail: tuple[str, ...]) -> None:
    assert f"`{' '.join(trail)}" in REFERENCE
    for parameter in COMMANDS[trail].params:
        for option in parameter.opts:
            if option.startswith("-"):
                assert f"`{option}" in REFERENCE or f"{option} " in REFERENCE, option


def test_the_commands_over_months_are_in_one_table_with_their_options() -> None:
    section = REFERENCE.split("### Months")[1].split("\n###")[0]
    head, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.split("| command |")[1].splitlines()
        if not line.startswith("| ---") and "|" in line
    ]
    options = [re.findall(r"--[a-z-]+", cell) for cell in head if cell]
    listed = {
        tuple(re.findall("`(.+)`", name)[0].split()): [
            option for own, cell in zip(options, cells, strict=True) if cell for option in own
        ]
        for name, *cells in rows
    }

    every = [option for own in options for option in own]
    assert listed == {
        trail: [each for each in every if each in given]
        for trail, command in COMMANDS.items()
        if "--color" in (given := {each for own in command.params for each in own.opts})
        and trail != ("lake", "show")  # a single month
    }


@pytest.mark.parametrize("color", DATASETS)
def test_the_columns_of_a_colour_are_in_the_reference_in_order(color: str) -> None:
    dataset = DATASETS[color]
    section = REFERENCE.split(f"### `{dataset.table}`")[1].split("###")[0]

    listed = re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \| (.+) \|$", section, re.MULTILINE)

    assert listed == [
        *((each.name, each.kind.sql_type, each.note) for each in dataset.columns),
        ("source_month", "DATE NOT NULL", "first day of the file's month"),
    ]


@pytest.mark.parametrize(
    ("heading", "columns"),
    [("### `taxietl_loads`", ledger.COLUMNS), ("### `taxietl_rejects`", ledger.REJECT_COLUMNS)],
    ids=["taxietl_loads", "taxietl_rejects"],
)
def test_the_ledger_is_in_the_reference(heading: str, columns: dict[str, str]) -> None:
    section = REFERENCE.split(heading)[1].split("\n##")[0]

    assert re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \|$", section, re.MULTILINE) == list(
        columns.items()
    )


def test_every_exit_code_is_in_the_reference() -> None:
    section = REFERENCE.split("### Exit codes")[1].split("###")[0]

    codes = {int(code) for code in re.findall(r"^\| (\d+)", section, re.MULTILINE)}

    assert codes == {*EXIT_CODE_ORDER, 130}


def test_the_addresses_of_the_built_in_sources_are_in_the_docs() -> None:
    page = (ROOT / "docs" / "sources.md").read_text()

    for source in BUILT_IN.values():
        assert source.url in page
        assert str(source.zones) in page


def test_every_step_of_ours_is_in_the_docs() -> None:
    for kind in ("extractors", "transformers", "loaders"):
        for name in registry.names(kind):
            assert name in REFERENCE.lower(), name


PAGES = ["README.md", "CHANGELOG.md", *(f"docs/{each.name}" for each in ROOT.glob("docs/*.md"))]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_inside_the_project_lead_to_a_file_and_a_heading(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)]+)\)", _prose(path)):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        assert other.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _prose(other), re.MULTILINE)
            known = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
            assert anchor in known, target


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def test_pictures_are_there_and_shown() -> None:
    shown = set()
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for _, inline in re.findall(r'(src|srcset)="([^"]+)"', page.read_text()):
            shown.add((page.parent / inline).resolve())
        for inline in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text()):
            shown.add((page.parent / inline).resolve())

    assert shown == set((ROOT / "docs" / "images").resolve().iterdir())


def test_the_readme_flow_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"```python\n(# flows.py\n.*?)```", README, re.DOTALL)
    assert code
    (tmp_path / "flows.py").write_text(code[1])
    monkeypatch.chdir(tmp_path)
    from taxietl.cli.main import main

    done = main(
        ["--home", "home", "run", "flows.py:weather", "-p", "city=Queens", "-p", "days=3", "-q"]
    )

    assert done == 0
    assert main(["--home", "home", "runs", "show", "Queens"]) == 0


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]

    described = set(re.findall(r"^([a-z0-9.-]+):.*## ", makefile, re.MULTILINE))

    assert targets == described
