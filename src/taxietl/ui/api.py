"""`/api/…`: the same for programs, as JSON, read-only; `/api/openapi.json` describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from taxietl.errors import ConfigError
from taxietl.masking import masked_json
from taxietl.orchestrator.query.browsing import page_of_runs
from taxietl.orchestrator.query.documents import run_document, tree_document
from taxietl.orchestrator.query.figures import kept_results
from taxietl.orchestrator.query.run_story import page_of_lines
from taxietl.orchestrator.query.runs import resumptions_of, tree_of
from taxietl.orchestrator.query.standings import standings
from taxietl.orchestrator.store.tickets import Ticket
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.openapi import description
from taxietl.ui.pages.profiles import values_of
from taxietl.ui.pages.run import LogQuery
from taxietl.ui.pages.runs import Query
from taxietl.ui.schedules import schedules_of

MOST = 500
"""Runs, or log lines, of one answer."""


def openapi(_dashboard: Dashboard, _request: Request) -> Response:
    """What there is to ask."""
    return _answer(description())


def runs(dashboard: Dashboard, request: Request) -> Response:
    """A page of runs, filtered as `/runs` is."""
    given, history = request.query_params, dashboard.history
    found = page_of_runs(
        history,
        Query.of(request).filter(),
        after=given.get("after"),
        before=given.get("before"),
        limit=_limit(given.get("limit"), 50),
    )
    links = resumptions_of(history, [each.id for each in found.runs])
    return _answer(
        {
            "runs": [run_document(each, links) for each in found.runs],
            "newer": found.newer,
            "older": found.older,
        }
    )


def run(dashboard: Dashboard, request: Request) -> Response:
    """A run with all below it, by its id or its name."""
    history = dashboard.history
    tree = tree_of(history, history.run(request.path_params["name"]))
    return _answer(tree_document(tree, tree.root, resumptions_of(history, list(tree.runs))))


def logs(dashboard: Dashboard, request: Request) -> Response:
    """A page of a run's log lines, the last ones unless others are asked for."""
    history, query = dashboard.history, LogQuery.of(request)
    found = history.run(request.path_params["id"])
    page = page_of_lines(
        history,
        found,
        levels=query.levels,
        task=query.task or None,
        before=query.before,
        after=query.after,
        limit=_limit(request.query_params.get("limit"), 200),
    )
    return _answer(
        {
            "run": {"id": found.id, "name": found.name},
            "logs": [{"number": each.number} | vars(each.row) for each in page.lines],
            "total": page.total,
            "earlier": page.earlier,
            "later": page.later,
        }
    )


def limits(dashboard: Dashboard, _request: Request) -> Response:
    """Who holds and who awaits a slot of which tag."""
    found = standings(dashboard.home, dashboard.read_settings().limits)
    return _answer(
        {
            "limits": [
                {
                    "tag": each.tag,
                    "limit": each.limit,
                    "held": len(each.holders),
                    "holders": [_ticket(ticket) for ticket in each.holders],
                    "waiters": [_ticket(ticket) for ticket in each.waiters],
                }
                for each in found
            ]
        }
    )


def cache(dashboard: Dashboard, _request: Request) -> Response:
    """How much is kept."""
    results, size = kept_results(dashboard.history)
    most = dashboard.read_settings().cache.max_size
    return _answer({"results": results, "bytes": size, "max_bytes": most})


def schedules(dashboard: Dashboard, _request: Request) -> Response:
    """The schedules, with their next and last runs."""
    found, _ = schedules_of(dashboard.home)
    return _answer(
        {
            "schedules": [
                {
                    "name": each.schedule.name,
                    "when": each.schedule.when.given,
                    "by": each.schedule.starter.value,
                    "command": list(each.schedule.command),
                    "next_at": each.following,
                    "last": {
                        "result": each.last.result.value,
                        "started_at": each.last.started_at,
                        "ended_at": each.last.ended_at,
                        "exit_code": each.last.exit_code,
                    }
                    if each.last
                    else None,
                }
                for each in found
            ]
        }
    )


def profiles(dashboard: Dashboard, _request: Request) -> Response:
    """The profiles; of a secret, where it is read from."""
    return _answer(
        {
            "profiles": [
                {
                    "name": name,
                    "type": profile.type,
                    "origin": profile.origin,
                    "values": {
                        each.key: {"secret": each.place} if each.place else each.text
                        for each in values_of(profile)
                    },
                }
                for name, profile in sorted(dashboard.read_settings().profiles.items())
            ]
        }
    )


API = {
    "/api/openapi.json": openapi,
    "/api/runs": runs,
    "/api/runs/{id}/logs": logs,
    "/api/runs/{name:path}": run,
    "/api/limits": limits,
    "/api/cache": cache,
    "/api/schedules": schedules,
    "/api/profiles": profiles,
}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "run": {"id": ticket.run_id, "name": ticket.run_name},
        "task": ticket.task_run_name,
        "host": ticket.host,
        "pid": ticket.pid,
        "since": ticket.granted_at or ticket.since,
    }


def _limit(text: str | None, usual: int) -> int:
    if text is None:
        return usual
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MOST:
        raise ConfigError(f"limit={text!r} is no number from 1 to {MOST}.")
    return int(text)


def _answer(document: Mapping[str, Any]) -> Response:
    text = json.dumps(masked_json(document, plain=_plain), default=_plain, ensure_ascii=False)
    return Response(text.encode("utf-8", "backslashreplace"), media_type="application/json")


def _plain(value: Any) -> Any:
    """What JSON does not know, as what it knows."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value
