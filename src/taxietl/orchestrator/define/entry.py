"""Where a flow is found: `package.module:name`, or `path/to/file.py:name` where it is a script's.

`load_flow` gives the flow of such an address. A run keeps its flow's, so that another process can
take it up again. (`listing.py` tells what flows there are without loading anything.)
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.modules import load_module, refuse_missing
from taxietl.orchestrator.define.called import Flow
from taxietl.orchestrator.define.calling import refusing_runs
from taxietl.orchestrator.define.specs import FlowSpec
from taxietl.orchestrator.store.places import module_place


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
    def of(cls, flow: FlowSpec) -> EntryPoint | None:
        """Where that flow is found; None if it is in no module's namespace, or in no file."""
        module = sys.modules.get(flow.function.__module__)
        name = next((name for name, each in _flows(module) if each.spec is flow), None)
        where = module_place(vars(module)) if module and name else None
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
        ConfigError: there is no such file, module or flow, or several and none was named; or it
            starts a run while it is loaded.
        UserCodeError: the file is there, and has a fault.
    """
    where, name = _parted(target)
    if where and Path(where).is_dir() and not where.isidentifier():
        raise ConfigError(
            f"{where} is a folder.", hint=f"`taxietl flows ls {where}` lists what is in it."
        )
    # A module that calls its flow at its top level would run it, now and at each resume.
    eager = ConfigError(
        f"{where} starts a run while it is loaded.",
        hint='Put the call under `if __name__ == "__main__":`.',
    )
    module = load_module(where, name="FLOW", folder=folder, around=refusing_runs(eager))
    flows = dict(_flows(module))
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


def _flows(module: ModuleType | None) -> Iterator[tuple[str, Flow[..., Any]]]:
    """Those of a module, by their names there."""
    names = dict(vars(module)) if module else {}
    return ((name, each) for name, each in names.items() if isinstance(each, Flow))


def refuse_missing_file(target: str) -> None:
    """ConfigError if a target of `load_flow` names a Python file that is not there."""
    where, _ = _parted(target)
    if where.endswith(".py"):
        refuse_missing(Path(where), name="FLOW")


def _parted(target: str) -> tuple[str, str]:
    """The file or module, and the flow in it, if one is named."""
    # A drive's letter stands before a colon, too.
    if target.endswith(".py") or ":" not in target:
        return target, ""
    where, _, name = target.rpartition(":")
    return where, name


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


def _sha256(file: str | None) -> str | None:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else None
    except OSError:
        return None
