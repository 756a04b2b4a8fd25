"""Imports point down the list of parts, and in no circle, however they are written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from import_graph import Graph, circles, import_graph, shortest_round

SOURCE = Path(__file__).parents[1] / "src" / "taxietl"

ALLOWED = {
    "version": set(),
    "terminal": set(),
    "masking": set(),
    "errors": {"masking"},
    "modules": {"errors"},
    "digests": set(),
    "replacing": set(),
    "forks": set(),
    "filelock": {"forks"},
    "journal": set(),
    "orchestrator": {
        *("version", "modules", "digests", "filelock", "forks", "journal", "replacing"),
        *("terminal", "masking", "errors"),
    },
    "tlc": {"errors"},
    "plugins": {"errors"},
    "findings": {"masking", "errors"},
    "config": {"plugins", "findings", "filelock", "replacing", "masking", "errors"},
    "steps": {"plugins", "tlc", "config", "modules", "masking", "errors"},
    "extract": {
        *("version", "steps", "tlc", "config", "digests", "filelock", "replacing", "forks"),
        "errors",
    },
    "transform": {"steps", "tlc", "config", "errors"},
    "load": {
        "version",
        "steps",
        "tlc",
        "config",
        "findings",
        "filelock",
        "replacing",
        "forks",
        "masking",
        "errors",
    },
    "testing": {"load", "steps", "tlc", "errors"},
    "flows": {
        *("extract", "transform", "load", "steps", "tlc", "config", "orchestrator", "version"),
        "errors",
    },
    "alerts": {"config", "orchestrator", "terminal", "masking", "errors"},
    "schedule": {
        *("config", "orchestrator", "filelock", "replacing", "terminal", "masking", "errors"),
    },
    "doctor": {
        *(
            "alerts",
            "findings",
            "schedule",
            "extract",
            "load",
            "steps",
            "tlc",
            "config",
            "orchestrator",
            "masking",
        ),
        *("version", "errors"),
    },
    "runtime": {
        *("alerts", "schedule", "flows", "extract", "transform", "load", "steps", "tlc"),
        "config",
        *("orchestrator", "errors"),
    },
    "from_python": {"flows", "load", "steps", "tlc", "config", "orchestrator", "errors"},
    "pictures": {"flows", "terminal", "masking"},
    "ui": {
        *(
            "replacing",
            "findings",
            "pictures",
            "runtime",
            "doctor",
            "schedule",
            "flows",
            "steps",
            "tlc",
            "config",
        ),
        *("orchestrator", "terminal", "masking", "errors"),
    },
    "prefect": {"load", "config", "orchestrator", "replacing", "errors"},
    "cli": {
        "alerts",
        *(
            "findings",
            "ui",
            "pictures",
            "runtime",
            "doctor",
            "schedule",
            "flows",
            "extract",
            "transform",
        ),
        *("load", "steps", "tlc", "config"),
        *("orchestrator", "replacing", "journal", "terminal", "masking", "version", "errors"),
    },
    "__main__": {"cli"},
}

ROWS = {
    "__init__": {"default", "run", "query", "define", "stop", "store"},
    "default": {"run", "query", "define", "stop", "store"},
    "run": {"define", "stop", "store"},
    "query": {"define", "stop", "store"},
    "define": {"stop", "store"},
    "stop": {"store"},
    "store": set(),
}
"""What the orchestrator's face, its default engine and its folders may import but their own."""


@pytest.fixture(scope="module")
def graph() -> Graph:
    return import_graph(SOURCE)


def test_every_part_has_a_place_in_the_list(graph: Graph) -> None:
    assert {_part(name) for name in graph} - {""} == set(ALLOWED)


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_parts_below_it(graph: Graph, part: str) -> None:
    wrong = [
        f"{name} -> {other}"
        for name in sorted(graph)
        if _part(name) == part
        for other in sorted(graph[name])
        if other != "taxietl" and _part(other) not in {part, *ALLOWED[part]}
    ]

    assert wrong == []


