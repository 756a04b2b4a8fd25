"""The modules that flows are in: a file or a dotted name; loaded, and asked for a flow.

`listing.py` tells what flows there are without loading anything.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from taxietl.errors import Cancelled, ConfigError, TaxietlError, UnknownNameError
from taxietl.orchestrator.default import refusing_runs
from taxietl.orchestrator.flows import Flow

FORMS = "Write FILE.py:FLOW or MODULE:FLOW."


class FlowFileError(TaxietlError):
    """A file or module of flows is there, and cannot be loaded: a fault in its own code."""

    def __init__(self, where: str, line: int | None, problem: str, *, hint: str = "") -> None:
        self.where, self.line = where, line
        at = f"line {line}: " if line else ""
        super().__init__(
            f"{where} cannot be loaded: {at}{problem.rstrip('.')}.",
            hint=hint or "Run with --debug for the traceback.",
        )


def load_flow(target: str, *, folder: Path | None = None) -> Flow[..., Any]:
    """The flow that `FILE_OR_MODULE:FLOW` names; FLOW may be left out where there is one.

    Args:
        target: where it is.
        folder: where modules are looked for first; left out, the working directory.

    Raises:
        ConfigError: there is no such file, module or flow, or several and none was named; or it
            starts a run while it is loaded.
        FlowFileError: the file is there, and has a fault.
    """
    # A drive's letter stands before a colon, too.
    where, _, name = (target, "", "") if target.endswith(".py") else _parted(target)
    module = load_module(where, folder=folder)
    flows = {key: value for key, value in vars(module).items() if isinstance(value, Flow)}
    if name in flows:
        return flows[name]
    if not name:
        return _only(module, where, flows)
    if hasattr(module, name):
        raise ConfigError(
            f"{where}:{name} is a {type(getattr(module, name)).__name__}, not a flow.",
            hint=f"Decorate it with @flow. Flows there: {', '.join(flows) or 'none'}.",
        )
    raise UnknownNameError(f"flow in {where}", name, flows)


def load_module(where: str, *, folder: Path | None = None) -> ModuleType:
    """The module of a file or of a dotted name, newly loaded if it is a file.

    Raises:
        ConfigError: there is none.
        FlowFileError: it has a fault.
    """
    path = Path(where)
    is_dotted = all(part.isidentifier() for part in where.split("."))
    if path.suffix == ".py" or path.is_file() or (where and path.is_dir() and not is_dotted):
        return _from_file(path)
    if not is_dotted:
        raise ConfigError(f"There is no file or module {where!r}.", hint=FORMS)
    _look_in(folder or Path.cwd())
    with _loading(where):
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            if error.name and f"{where}.".startswith(f"{error.name}."):
                raise ConfigError(
                    f"There is no module {error.name!r}.",
                    hint=f"{FORMS} Modules are looked for in the working directory, too.",
                ) from error
            raise


def refuse_missing(path: Path) -> None:
    """ConfigError, with a guess, unless that file is there."""
    if path.is_dir():
        raise ConfigError(
            f"{path} is a folder.", hint=f"{FORMS} `taxietl flows ls {path}` lists what is in it."
        )
    if not path.is_file():
        siblings = [each.name for each in path.parent.glob("*.py")]
        close = difflib.get_close_matches(path.name, siblings, n=1)
        guess = f"Did you mean {path.with_name(close[0])}? " if close else ""
        raise ConfigError(f"There is no file {path}.", hint=f"{guess}{FORMS}")
    if path.suffix != ".py":
        raise ConfigError(f"{path} is no Python file.", hint=FORMS)


def _from_file(path: Path) -> ModuleType:
    refuse_missing(path)
    path = path.resolve()
    name = _free_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    _look_in(path.parent)
    sys.modules[name] = module  # dataclasses and pydantic look types up there
    try:
        with _loading(path.name):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _free_name(path: Path) -> str:
    """The file's own name; another one where that is a module of somebody else's."""
    name = path.stem.replace(".", "_")
    known = sys.modules.get(name)
    is_free = known is None or getattr(known, "__file__", None) == str(path)
    return name if is_free and name not in sys.stdlib_module_names else f"taxietl_flows_{name}"


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@contextmanager
def _loading(where: str) -> Iterator[None]:
    """Say of whatever is raised while a module is loaded where in it that was."""
    # A module that calls its flow at its top level would run it, now and at each resume.
    eager = ConfigError(
        f"{where} starts a run while it is loaded.",
        hint='Put the call under `if __name__ == "__main__":`.',
    )
    try:
        with refusing_runs(eager):
            yield
    except (TaxietlError, Cancelled, KeyboardInterrupt):
        raise
    except SyntaxError as error:
        name = Path(error.filename).name if error.filename else where
        raise FlowFileError(name, error.lineno, error.msg) from error
    except SystemExit as error:
        raise FlowFileError(
            where,
            _line(error),
            "it ends the process",
            hint='Put what is for scripts only under `if __name__ == "__main__":`.',
        ) from error
    except ModuleNotFoundError as error:
        raise FlowFileError(
            where,
            _line(error),
            str(error),
            hint=f"Install what it needs into the environment of taxietl, {sys.prefix}.",
        ) from error
    except Exception as error:
        raise FlowFileError(where, _line(error), f"{type(error).__name__}: {error}") from error


def _line(error: BaseException) -> int | None:
    """The line of the user's module that was under way: the first that is not the importer's."""
    for frame in traceback.extract_tb(error.__traceback__):
        is_importer = frame.filename.startswith("<frozen ") or "importlib" in frame.filename
        if frame.filename != __file__ and not is_importer:
            return frame.lineno
    return None


def _parted(target: str) -> tuple[str, str, str]:
    return target.rpartition(":") if ":" in target else (target, "", "")


def _only(module: ModuleType, where: str, flows: dict[str, Flow[..., Any]]) -> Flow[..., Any]:
    """The one flow of a module: its own come before those it imports."""
    own = {
        name: flow for name, flow in flows.items() if flow.function.__module__ == module.__name__
    }
    chosen = own or flows
    if len({id(flow) for flow in chosen.values()}) == 1:
        return next(iter(chosen.values()))
    if not chosen:
        raise ConfigError(f"There is no flow in {where}.", hint="Decorate a function with @flow.")
    raise ConfigError(
        f"{where} has {len(chosen)} flows: {', '.join(chosen)}.",
        hint=f"Say which: {where}:{next(iter(chosen))}.",
    )
