"""Where a flow is found: `package.module:name`, or `path/to/file.py:name` where it is a script's.

A run keeps its flow's entry point, so that another process can take it up again.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.orchestrator.default import refusing_runs
from taxietl.orchestrator.flows import Flow


@dataclass(frozen=True)
class EntryPoint:
    """How a flow can be found again."""

    target: str
    """`package.module:name`, or an absolute `file.py:name`."""
    file: str | None
    """The file that the flow is in."""
    sha256: str | None
    """Of that file, when the run began."""
    folder: str
    """The working directory of the run: relative paths among its parameters start there."""

    @classmethod
    def of(cls, flow: Flow[..., Any]) -> EntryPoint | None:
        """Where that flow is found; None if it is in no module's namespace, or in no file."""
        module = sys.modules.get(flow.function.__module__)
        names = (name for name, each in vars(module).items() if each is flow) if module else ()
        name = next(iter(names), None)
        where = _place(module) if module and name else None
        if where is None:
            return None
        file = getattr(module, "__file__", None)
        return cls(f"{where}:{name}", file, _sha256(file), str(Path.cwd()))

    @classmethod
    def from_json(cls, text: str) -> EntryPoint:
        """What `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """For the history."""
        return json.dumps(asdict(self))

    def has_changed(self) -> bool:
        """The flow's file is not what it was when the run began."""
        return _sha256(self.file) != self.sha256

    def load(self) -> Flow[..., Any]:
        """The flow; see `load_flow` for what may be wrong."""
        return load_flow(self.target, folder=Path(self.folder))


def load_flow(target: str, *, folder: Path | None = None) -> Flow[..., Any]:
    """The flow that `FILE_OR_MODULE:FLOW` names; FLOW may be left out where there is one.

    Args:
        target: where it is.
        folder: where modules are looked for first; left out, the working directory.

    Raises:
        ConfigError: there is no such file or module, or it starts a run while it is loaded.
        UnknownNameError: there is no such flow in it.
    """
    where, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    with _loading(where):
        module = _module(where, folder or Path.cwd())
    flows = {key: value for key, value in vars(module).items() if isinstance(value, Flow)}
    if not name and len(flows) == 1:
        return next(iter(flows.values()))
    if name not in flows:
        raise UnknownNameError(f"flow in {where}", name, flows)
    return flows[name]


@contextmanager
def _loading(where: str) -> Iterator[None]:
    """A module that calls its flow at its top level would run it, now and at each resume."""
    with refusing_runs(
        ConfigError(
            f"{where} starts a run while it is loaded.",
            hint='Put the call under `if __name__ == "__main__":`.',
        )
    ):
        yield


def _module(where: str, folder: Path) -> ModuleType:
    path = Path(where)
    if path.suffix != ".py":
        _look_in(folder)
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"There is no module {error.name!r}.",
                hint="Write FILE.py:FLOW or MODULE:FLOW; modules are looked for here, too.",
            ) from error
    if not path.is_file():
        raise ConfigError(f"There is no file {path}.", hint="Write FILE.py:FLOW or MODULE:FLOW.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pydantic look types up there
    _look_in(path.resolve().parent)
    spec.loader.exec_module(module)
    return module


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _place(module: ModuleType) -> str | None:
    """What to load the module by: its name if it lies in a package, else its file."""
    spec = getattr(module, "__spec__", None)
    name = spec.name if spec is not None else module.__name__
    file = getattr(module, "__file__", None)
    # `python -m package` runs `package.__main__`; a lone file is found by its path only.
    if "." in name:
        return str(name)
    return str(Path(file).resolve()) if file and file.endswith(".py") else None


def _sha256(file: str | None) -> str | None:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None
    except OSError:
        return None
