"""Where a flow is found: `package.module:name`, or `path/to/file.py:name` where it is a script's.

A run keeps its flow's entry point, so that another process can take it up again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from taxietl.orchestrator.flows import Flow
from taxietl.orchestrator.modules import load_flow


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
