"""Which modules of a package import which of its own, and the circles among them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]
"""By each module's dotted name, a package's for its `__init__`, those that it imports."""


def import_graph(package: Path, *, top_only: bool = False) -> Graph:
    """Read the imports off the files of a package's folder; none of them is run.

    Args:
        package: its folder.
        top_only: leave out what is imported in functions or for type checking only.

    `from a import b` counts as an import of the module `a.b` if there is one, else of `a`, which
    is the face of the package if `a` is one.
    """
    files = {_dotted(package, path): path for path in package.rglob("*.py")}
    graph = {}
    for name, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = tree.body if top_only else ast.walk(tree)
        graph[name] = {each for node in nodes for each in _imported(node, files)} - {name}
    return graph


def _dotted(package: Path, path: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(node: ast.AST, files: dict[str, Path]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in files)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"line {node.lineno}: relative imports hide where they point"
        for alias in node.names:
            submodule = f"{node.module}.{alias.name}"
            if submodule in files:
                yield submodule
            elif node.module in files:
                yield str(node.module)


def circles(graph: Graph) -> list[set[str]]:
    """The largest sets of modules each of which imports all others of its set, if by detours."""
    reached = {name: _reached(graph, name) for name in graph}
    found: list[set[str]] = []
    for name in sorted(graph):
        if name in reached[name] and not any(name in circle for circle in found):
            found.append({each for each in reached[name] if name in reached[each]})
    return found


def _reached(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    left = [start]
    while left:
        new = graph[left.pop()] - reached
        reached |= new
        left += new
    return reached


def shortest_round(graph: Graph, circle: set[str]) -> str:
    """`a -> b -> a`: the shortest way from a module of the circle back to it."""
    shortest = min((_round(graph, each) for each in sorted(circle)), key=len)
    return " -> ".join(shortest)


def _round(graph: Graph, start: str) -> list[str]:
    ways, seen = [[start]], {start}
    for way in ways:  # grows meanwhile
        if start in graph[way[-1]]:
            return [*way, start]
        new = sorted(graph[way[-1]] - seen)
        seen |= set(new)
        ways += [[*way, each] for each in new]
    raise AssertionError(f"{start} is in no circle")
