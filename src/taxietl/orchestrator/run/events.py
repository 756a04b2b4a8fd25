"""Named events of a run: what happened to data that somebody may want to be told of."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import Any

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.run.logs import get_run_logger, show
from taxietl.orchestrator.store import history as histories
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.arguments import shown
from taxietl.orchestrator.store.rows import EventRow
from taxietl.orchestrator.store.transaction import transaction

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def attach_event(name: str, message: str = "", **details: Any) -> None:
    """Attach a named event to the current run, to be shown with it; log it at INFO, too.

    Outside any run, and in an isolated task, whose process has no history, it is only logged.

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
    said = f"Event {name!r}: {masked(message)}" if message else f"Event {name!r}"
    who, history = lines.current.get(), histories.current.get()
    if who is None or history is None:
        get_run_logger().info("%s", said)
        return
    now = functools.partial(datetime.now, UTC)
    with transaction(history.database, now, show) as change:
        text = masked(message)
        change.add(EventRow(who.run_id, who.task_run_id, change.at, name, text, shown(details)))
        change.say(who, said)
