"""Attachments: texts, tables, links and pictures by which people see what a run did.

They are kept with the history, which is why each is bounded, and shown by `runs show`. The content
of each kind, as the history has it:

    markdown    {"text": …}
    table       {"columns": […], "rows": [[…], …], "row_count": …}   of all rows, kept or not
    link        {"url": …, "text": …}
    image       {"url": …}   of a picture from a file, its bytes as a `data:` URL
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.run.attaching import attach
from taxietl.orchestrator.run.logs import get_run_logger
from taxietl.orchestrator.run.tables import Table
from taxietl.orchestrator.store.arguments import shown_value
from taxietl.orchestrator.store.attached_rows import AttachmentRow
from taxietl.orchestrator.store.results import MAX_BYTES

MAX_PICTURE_BYTES = 1024 * 1024
"""Of a picture's file."""
MAX_ROWS = 1000
"""Of a table; fewer if they take more than `MAX_BYTES`."""

_MAX_URL = 4096
_MAX_NAME = 200
_MAX_DESCRIPTION = 4000
_LINKED = ("", "http", "https", "gs", "s3", "file", "ftp", "mailto")
"""Schemes of a link; none may be of a path. `javascript:` would be a program on a page."""
_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "image/svg+xml"),
)
"""What a file begins with that a browser shows as a picture."""


def attach_markdown(text: str, *, name: str = "", description: str = "") -> None:
    """Attach a text to the current run, to be shown with it; a long one is cut, with a warning.

    Outside any run nothing is kept, only a line is logged.

    Args:
        text: Markdown, or plain; secrets are masked.
        name: what to call it.
        description: what it says, for people.

    Raises:
        ConfigError: that is no text.
        TargetError: the history cannot be written.
    """
    if not isinstance(text, str):
        raise ConfigError(
            f"attach_markdown is given a {type(text).__name__}, which is no text.",
            hint="Give it a str; attach_table takes rows.",
        )
    kept = _cut(masked(text), MAX_BYTES)
    if kept != masked(text):
        _warn("markdown", name, f"has {len(text):,} characters; the first {len(kept):,} are kept")
    _attach("markdown", name, description, {"text": kept})


def attach_table(rows: object, *, name: str = "", description: str = "") -> None:
    """Attach a table to the current run, to be shown with it; of a long one the first rows.

    Outside any run nothing is kept, only a line is logged.

    Args:
        rows: a list of dicts, one a row; a list of lists; a dict of columns, or of the values of
            one row; a pandas DataFrame or an Arrow table. Secrets are masked, and what has no
            JSON form is `<type>`.
        name, description: see `attach_markdown`.

    Raises:
        ConfigError: that is no table.
        TargetError: the history cannot be written.
    """
    table = Table.of(rows, most=MAX_ROWS)
    columns = [masked(each) for each in table.columns]
    kept: list[list[object]] = []
    room = MAX_BYTES - len(json.dumps(columns))
    for row in table.rows:
        cells = [
            shown_value(cell, name=column) for column, cell in zip(table.columns, row, strict=True)
        ]
        room -= len(json.dumps(cells, ensure_ascii=False).encode("utf-8", "surrogatepass")) + 2
        if room < 0:
            break
        kept.append(cells)
    if len(kept) < table.row_count:
        _warn("table", name, f"has {table.row_count:,} rows; the first {len(kept):,} are kept")
    content = {"columns": columns, "rows": kept, "row_count": table.row_count}
    _attach("table", name, description, content)


def attach_link(url: str, *, text: str = "", name: str = "", description: str = "") -> None:
    """Attach a link to the current run, to be shown with it.

    Outside any run nothing is kept, only a line is logged.

    Args:
        url: an address; a password in it is masked.
        text: what to show for it.
        name, description: see `attach_markdown`.

    Raises:
        ConfigError: that is no address that can be linked.
        TargetError: the history cannot be written.
    """
    shown = _address(url, _LINKED, "link")
    _attach("link", name, description, {"url": shown, "text": _cut(masked(text), _MAX_NAME)})


def attach_image(image: str | Path, *, name: str = "", description: str = "") -> None:
    """Attach a picture to the current run, to be shown with it.

    Outside any run nothing is kept, only a line is logged.

    Args:
        image: an address on the web; or the path of a file, whose bytes are kept.
        name, description: see `attach_markdown`.

    Raises:
        ConfigError: there is no such file, it is too big or no picture.
        TargetError: the history cannot be written.
    """
    is_address = isinstance(image, str) and "://" in image
    url = _address(str(image), ("http", "https"), "image") if is_address else _data_url(Path(image))
    _attach("image", name, description, {"url": url})


def _attach(kind: str, name: str, description: str, content: Mapping[str, object]) -> None:
    text = json.dumps(content, ensure_ascii=False)
    given = _cut(masked(name), _MAX_NAME), _cut(masked(description), _MAX_DESCRIPTION)
    attach(
        lambda who, at: AttachmentRow(who.run_id, who.task_run_id, at, kind, *given, text),
        f"{_titled(kind, name)} is not kept: this is part of no run.",
    )


def _titled(kind: str, name: str) -> str:
    return f"The {kind} {masked(name)!r}" if name else f"The {kind}"


def _warn(kind: str, name: str, says: str) -> None:
    get_run_logger().warning("%s %s.", _titled(kind, name), says)


def _cut(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def _address(url: str, schemes: Sequence[str], kind: str) -> str:
    """The address, masked."""
    try:
        scheme = urlsplit(url).scheme
    except (ValueError, AttributeError, TypeError):
        scheme = "?"
    if scheme not in schemes or not url or len(url) > _MAX_URL:
        shown = masked(str(url))[:100]
        raise ConfigError(
            f"attach_{kind} is given {shown!r}, which is no address it can show.",
            hint=f"Give an address of at most {_MAX_URL:,} characters that begins with https://.",
        )
    return masked(url)


def _data_url(path: Path) -> str:
    """The bytes of a picture's file as an address."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"The picture {path} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_PICTURE_BYTES:
        raise ConfigError(
            f"The picture {path} takes more than {MAX_PICTURE_BYTES:,} bytes.",
            hint="Make it smaller; or keep the file, and use attach_link.",
        )
    media_type = next((found for begin, found in _PICTURES if data.startswith(begin)), None)
    if media_type is None:
        raise ConfigError(
            f"{path} is no picture that can be shown.",
            hint="Give a PNG, JPEG, GIF, WebP or SVG file.",
        )
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
