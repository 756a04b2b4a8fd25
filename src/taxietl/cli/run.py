"""`taxietl run`: run a flow of the user's own."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.output import Output, with_output
from taxietl.cli.session import open_settings
from taxietl.errors import ConfigError, UnknownNameError
from taxietl.steps.modules import load_module

if TYPE_CHECKING:
    from taxietl.orchestrator import Flow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_output(run))


def run(
    out: Output,
    target: Annotated[
        str, typer.Argument(metavar="FILE_OR_MODULE:FLOW", help="flows.py:etl, or package.mod:etl")
    ],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="name=value; repeats.")
    ] = None,
) -> None:
    """Run any flow of your own, with history, states and retries."""
    open_settings()
    from taxietl.orchestrator import configure_logging
    from taxietl.runtime import open_engine

    configure_logging(out.log_level)
    flow = _flow(target)
    given = _parameters(flow, parameter or [])
    done = open_engine().run(flow, **given)
    result = done.result()
    document = {
        "run": {"id": done.id, "name": done.name, "state": done.state.name},
        "result": result,
    }
    out.result(document, f"{done.name}  {done.state}")


def _flow(target: str) -> Flow[..., Any]:
    """The flow that `FILE_OR_MODULE:FLOW` names; FLOW may be left out where there is one."""
    from taxietl.orchestrator import Flow

    where, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    module = load_module(where, name="FLOW")
    flows = {key: value for key, value in vars(module).items() if isinstance(value, Flow)}
    if not name and len(flows) == 1:
        return next(iter(flows.values()))
    if name not in flows:
        raise UnknownNameError(f"flow in {where}", name, flows)
    return flows[name]


def _parameters(flow: Flow[..., Any], given: list[str]) -> dict[str, Any]:
    """`name=value` texts as values: JSON where the parameter is no text; pydantic does the rest."""
    known = inspect.signature(flow.function).parameters
    values: dict[str, Any] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise ConfigError(f"-p {each!r} has no value.", hint="Write -p name=value.")
        if name not in known:
            raise UnknownNameError(f"parameter of the flow {flow.name!r}:", name, known)
        values[name] = text if known[name].annotation in (str, "str") else _as_json(text)
    return values


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
