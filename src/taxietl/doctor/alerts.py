"""The addresses of `[[alerts]]`: whether Apprise understands them; nothing is sent."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from taxietl.config import Settings
from taxietl.doctor.examination import Check
from taxietl.findings import Finding

ALERTS = "alerts"
_KNOWN = ("failed", "crashed", "restated", "rejects", "shrunk", "overdue")


def alert_checks(settings: Settings) -> list[Check]:
    """What looks at all of them, if there are any."""
    return [Check(ALERTS, "", lambda: _look(settings))] if settings.alerts else []


def _look(settings: Settings) -> Iterator[Finding]:
    from taxietl.alerts.sending import Message, send

    outcomes = send([Message(each, None) for each in settings.alerts])
    for alert, wrong in zip(settings.alerts, outcomes, strict=True):
        close = [(each, difflib.get_close_matches(each, _KNOWN, n=1)) for each in alert.on]
        typos = [(each, near[0]) for each, near in close if near and each not in _KNOWN]
        if wrong:
            yield Finding.problem(ALERTS, str(alert.url), wrong)
        elif typos:
            given, meant = typos[0]
            yield Finding.warning(
                ALERTS,
                str(alert.url),
                f"{alert.name} is told of {given!r}, which only a flow of your own can attach.",
                hint=f"Did you mean {meant!r}?",
            )
        else:
            told_of = ", ".join(alert.on)
            yield Finding.ok(ALERTS, str(alert.url), f"{alert.name} is told of: {told_of}.")
