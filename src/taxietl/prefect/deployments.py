"""Deployments and schedules in code: refused, with the command that does it here."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from taxietl.errors import ConfigError


def no_deployment(
    what: str, flow: Any, name: str | None, options: Mapping[str, Any]
) -> ConfigError:
    """What to type instead of `serve`, `deploy` and their like.

    Args:
        what: was called.
        flow: of which; None if that is not known.
        name: of the deployment.
        options: its schedule and parameters are used.
    """
    target = "FILE:FLOW"
    if flow is not None:
        file = inspect.getsourcefile(flow.function) or flow.function.__module__
        target = f"{Path(file).name}:{flow.function.__name__}"
    words = ["run", target]
    for parameter, value in (options.get("parameters") or {}).items():
        words += ["-p", f"{parameter}={value}"]
    when = f'--cron "{_cron(options)}"'
    title = shlex.quote(name or (flow.name if flow is not None else "NAME"))
    return ConfigError(
        f"{what}: flows are run by a scheduler of the machine's own, not by a deployment."
        # In the message, for a script that calls it shows no hint.
        f" Type: taxietl schedule add {title} {when} -- {shlex.join(words)}",
    )


def _cron(options: Mapping[str, Any]) -> str:
    """When it is to run, as far as it can be said so."""
    schedule = options.get("schedule")
    cron = options.get("cron") or getattr(schedule, "cron", None)
    if isinstance(cron, str):
        return cron
    interval = options.get("interval") or getattr(schedule, "interval", None)
    seconds = interval.total_seconds() if isinstance(interval, timedelta) else interval
    if isinstance(seconds, (int, float)) and 60 <= seconds < 3600:
        return f"*/{int(seconds // 60)} * * * *"
    return "0 * * * *" if isinstance(seconds, (int, float)) and seconds < 86_400 else "0 5 * * *"


class Deployment:
    """Refused: see `no_deployment`."""

    def __init__(self, **options: Any) -> None:
        raise no_deployment("Deployment(…)", options.get("flow"), options.get("name"), options)

    @classmethod
    def build_from_flow(
        cls, flow: Any = None, name: str | None = None, **options: Any
    ) -> Deployment:
        """Refused: see `no_deployment`."""
        raise no_deployment("Deployment.build_from_flow()", flow, name, options)


def serve(*flows: Any, **options: Any) -> NoReturn:
    """Refused: see `no_deployment`."""
    raise no_deployment("serve()", flows[0] if flows else None, None, options)


deploy = serve


def run_deployment(name: str = "", **_: Any) -> NoReturn:
    """Refused: a flow that is called is a child run."""
    raise ConfigError(
        f"run_deployment({name!r}): there are no deployments.",
        hint="Call the flow: it becomes a child run. Or type `taxietl run FILE:FLOW`.",
    )


def pause_flow_run(*_: object, **__: object) -> NoReturn:
    """Refused: nobody is asked in the middle of a run."""
    raise ConfigError(
        "A run cannot be paused: it holds its process, and nobody is asked in the middle of it.",
        hint="Let it fail, and type `taxietl runs resume NAME` when it may go on.",
    )


suspend_flow_run = pause_flow_run
