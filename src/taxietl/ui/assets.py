"""The files that pages load: style sheets, a script and an icon, all of our own.

They are read once, and served from memory by names that hold their hash: what is not among them
is not there, whatever the name says, and a browser may keep them for good.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from taxietl.pictures.coverage import STYLE

FOLDER = Path(__file__).parent / "assets"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file."""

    path: str
    """Where it is served: `/static/style.1f0c….css`."""
    content: bytes
    media_type: str


class Assets:
    """Those there are."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name = {each.name: _read(each) for each in [*folder.iterdir(), STYLE]}
        self._by_path = {each.path: each for each in self._by_name.values()}

    def path(self, name: str) -> str:
        """Where a file is served."""
        return self._by_name[name].path

    def serve(self, request: Request) -> Response:
        """The file of that path."""
        found = self._by_path.get(request.url.path)
        if found is None:
            raise HTTPException(404)
        headers = {"cache-control": FOR_GOOD}
        return Response(found.content, headers=headers, media_type=found.media_type)

    def icon(self, _request: Request) -> Response:
        """What browsers ask for without being told to."""
        found = self._by_name["icon.svg"]
        return Response(found.content, media_type=found.media_type)


def _read(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"/static/{path.stem}.{digest}{path.suffix}", content, _TYPES[path.suffix])
