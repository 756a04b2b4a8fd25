"""The package's map, in its own docstring, is true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import taxietl.orchestrator

FOLDER = Path(taxietl.orchestrator.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def _rows() -> list[list[str]]:
    """The modules of each row of the map, the top one first."""
    text = str(taxietl.orchestrator.__doc__).split("each row built on those below it:")[1]
    # A row begins with its title, in the fifth column; it goes on further to the right.
    rows = re.split(r"\n {4}(?! )", text)[1:]
    return [re.split(r" {2,}|\n", row, maxsplit=1)[1].split() for row in rows]


ROW_OF = {module: number for number, row in enumerate(_rows()) for module in row}


def _imported(module: str) -> set[str]:
    """Modules of the package that one imports when it is loaded."""
    found = set()
    for node in ast.parse((FOLDER / f"{module}.py").read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[:2] == ["taxietl", "orchestrator"]:
                found |= set(parts[2:]) or {each.name for each in node.names}
    return found


def test_every_module_is_on_the_map_once() -> None:
    assert sorted(module for row in _rows() for module in row) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_built_on_its_own_row_and_those_below(module: str) -> None:
    above = {each for each in _imported(module) if ROW_OF[each] < ROW_OF[module]}

    assert above == set()
