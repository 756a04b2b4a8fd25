"""`/runs`: all runs, a page at a time, filtered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from taxietl.errors import ConfigError
from taxietl.orchestrator import StateName
from taxietl.orchestrator.query.browsing import RunFilter, flow_names, page_of_runs
from taxietl.tlc.datasets import DATASETS
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.rendering import NEW_YORK

PER_PAGE = 50
_BEFORE_MONTHS = ("", "drop-")
"""What the names of runs of a month begin with, before its colour."""


@dataclass(frozen=True)
class Query:
    """What was asked for, as the form has it; empty where nothing was."""

    state: str = ""
    flow: str = ""
    color: str = ""
    month: str = ""
    since: str = ""
    until: str = ""
    text: str = ""
    top: str = ""

    @classmethod
    def of(cls, request: Request) -> Query:
        """What an address asks for."""
        given = request.query_params
        return cls(**{name: given.get(name, "").strip() for name in cls.__dataclass_fields__})

    @property
    def is_empty(self) -> bool:
        """All runs are asked for."""
        return self == Query()

    def address(self, **more: str) -> str:
        """The page that shows it."""
        left = {name: value for name, value in (vars(self) | more).items() if value}
        return f"/runs?{urlencode(left)}" if left else "/runs"

    def filter(self) -> RunFilter:
        """The same for the history.

        Raises:
            ConfigError: something in it means nothing.
        """
        return RunFilter(
            states=(_state(self.state),) if self.state else (),
            flow=self.flow or None,
            beginnings=_beginnings(self.color, self.month),
            text=self.text,
            since=_day(self.since) if self.since else None,
            until=_day(self.until, days=1) if self.until else None,
            top_level=bool(self.top),
        )


def runs(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    query = Query.of(request)
    history = dashboard.history
    given = request.query_params
    found = page_of_runs(
        history,
        query.filter(),
        after=given.get("after"),
        before=given.get("before"),
        limit=PER_PAGE,
    )
    return dashboard.page(
        request,
        "runs.html",
        title="Runs",
        found=found,
        query=query,
        flows=flow_names(history),
        states=list(StateName),
        colors=list(DATASETS),
        newer=query.address(before=found.newer) if found.newer else None,
        older=query.address(after=found.older) if found.older else None,
    )


def _state(text: str) -> StateName:
    by_name = {each.value.lower(): each for each in StateName}
    if text.lower() not in by_name:
        known = ", ".join(StateName)
        raise ConfigError(f"There is no state {text!r}.", hint=f"Known: {known}.")
    return by_name[text.lower()]


def _beginnings(color: str, month: str) -> tuple[str, ...]:
    """What the names of runs about those months begin with."""
    if not color and not month:
        return ()
    if color and color not in DATASETS:
        raise ConfigError(f"There is no colour {color!r}.", hint=f"Known: {', '.join(DATASETS)}.")
    if month and not re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", month):
        raise ConfigError(f"{month!r} is no month.", hint="Write 2021-01, or 2021 for a year.")
    colors = [color] if color else list(DATASETS)
    return tuple(f"{before}{each}-{month}" for each in colors for before in _BEFORE_MONTHS)


def _day(text: str, *, days: int = 0) -> datetime:
    """The beginning of a day in New York, or of one so many days later."""
    try:
        day = datetime.fromisoformat(text).replace(hour=0, minute=0, second=0, microsecond=0)
        return (
            (day.replace(tzinfo=None) + timedelta(days=days))
            .replace(tzinfo=NEW_YORK)
            .astimezone(UTC)
        )
    except (ValueError, OverflowError):
        raise ConfigError(f"{text!r} is no day.", hint="Write it as 2026-11-30.") from None
