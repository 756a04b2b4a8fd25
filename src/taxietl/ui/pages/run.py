"""`/runs/ID`: one run: its tree on a time line, parameters, events, attachments, rows, log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from taxietl.errors import ConfigError
from taxietl.orchestrator import History
from taxietl.orchestrator.query.browsing import FAILURES, Maker, makers_of
from taxietl.orchestrator.query.progress import progress_below
from taxietl.orchestrator.query.run_story import (
    LEVELS,
    Story,
    neighbours_of,
    page_of_lines,
    story_of,
)
from taxietl.orchestrator.store.lines import HINT
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.states import StateName, StateType
from taxietl.ui.attachments import ShownAttachment
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.tallies import tally_of
from taxietl.ui.timeline import time_line

LINES = 200
AROUND = 20
"""Lines that are shown before one that is linked to."""


@dataclass(frozen=True)
class LogQuery:
    """Which log lines are asked for; empty where all are."""

    level: str = ""
    task: str = ""
    before: int | None = None
    after: int | None = None

    @classmethod
    def of(cls, request: Request) -> LogQuery:
        """What an address asks for.

        Raises:
            ConfigError: a number is none.
        """
        given = request.query_params
        line = _number(given.get("line"))
        after = _number(given.get("after"))
        return cls(
            level=given.get("level", ""),
            task=given.get("task", ""),
            before=_number(given.get("before")),
            after=after if line is None else max(0, line - AROUND),
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that are shown: the chosen one and worse."""
        if not self.level:
            return ()
        if self.level not in LEVELS:
            raise ConfigError(
                f"There is no level {self.level!r}.", hint=f"Known: {', '.join(LEVELS)}."
            )
        return LEVELS[LEVELS.index(self.level) :]

    def address(self, run_id: str, **more: int) -> str:
        """The page that shows such lines, other than these."""
        given = {"level": self.level, "task": self.task} | more
        left = {name: value for name, value in given.items() if value}
        return f"/runs/{run_id}{f'?{urlencode(left)}' if left else ''}#logs"


@dataclass(frozen=True)
class Failure:
    """Why a run failed: the first words of it, and the task run that it began in."""

    message: str
    hint: str
    where: str | None


@dataclass(frozen=True)
class Actions:
    """What may be done to a run."""

    cancel: bool
    resume: bool
    rerun: bool


def run(dashboard: Dashboard, request: Request) -> Response:
    """The page; a name leads to the latest run of that name."""
    history = dashboard.history
    wanted = request.path_params["name"]
    found = history.run(wanted)
    if found.id != wanted:
        return RedirectResponse(f"/runs/{found.id}", HTTPStatus.SEE_OTHER)
    query = LogQuery.of(request)
    story = story_of(history, found)
    lines = page_of_lines(
        history,
        found,
        levels=query.levels,
        task=query.task or None,
        before=query.before,
        after=query.after,
        limit=LINES,
    )
    now = datetime.now(UTC)
    calls = [node.call for node in story.nodes if node.call]
    return dashboard.page(
        request,
        "run.html",
        title=found.name,
        run=found,
        story=story,
        attachments=[ShownAttachment.of(each) for each in story.attachments],
        progress=progress_below(history, found.id),
        makers=_makers(history, story),
        line=time_line(story.nodes, now),
        seconds=_seconds(found, now),
        neighbours=neighbours_of(history, found),
        tally=tally_of(calls),
        failure=_failure(history, found, story),
        can=_can(found),
        lines=lines,
        log=query,
        speakers=_speakers(story),
        levels=LEVELS,
        earlier=query.address(found.id, before=lines.earlier) if lines.earlier else None,
        later=query.address(found.id, after=lines.later) if lines.later else None,
    )


def _makers(history: History, story: Story) -> dict[str, Maker | None]:
    """By the key of each cache hit, who made the result; None if it is kept no more."""
    hits = {
        node.call.cache_key: node.row.created_at
        for node in story.nodes
        if node.call and node.call.cache_key and node.row.state.name is StateName.CACHED
    }
    found = makers_of(history, hits) if hits else {}
    # What was made later took the place of what was used.
    return {
        key: maker if (maker := found.get(key)) and maker.made_at <= at else None
        for key, at in hits.items()
    }


def _failure(history: History, found: RunRow, story: Story) -> Failure | None:
    """None of a run that has not failed."""
    if found.state.name not in FAILURES:
        return None
    failed = (node for node in story.nodes if node.row.state.name in FAILURES and node.run is None)
    first = next(failed, None)
    errors = page_of_lines(history, found, levels=("ERROR", "CRITICAL"), after=0, limit=20)
    hints = (
        text.removeprefix(HINT)
        for line in errors.lines
        for text in line.row.message.splitlines()
        if text.startswith(HINT)
    )
    return Failure(found.state.message, next(hints, ""), first.row.name if first else None)


def _can(found: RunRow) -> Actions:
    is_root, is_final = found.parent_id is None, found.state.is_final()
    can_begin = is_root and is_final and found.replay is not None and found.entry is not None
    return Actions(
        cancel=is_root and not is_final,
        resume=can_begin and found.state.type is not StateType.COMPLETED,
        rerun=can_begin,
    )


def _speakers(story: Story) -> dict[str, str]:
    """Who says a log line: the names of runs and task runs, by their ids."""
    names: dict[str, str] = {}
    for node in story.nodes:
        if node.call:
            names[node.call.id] = node.call.name
        if node.run:
            names[node.run.id] = node.run.name
    return names


def _seconds(found: RunRow, now: datetime) -> float:
    return ((found.ended_at or now) - (found.started_at or found.created_at)).total_seconds()


def _number(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not text.isdecimal() or len(text) > 12:
        raise ConfigError(f"{text!r} is no number of a log line.")
    return int(text)
