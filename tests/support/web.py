"""A browser without a window: it keeps cookies, and calls the dashboard in this process."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

HOST = "127.0.0.1:4280"
TOKEN = "a" * 43


class Browser:
    """Asks for pages; follows no redirection by itself."""

    def __init__(self, app: Starlette, *, host: str = HOST) -> None:
        self.app, self.host = app, host
        self.cookies = httpx.Cookies()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for a page."""
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send a form."""
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, with the cookies of those before."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=f"http://{self.host}", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, **options)
                self.cookies.update(client.cookies)
                return answer

        return asyncio.run(asked())

    def form(self, page: httpx.Response, action: str) -> dict[str, str]:
        """The hidden fields of the form on a page that leads there."""
        found = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page.text, re.S)
        assert found, f"no form leads to {action}"
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[0]))


def raw_status(app: Starlette, path: bytes, *, host: str = HOST, cookie: str = "") -> int:
    """The status of a GET whose path is sent as it is, dots and all."""
    statuses: list[int] = []
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path.decode("latin-1"),
        "raw_path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", host.encode()), (b"cookie", cookie.encode())],
        "http_version": "1.1",
        "scheme": "http",
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    receiving: Receive = receive
    sending: Send = send
    asyncio.run(app(scope, receiving, sending))
    return statuses[0]
