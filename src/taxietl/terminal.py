"""Text of others on a terminal: shown, never obeyed.

A column's name or a server's message may hold control characters, which move the cursor, rename
the window or turn the text around. Whatever is printed for people goes through `visible`, where
each of them stands as its escape (`\\x1b`), or `one_line`, for a cell of a table.
"""

from __future__ import annotations

import functools
import re

_CONTROLS = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and newline, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # those that turn the direction of text
    r"\u2028\u2029"  # separators of lines and paragraphs
    r"\ud800-\udfff"  # half characters, as names of files have them; UTF-8 has no bytes for them
)


def visible(text: str) -> str:
    """The text with its control characters as escapes; newlines and tabs stay."""
    return text if text.isprintable() else _pattern().sub(_escape, text)


def one_line(text: str) -> str:
    """The same on one line: its lines, and what tabs part, stand side by side."""
    if text.isprintable():
        return text
    return visible(" ".join(text.replace("\t", " ").splitlines()))


def visible_json(document: str) -> str:
    """JSON, which leaves some control characters as they are, with those as its own escapes."""
    if document.isascii() and "\x7f" not in document:
        return document
    return _pattern().sub(lambda found: f"\\u{ord(found[0]):04x}", document)


@functools.cache  # compiled when it is needed, which is seldom
def _pattern() -> re.Pattern[str]:
    return re.compile(f"[{_CONTROLS}]")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