def test_flows_know_no_database_and_no_kind_of_source_by_name(graph: Graph) -> None:
    """What they need of one its loader or extractor offers, ours and anyone's alike.

    A file that is only inspected is loaded into a DuckDB file aside, whatever the profiles are.
    """
    ours = ("taxietl.load.duckdb", "taxietl.load.postgres", "taxietl.extract.http")
    known = {
        f"{name} -> {other}"
        for name in graph
        if _part(name) == "flows"
        for other in graph[name]
        if other.startswith(ours)
    }

    assert {each.partition(" ->")[0] for each in known} == {"taxietl.flows.inspect"}, known


def _part(name: str) -> str:
    """`config` of `taxietl.config.files`; nothing of taxietl's face, which is above them all."""
    return name.removeprefix("taxietl").lstrip(".").partition(".")[0]


def test_the_orchestrators_folders_import_only_those_below_them(graph: Graph) -> None:
    assert _upward(graph) == set(), "point them down"


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("store.logs", "run.engine"),
        ("run.engine", "query.runs"),
        ("run.engine", "default"),
        ("query.runs", "run.engine"),
        ("default", "taxietl.orchestrator"),
        ("store.logs", "taxietl"),
    ],
)
def test_an_import_that_points_up_the_rows_is_found(name: str, other: str) -> None:
    full = other if other.startswith("taxietl") else f"taxietl.orchestrator.{other}"

    found = _upward({f"taxietl.orchestrator.{name}": {full, "taxietl.orchestrator.store.states"}})

    assert found == {f"{name} -> {other}"}


def _upward(graph: Graph) -> set[str]:
    """The imports of the orchestrator that `ROWS` does not allow."""
    inside = "taxietl.orchestrator."

    def row(name: str) -> str:
        return name.removeprefix(inside.rstrip(".")).lstrip(".").partition(".")[0] or "__init__"

    return {
        f"{name.removeprefix(inside)} -> {other.removeprefix(inside)}"
        for name in graph
        if _part(name) == "orchestrator"
        for other in graph[name]
        if other == "taxietl"
        or (_part(other) == "orchestrator" and row(other) not in {row(name), *ROWS[row(name)]})
    }


def test_no_module_imports_itself_by_way_of_others(graph: Graph) -> None:
    """Wherever the import is written: at the top, in a function, for type checking only."""
    assert _rounds(graph) == []


def test_no_module_needs_itself_while_it_is_imported() -> None:
    assert circles(import_graph(SOURCE, top_only=True)) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        pytest.param(
            {"errors": "if TYPE_CHECKING:\n    from taxietl.tlc.trip_file import TripFile"},
            "taxietl.errors -> taxietl.tlc.trip_file -> taxietl.errors",
            id="for type checking",
        ),
        pytest.param(
            {
                "errors": "from taxietl.tlc import Era",
                "tlc": "from taxietl.errors import A",
            },
            "taxietl.errors -> taxietl.tlc -> taxietl.errors",
            id="through a face",
        ),
        pytest.param(
            {"errors": "def late():\n    import taxietl.modules"},
            "taxietl.errors -> taxietl.modules -> taxietl.errors",
            id="in a function",
        ),
        pytest.param(
            {
                "digests": "from taxietl import terminal",
                "terminal": "class A:\n    def late(self):\n        from taxietl.forks import B",
                "forks": "if TYPE_CHECKING:\n    from taxietl import digests",
            },
            "taxietl.digests -> taxietl.terminal -> taxietl.forks -> taxietl.digests",
            id="of three",
        ),
    ],
)
def test_a_planted_circle_is_refused_by_name(
    tmp_path: Path, planted: dict[str, str], found: str
) -> None:
    package = tmp_path / "taxietl"
    shutil.copytree(SOURCE / "tlc", package / "tlc")
    for path in SOURCE.glob("*.py"):
        shutil.copy(path, package)
    assert circles(import_graph(package)) == []
    for name, lines in planted.items():
        is_face = (package / name).is_dir()
        with (package / (f"{name}/__init__.py" if is_face else f"{name}.py")).open("a") as file:
            file.write(f"\n{lines}\n")

    assert _rounds(import_graph(package)) == [found]


def _rounds(graph: Graph) -> list[str]:
    """A way round each circle."""
    return [shortest_round(graph, circle) for circle in circles(graph)]
