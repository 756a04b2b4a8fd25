"""Named events of a run: what happened to data that somebody may want to be told of."""

from __future__ import annotations

import re
from typing import Any

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.run.attaching import attach
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.attached_rows import EventRow

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def attach_event(name: str, message: str = "", **details: Any) -> None:
    """Attach a named event to the current run, to be shown with it; log it at INFO, too.

    Outside any run it is only logged.

    Args:
        name: small letters, digits, `-` and `_`, such as `restated`.
        message: what happened, for people.
        details: the same for programs; secrets are masked, and what has no JSON form is `<type>`.

    Raises:
        ConfigError: that is no name of an event.
        TargetError: the history cannot be written.
    """
    if _NAME.fullmatch(name) is None:
        raise ConfigError(
            f"{name!r} is no name of an event.",
            hint="Begin with a small letter; small letters, digits, - and _ may follow.",
        )
    text, given = masked(message), shown(details)
    attach(
        lambda who, at: EventRow(who.run_id, who.task_run_id, at, name, text, given),
        f"Event {name!r}: {text}" if text else f"Event {name!r}",
        is_logged=True,
    )
