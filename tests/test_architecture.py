"""Imports point down the list of parts, without cycles; heavy packages load only on use."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "taxietl"

ALLOWED = {
    "terminal": set(),
    "masking": set(),
    "errors": {"masking"},
    "modules": {"errors"},
    "digests": set(),
    "replacing": set(),
    "forks": set(),
    "orchestrator": {"modules", "digests", "forks", "terminal", "masking", "errors"},
    "tlc": {"errors"},
    "config": {"masking", "errors"},
    "steps": {"tlc", "config", "modules", "masking", "errors"},
    "extract": {"steps", "tlc", "config", "digests", "replacing", "forks", "errors"},
    "transform": {"steps", "tlc", "config", "errors"},
    "load": {"steps", "tlc", "config", "replacing", "forks", "errors"},
    "flows": {"extract", "transform", "load", "steps", "tlc", "config", "orchestrator", "errors"},
    "runtime": {
        *("flows", "extract", "transform", "load", "steps", "tlc", "config"),
        *("orchestrator", "errors"),
    },
    "cli": {
        *("runtime", "flows", "extract", "transform", "load", "steps", "tlc", "config"),
        *("orchestrator", "replacing", "terminal", "masking", "errors"),
    },
    "__main__": {"cli"},
}
MODULES = sorted(SOURCE.rglob("*.py"))


def _part(path: Path) -> str:
    inside = path.relative_to(SOURCE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def _ours(path: Path) -> set[str]:
    """Dotted names of ours that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path}: relative imports hide where they point"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "taxietl"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_imports_only_parts_below_its_own(path: Path) -> None:
    part = _part(path)
    if part == "__init__":
        return  # the package's face: its names load on first use, from anywhere

    parts = {name.split(".")[1] for name in _ours(path) if name.count(".")}
    known = {each for each in parts if (SOURCE / each).exists() or (SOURCE / f"{each}.py").exists()}

    assert known - {part} <= ALLOWED[part]


def _module_level(path: Path) -> set[str]:
    """Modules of ours imported when the module is: at its top, not for type checking only."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("taxietl"):
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("taxietl")}
    return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    def dotted(path: Path) -> str:
        parts = ["taxietl", *path.relative_to(SOURCE).with_suffix("").parts]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    graph = {dotted(path): _module_level(path) for path in MODULES}
    graph = {name: {each for each in found if each in graph} for name, found in graph.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for each in sorted(graph[name] - {name}):
                visit(each, (*trail, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_every_part_has_a_place_in_the_list() -> None:
    parts = {_part(path) for path in MODULES} - {"__init__"}

    assert parts == set(ALLOWED)
