"""Attachments as a page may show them: what others wrote is text, a picture only one of ours.

A link leads to the web or nowhere; a picture elsewhere is a link, since pages load nothing from
there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from taxietl.orchestrator.store.attached_rows import AttachmentRow
from taxietl.terminal import visible
from taxietl.ui.markdown import rendered

_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True)
class ShownAttachment:
    """One attachment; empty is what its kind has not."""

    row: AttachmentRow
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    left_out: int = 0
    """How many rows there were besides."""
    href: str = ""
    picture: Markup | None = None
    note: Markup | None = None

    @classmethod
    def of(cls, row: AttachmentRow) -> ShownAttachment:
        """What is shown of an attachment, however somebody edited it."""
        content = row.content
        url, text = str(content.get("url", "")), str(content.get("text", ""))
        match row.kind:
            case "table" if content.keys() >= {"columns", "rows", "row_count"}:
                rows = content["rows"]
                left_out = content["row_count"] - len(rows)
                return cls(row, columns=content["columns"], rows=rows, left_out=left_out)
            case "markdown" if isinstance(content.get("text"), str):
                return cls(row, note=rendered(visible(text)))
            case "image" if _PICTURE.fullmatch(url):
                return cls(row, picture=Markup(url))
            case "link" | "image":
                is_web = url.startswith(("https://", "http://"))
                return cls(row, text=text or url, href=url if is_web else "")
        return cls(row, text=text or row.content_json)
