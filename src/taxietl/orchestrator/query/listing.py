"""Which flows there are in files and folders, read off their text: nothing of theirs is run.

A flow is a function at the top level of a file that is decorated with taxietl's `flow`. What is
made otherwise, as `etl = flow(function)`, runs as well, and is not listed.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from taxietl.errors import ConfigError
from taxietl.modules import UserCodeError, refuse_missing

_HOMES = (
    *("taxietl", "taxietl.orchestrator", "taxietl.orchestrator.define.decorators"),
    *("taxietl.prefect", "taxietl.prefect.flows"),
)
_NOT_ONES_OWN = ("node_modules", "site-packages", "__pycache__")


@dataclass(frozen=True)
class ListedParameter:
    """A parameter of a flow as its file writes it."""

    name: str
    """With its stars, if it has any."""
    type: str | None
    default: str | None
    required: bool


@dataclass(frozen=True)
class ListedFlow:
    """A flow in a file that was not loaded."""

    name: str
    """What its runs are known by in the history."""
    target: str
    """What to type after `taxietl run`."""
    file: str
    line: int
    doc: str
    """The first line of its docstring."""
    parameters: tuple[ListedParameter, ...]


@dataclass(frozen=True)
class Listing:
    """The flows found, and the files that could not be read, each with the reason."""

    flows: tuple[ListedFlow, ...]
    skipped: tuple[UserCodeError, ...] = ()


def list_flows(where: str) -> Listing:
    """The flows of a file, of a folder with all below it, or of a module or package.

    Of a folder only files that mention taxietl are read; hidden folders, virtual environments
    and installed packages in it are left out.

    Raises:
        ConfigError: there is no such thing.
        UserCodeError: it is one file, and cannot be read.
    """
    path = Path(where)
    if path.suffix == ".py" or path.is_file():
        refuse_missing(path, name="FLOW")
        return Listing(tuple(_flows_of(path, str(path))))
    if path.is_dir():
        return _many((file, str(file)) for file in _python_files(path))
    place = _place(where)
    if place.is_file():
        return Listing(tuple(_flows_of(place, where)))
    return _many((file, _dotted(where, file.relative_to(place))) for file in _python_files(place))


def _many(files: Iterator[tuple[Path, str]]) -> Listing:
    flows: list[ListedFlow] = []
    skipped = []
    for file, where in files:
        try:
            flows += _flows_of(file, where)
        except UserCodeError as error:
            skipped.append(error)
    return Listing(tuple(flows), tuple(skipped))


def _python_files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".")
            and each not in _NOT_ONES_OWN
            and not Path(root, each, "pyvenv.cfg").exists()
        )
        yield from (Path(root, each) for each in sorted(files) if each.endswith(".py"))


def _place(module: str) -> Path:
    """The file of a module or the folder of a package, found without importing what it is in."""
    first, *below = module.split(".")
    found = _inside(Path(), first) or _installed(first)
    for part in below:
        found = _inside(found, part) if found and found.is_dir() else None
    if found is None:
        raise ConfigError(
            f"There is no file, folder or module {module!r}.",
            hint="Name a FILE.py, a folder or a module.",
        )
    return found


def _installed(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # `__main__`, or an empty name
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.has_location and spec.origin else None


def _inside(folder: Path, name: str) -> Path | None:
    """What a name stands for in a folder, in the order of Python's own choice."""
    package, file = folder / name, folder / f"{name}.py"
    if (package / "__init__.py").is_file():
        return package
    if file.is_file():
        return file
    return package if name and package.is_dir() else None


def _dotted(package: str, file: Path) -> str:
    parts = [*file.parts[:-1], *([] if file.stem == "__init__" else [file.stem])]
    return ".".join([package, *parts])


def _flows_of(path: Path, where: str) -> Iterator[ListedFlow]:
    """The flows of one file, in its order.

    Raises:
        UserCodeError: it cannot be read.
    """
    try:
        source = path.read_bytes()
        if b"taxietl" not in source:
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a doubtful escape, as each start of it says
            tree = ast.parse(source)
    except SyntaxError as error:
        raise UserCodeError(str(path), error.lineno, error.msg) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserCodeError(str(path), None, str(error)) from error
    names = _names_of_flow(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for each in node.decorator_list:
                called = each.func if isinstance(each, ast.Call) else each
                if ast.unparse(called) in names:
                    yield _listed(node, each, path, where)
                    break


def _names_of_flow(tree: ast.Module) -> set[str]:
    """What the decorator is called in that file: `flow`, `taxietl.flow`, or as it was imported."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _HOMES and not node.level:
            for each in node.names:
                if each.name in ("flow", "*"):
                    names.add(each.asname or "flow")
                elif f"{node.module}.{each.name}" in _HOMES:
                    names.add(f"{each.asname or each.name}.flow")
        elif isinstance(node, ast.Import):
            names |= {
                f"{each.asname or each.name}.flow" for each in node.names if each.name in _HOMES
            }
            if any(each.name.startswith("taxietl.") and not each.asname for each in node.names):
                names.add("taxietl.flow")
    return names


def _listed(node: ast.FunctionDef, decorator: ast.expr, path: Path, where: str) -> ListedFlow:
    name = node.name
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            name = str(keyword.value.value or name)
    doc = (ast.get_docstring(node) or "").partition("\n")[0]
    return ListedFlow(
        name, f"{where}:{node.name}", str(path), node.lineno, doc, tuple(_parameters(node.args))
    )


def _parameters(arguments: ast.arguments) -> Iterator[ListedParameter]:
    by_position = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(by_position) - len(arguments.defaults)) + [*arguments.defaults]
    for argument, default in zip(by_position, defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.vararg:
        yield _parameter(arguments.vararg, None, "*")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg:
        yield _parameter(arguments.kwarg, None, "**")


def _parameter(argument: ast.arg, default: ast.expr | None, stars: str = "") -> ListedParameter:
    kind = ast.unparse(argument.annotation) if argument.annotation else None
    text = ast.unparse(default) if default is not None else None
    if kind and "Secret" in kind and text != "None" and text:
        text = "…"  # a literal secret stays where it was written
    return ListedParameter(
        f"{stars}{argument.arg}", kind, text, required=default is None and not stars
    )
