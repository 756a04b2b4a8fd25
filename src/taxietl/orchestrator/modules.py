"""The flow that an address like `flows.py:etl` stands for.

`listing.py` tells what flows there are without loading anything.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.modules import load_module
from taxietl.orchestrator.default import refusing_runs
from taxietl.orchestrator.flows import Flow


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
    # A drive's letter stands before a colon, too.
    where, _, name = (target, "", "") if target.endswith(".py") else _parted(target)
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
