"""What every request meets before it reaches a page, the outermost first.

SecureHeaders    says to the browser what pages may load, and who may frame them: nothing else
(Starlette's TrustedHostMiddleware: only hosts by which we are known; others are a trick of DNS)
BoundedRequests  refuses what is longer than any form or address of ours
TokenRequired    lets in who has the session's cookie, the token in a link, or as a bearer
SameSiteActions  refuses what changes something unless a page of ours sent it
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taxietl.ui.access import Access

MAX_TARGET = 4_096
"""Bytes of an address, with its query."""
MAX_BODY = 16_384
"""Bytes of a form."""
OPEN_PATHS = ("/favicon.ico", "/healthz", "/login")
"""Served to anybody, with what lies under `/static/`: none of it says anything of the history."""
READ_ONLY = ("GET", "HEAD")

POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "connect")),
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"""Nothing from elsewhere, and no script or style but those in files of ours; `data:` is for the
pictures that were attached to runs."""
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class SecureHeaders:
    """Puts them on every answer, those of errors and refusals among them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (HEADERS | {"cache-control": "no-store"}).items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class BoundedRequests:
    """Refuses long addresses and long bodies, whatever their length is said to be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if target > MAX_TARGET:
            await _refusal(HTTPStatus.REQUEST_URI_TOO_LONG)(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        body = await _body(receive) if said.isdigit() and int(said) <= MAX_BODY else None
        if body is None:
            await _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(scope, receive, send)
            return
        left = [body]

        async def receive_again() -> Message:
            if left:
                return {"type": "http.request", "body": left.pop(), "more_body": False}
            return await receive()

        await self.app(scope, receive_again, send)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if it is longer than any of ours."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":  # whoever sent it has gone
            return body
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body"):
            return body


class TokenRequired:
    """Lets in who has the token; a link with it leaves the cookie behind."""

    def __init__(
        self, app: ASGIApp, access: Access, locked: Callable[[Request, bool], Response]
    ) -> None:
        self.app, self.access = app, access
        self._locked = locked
        """The page that asks for the token; whether a wrong one was given."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._refused(Request(scope))
        await (answer or self.app)(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        """What is answered instead of the page; None where it may be seen."""
        access, path = self.access, request.url.path
        if access.token is None or path in OPEN_PATHS or path.startswith("/static/"):
            return None
        given = request.query_params.get("token")
        if given is not None and request.method in READ_ONLY:
            if access.is_token(given):
                return let_in(access, _without_token(path, request.query_params))
            return self._locked(request, True)
        if access.is_session(request.cookies.get(access.cookie, "")):
            return None
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and request.method in READ_ONLY:
            return None if access.is_token(bearer.strip()) else self._locked(request, True)
        return self._locked(request, False)


def let_in(access: Access, target: str) -> Response:
    """Leave the cookie, and go to a page of ours."""
    answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        access.cookie, access.session, max_age=30 * 86_400, httponly=True, samesite="strict"
    )
    return answer


def _without_token(path: str, query: QueryParams) -> str:
    left = urlencode([(name, value) for name, value in query.multi_items() if name != "token"])
    # Two slashes would begin the name of another host.
    return f"/{path.lstrip('/')}{f'?{left}' if left else ''}"


class SameSiteActions:
    """What changes something must come from a page of ours; its form is checked later."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READ_ONLY:
            headers = Headers(scope=scope)
            origin, host = headers.get("origin"), headers.get("host", "")
            is_foreign = origin is not None and origin.partition("://")[2] != host
            if is_foreign or headers.get("sec-fetch-site", "same-origin") not in _OURS:
                await _refusal(HTTPStatus.FORBIDDEN)(scope, receive, send)
                return
        await self.app(scope, receive, send)


_OURS = ("same-origin", "none")


def _refusal(status: HTTPStatus) -> Response:
    return PlainTextResponse(f"{status.phrase}\n", status)
