"""The routes of the dashboard, and what every request meets before them."""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from taxietl.errors import TargetError, TaxietlError, TryLaterError, UnknownNameError
from taxietl.ui.access import Access
from taxietl.ui.actions import ACTIONS, act
from taxietl.ui.api import API
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.forms import fields_of
from taxietl.ui.guards import (
    HEADERS,
    BoundedRequests,
    SameSiteActions,
    SecureHeaders,
    TokenRequired,
    let_in,
)
from taxietl.ui.live import Watcher, stream
from taxietl.ui.metrics import metrics
from taxietl.ui.pages.cache import cache
from taxietl.ui.pages.coverage import coverage, month
from taxietl.ui.pages.flows import flows
from taxietl.ui.pages.lake import lake
from taxietl.ui.pages.limits import limits
from taxietl.ui.pages.overview import overview
from taxietl.ui.pages.profile_form import profiles
from taxietl.ui.pages.quality import quality
from taxietl.ui.pages.run import run
from taxietl.ui.pages.runs import runs
from taxietl.ui.pages.schedules import schedules

Page = Callable[[Dashboard, Request], Response]
Reader = Callable[[Request], Response]

PAGES: dict[str, Page] = {
    "/": overview,
    "/runs": runs,
    "/runs/{name:path}": run,
    "/coverage": coverage,
    "/coverage/{month}": month,
    "/coverage/{month}/quality": quality,
    "/lake": lake,
    "/flows": flows,
    "/schedules": schedules,
    "/limits": limits,
    "/cache": cache,
    "/profiles": profiles,
    "/metrics": metrics,
    **API,
}

_logger = logging.getLogger("taxietl.ui")


def application(dashboard: Dashboard, *, hosts: Sequence[str]) -> Starlette:
    """The dashboard as an ASGI application.

    Args:
        dashboard: what it shows.
        hosts: the names by which it is reached.
    """
    watcher = Watcher(dashboard)
    locked = functools.partial(_locked, dashboard)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        dashboard.close()

    routes = [
        Route("/healthz", _health),
        Route("/favicon.ico", dashboard.assets.icon),
        Route("/static/{path:path}", dashboard.assets.serve),
        Route("/login", functools.partial(_log_in, dashboard.access, locked), methods=["POST"]),
        Route("/live", functools.partial(_streamed, watcher)),
        *(
            Route(path, functools.partial(act, dashboard, action), methods=["POST"])
            for path, action in ACTIONS.items()
        ),
        *(Route(path, functools.partial(_shown, dashboard, page)) for path, page in PAGES.items()),
    ]
    failed = functools.partial(_failed, dashboard)
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(SecureHeaders),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(BoundedRequests),
            Middleware(TokenRequired, access=dashboard.access, locked=locked),
            Middleware(SameSiteActions),
        ],
        exception_handlers={
            HTTPException: functools.partial(_refused, dashboard),
            TaxietlError: failed,
            Exception: failed,
        },
        lifespan=lifespan,
    )


def _shown(dashboard: Dashboard, page: Page, request: Request) -> Response:
    """A page, with the stamp of what there was before it was made."""
    request.state.stamp = dashboard.stamp()
    return page(dashboard, request)


async def _streamed(watcher: Watcher, request: Request) -> Response:
    return stream(watcher, request)


def _health(_request: Request) -> Response:
    """That it is up, and nothing else: whoever may ask this may not see the history."""
    return PlainTextResponse("ok\n")


async def _log_in(
    access: Access, locked: Callable[[Request, bool], Response], request: Request
) -> Response:
    """Take the token from a form, where a link was not at hand."""
    form = await fields_of(request)
    if access.is_token(form.get("token", "").strip()):
        return let_in(access, "/")
    return locked(request, True)


def _locked(dashboard: Dashboard, request: Request, was_wrong: bool) -> Response:
    """The page that asks for the token; a program gets no page."""
    if request.url.path.startswith("/api/") or request.url.path in ("/metrics", "/live"):
        said = {"error": {"message": "The token is missing or wrong.", "hint": _BEARER}}
        return JSONResponse(said, HTTPStatus.UNAUTHORIZED, {"www-authenticate": "Bearer"})
    return dashboard.page(
        request,
        "locked.html",
        title="Locked",
        status=HTTPStatus.UNAUTHORIZED,
        was_wrong=was_wrong,
    )


_BEARER = "Send it as `Authorization: Bearer TOKEN`; it lies in TAXIETL_HOME/ui.token."


async def _refused(dashboard: Dashboard, request: Request, error: Exception) -> Response:
    """An answer of the framework's: there is no such page, or not by this method."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return _error(dashboard, request, status, "There is no such page.", "")
    return _error(dashboard, request, status, f"{status.phrase}.", "")


async def _failed(dashboard: Dashboard, request: Request, error: Exception) -> Response:
    """An error of ours is told; any other is a bug, whose text is for the log alone."""
    if isinstance(error, TaxietlError):
        status = HTTPStatus.BAD_REQUEST
        if isinstance(error, UnknownNameError):
            status = HTTPStatus.NOT_FOUND
        elif isinstance(error, TryLaterError):
            status = HTTPStatus.SERVICE_UNAVAILABLE
        elif isinstance(error, TargetError):  # the history is damaged, say
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        return _error(dashboard, request, status, error.message, error.hint)
    _logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    hint = "What `taxietl ui` printed says more."
    answer = _error(dashboard, request, status, "The dashboard has failed to make this page.", hint)
    answer.headers.update(HEADERS)  # it is made outside of what puts them on all others
    return answer


def _error(
    dashboard: Dashboard, request: Request, status: HTTPStatus, message: str, hint: str
) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": {"message": message, "hint": hint}}, status)
    return dashboard.page(
        request,
        "error.html",
        title=status.phrase,
        status=status,
        message=message,
        hint=hint,
        code=int(status),
    )
