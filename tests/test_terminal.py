"""Text of others is shown on a terminal, and drives nothing there."""

from __future__ import annotations

import json

import pytest

from taxietl.terminal import one_line, visible, visible_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Zürich, 日本, no\u00a0break", "plain, Zürich, 日本, no\u00a0break"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten\x08\x00", r"over\rwritten\x08\x00".replace(r"\r", r"\x0d")),
        ("\x7f and \x9b31m", r"\x7f and \x9b31m"),
        ("gpj\u202eexe.\u2066x\u2069", r"gpj\u202eexe.\u2066x\u2069"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("file-\udce9.csv", r"file-\udce9.csv"),
    ],
    ids=["plain", "lines", "OSC", "C0", "DEL and C1", "bidi", "separators", "surrogate"],
)
def test_control_characters_are_shown_as_their_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_cell_is_one_line() -> None:
    assert one_line("two\r\nlines\u2028or\tthree\x1b[2K") == r"two lines or three\x1b[2K"


def test_json_stays_json_and_says_the_same() -> None:
    given = {"name": "\x1b[31m \x7f \x9b \u202e ü \u2028"}

    text = visible_json(json.dumps(given, ensure_ascii=False))

    assert json.loads(text) == given
    assert visible(text) == text
