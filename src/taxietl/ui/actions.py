"""What buttons do. Runs are started as from a shell, each in a process that outlives this one."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from taxietl.orchestrator.stop.stopping import stop
from taxietl.ui.beginning import begun
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.forms import fields_of
from taxietl.ui.pages.flows import run_flow
from taxietl.ui.pages.lake import verify
from taxietl.ui.pages.profile_form import add
from taxietl.ui.pages.profiles import check

Action = Callable[[Dashboard, Request], str | Response]
"""Does it, and gives the page to go to, or one that says why it was not done; the form is in the
request's state."""


async def act(dashboard: Dashboard, action: Action, request: Request) -> Response:
    """Do what a form of ours asks for, and go to the page that shows what came of it."""
    form = await fields_of(request)
    if not dashboard.access.is_form(form.get("csrf", "")):
        raise HTTPException(HTTPStatus.FORBIDDEN)
    request.state.form = form
    target = await run_in_threadpool(action, dashboard, request)
    if isinstance(target, Response):
        return target
    return RedirectResponse(target, HTTPStatus.SEE_OTHER)


def cancel(dashboard: Dashboard, request: Request) -> str:
    """Stop a run, and wait for its end."""
    run, _ = stop(dashboard.history, request.path_params["id"], means="the dashboard")
    return f"/runs/{run.id}"


def resume(dashboard: Dashboard, request: Request) -> str:
    """Start a run that takes up that one."""
    run = dashboard.history.run(request.path_params["id"])
    return begun(dashboard, ("runs", "resume", run.id))


def rerun(dashboard: Dashboard, request: Request) -> str:
    """Start a run like that one."""
    run = dashboard.history.run(request.path_params["id"])
    return begun(dashboard, ("runs", "rerun", run.id))


ACTIONS: dict[str, Action] = {
    "/runs/{id}/cancel": cancel,
    "/runs/{id}/resume": resume,
    "/runs/{id}/rerun": rerun,
    "/profiles/add": add,
    "/profiles/{name}/check": check,
    "/lake/{name}/verify": verify,
    "/flows/run": run_flow,
}
