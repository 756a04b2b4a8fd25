"""Attachments of runs as text, for `taxietl runs show`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from taxietl.cli.tables import grid
from taxietl.terminal import one_line

if TYPE_CHECKING:
    from taxietl.orchestrator.store.attached_rows import AttachmentRow

MOST_LINES = 20
"""Of one attachment's text."""


def attachment_lines(records: Iterable[AttachmentRow], indent: str) -> list[str]:
    """Attachments one after the other: a line each, then what it holds as far as text can."""
    lines = []
    for each in records:
        lines += [f"{indent}{line}".rstrip() for line in _lines(each)]
    return lines


def _lines(record: AttachmentRow) -> list[str]:
    head, held = _head_and_text(record.kind, record.content)
    says = ", ".join(each for each in (record.name, head, record.description) if each)
    lines = [one_line(f"+ {record.kind:<8} {says}").rstrip()]
    lines += [f"  {one_line(line)}" for line in held[:MOST_LINES]]
    if len(held) > MOST_LINES:
        lines.append(f"  … {len(held) - MOST_LINES:,} more lines: see --json")
    return lines


def _head_and_text(kind: str, content: dict[str, Any]) -> tuple[str, list[str]]:
    """What is said of it in its line, and the lines below."""
    url = str(content.get("url", ""))
    match kind:
        case "markdown":
            return "", str(content.get("text", "")).strip().splitlines()
        case "table":
            columns, count = content.get("columns", []), content.get("row_count", 0)
            held = grid([one_line(each) for each in columns], content.get("rows", []))
            return f"{count:,} rows" if count != 1 else "1 row", held.splitlines()
        case "link":
            return f"{content['text']} {url}" if content.get("text") else url, []
        case "image" if url.startswith("data:"):
            return f"a picture of {len(url) * 3 // 4:,} bytes: see --json", []
        case "image":
            return url, []
    return "", []
