"""What all pages share: the history, the settings, and how a page is made of a template."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from taxietl.config import Settings, profile_named, settings
from taxietl.errors import ConfigError
from taxietl.findings import Finding
from taxietl.orchestrator import History
from taxietl.orchestrator.query.browsing import count_by_state, stamp_of
from taxietl.ui.access import Access
from taxietl.ui.asking import KEPT_SECONDS, Asker
from taxietl.ui.assets import Assets
from taxietl.ui.rendering import environment
from taxietl.ui.schedules import Row, schedules_of

T = TypeVar("T")

RECONCILE_SECONDS = 1.0
"""So often, at most, it is looked whether runs have died."""

SCHEDULES_SECONDS = 30.0
"""For so long the overview shows the schedules as it has read them."""


@dataclass(frozen=True)
class CheckResult:
    """What a check of a profile found, and when."""

    at: datetime
    findings: list[Finding]


@dataclass(frozen=True)
class Link:
    """A place in the navigation."""

    path: str
    name: str


NAVIGATION = (
    Link("/", "Overview"),
    Link("/runs", "Runs"),
    Link("/coverage", "Coverage"),
    Link("/lake", "Lake"),
    Link("/flows", "Flows"),
    Link("/schedules", "Schedules"),
    Link("/limits", "Limits"),
    Link("/cache", "Cache"),
    Link("/profiles", "Profiles"),
)


@dataclass
class Dashboard:
    """One dashboard, of one home."""

    home: Path
    access: Access
    read_settings: Callable[[], Settings]
    """As they are now: whoever edits the configuration need not restart the dashboard."""
    options: tuple[str, ...] = ()
    """What `taxietl` is given to mean this home and this configuration."""
    folders: tuple[str, ...] = ()
    """Where the user's flows are looked for."""
    assets: Assets = field(default_factory=Assets)
    templates: Environment = field(default_factory=environment)
    answers: dict[str, CheckResult] = field(default_factory=dict)
    """What each profile's last check found."""
    asker: Asker = field(default_factory=Asker)

    def __post_init__(self) -> None:
        self.read_settings = functools.partial(_with_target, self.read_settings)
        self._history = History(self.home)
        self._lock = threading.Lock()
        self._reconciled_at = float("-inf")
        self._schedules: tuple[float, list[Row]] | None = None

    @property
    def history(self) -> History:
        """The history, in which no dead run counts as running."""
        with self._lock:
            is_due = time.monotonic() - self._reconciled_at > RECONCILE_SECONDS
            if is_due:
                self._reconciled_at = time.monotonic()
        if is_due:
            self._history.reconcile()
        return self._history

    def schedules(self) -> list[Row]:
        """The schedules as they were not long ago: systemd has to be asked for their times."""
        now = time.monotonic()
        if self._schedules is None or now - self._schedules[0] > SCHEDULES_SECONDS:
            self._schedules = now, schedules_of(self.home)[0]
        return self._schedules[1]

    def stamp(self) -> str:
        """Another text whenever a page would show something else."""
        queue = self.home / "limits.db-wal"
        tickets = queue.stat().st_mtime_ns if queue.exists() else 0
        return f"{stamp_of(self._history)}-{tickets}"

    def asked(
        self,
        profile: str,
        question: Callable[[], T],
        *key: str,
        kept_seconds: float = KEPT_SECONDS,
    ) -> T:
        """What a warehouse or a lake says; asked anew after any run has begun or ended.

        Raises:
            TryLaterError: it has not answered in time.
        """
        known = self.read_settings().profiles.get(profile)
        counts = count_by_state(self.history)
        mark = tuple(sorted((str(state), n) for state, n in counts.items()))
        place = f"Profile {profile!r}"
        return self.asker.ask(
            place, (profile, repr(known), *key), question, mark=mark, kept_seconds=kept_seconds
        )

    def close(self) -> None:
        """Close the history."""
        self._history.close()

    def page(
        self,
        request: Request,
        template: str,
        *,
        title: str,
        status: HTTPStatus = HTTPStatus.OK,
        **values: Any,
    ) -> Response:
        """A page made of a template and values."""
        shown = self.templates.get_template(template).render(
            assets=self.assets,
            csrf=self.access.form,
            home=self.home,
            navigation=NAVIGATION,
            now=datetime.now(UTC),
            path=request.url.path,
            stamp=getattr(request.state, "stamp", ""),
            title=title,
            **values,
        )
        return HTMLResponse(shown, status)


def _with_target(read: Callable[[], Settings]) -> Settings:
    """The settings as they are now; an address that `[ingest] to` gives is among the profiles."""
    read()
    with suppress(ConfigError):  # the pages that ask it say what is wrong
        profile_named()
    return settings()
