"""Notes become what their writer meant, and nothing of theirs becomes markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxietl.ui.markdown import rendered


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# January", "<h3>January</h3>"),
        ("###### deep ######", "<h6>deep</h6>"),
        ("one\ntwo\n\nthree", "<p>one\ntwo</p>\n<p>three</p>"),
        (
            "- a\n* **b**\n\n1. c",
            "<ul><li>a</li><li><strong>b</strong></li></ul>\n<ol><li>c</li></ol>",
        ),
        ("`a*b*` and *c*", "<p><code>a*b*</code> and <em>c</em></p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("```sql\nSELECT *\n```\nend", "<pre>SELECT *</pre>\n<p>end</p>"),
        ("```\nnever closed", "<pre>never closed</pre>"),
        (
            "[TLC](https://nyc.gov/tlc?a=1&b=2)",
            '<p><a href="https://nyc.gov/tlc?a=1&amp;b=2" rel="noopener noreferrer">TLC</a></p>',
        ),
        ("", ""),
    ],
)
def test_a_little_of_markdown_is_known(text: str, html: str) -> None:
    assert rendered(text) == html


def test_a_table_has_a_head_and_rows() -> None:
    html = rendered("| month | rows |\n| --- | ---: |\n| 2021-01 | **9** |\n\nend")

    assert "<thead><tr><th>month</th><th>rows</th></tr></thead>" in html
    assert "<tr><td>2021-01</td><td><strong>9</strong></td></tr>" in html
    assert html.endswith("<p>end</p>")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "# <img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        '[x](https://a"onmouseover="alert(1))',
        "![x](https://evil.example/pixel.png)",
        "```\n</pre><script>alert(1)</script>\n```",
        "| <b> | a |\n| --- | --- |\n| <i> | `</code><script>` |",
        "**<b>** *<i>* `<u>` [<s>](https://x)",
        "- <script>\n1. <script>",
    ],
)
def test_no_html_of_a_note_becomes_html(text: str) -> None:
    check(rendered(text))


ALLOWED = r"</?(?:h[3-6]|p|ul|ol|li|pre|code|strong|em|table|thead|tbody|tr|th|td|div)>"
OTHERS = (
    r'<a href="https?://[^"<>]*" rel="noopener noreferrer">|</a>'
    r'|<div class="scrolled" tabindex="0" role="group" aria-label="Table">'
)


def check(html: str) -> None:
    """All that looks like a tag is one of ours."""
    assert re.sub(f"{ALLOWED}|{OTHERS}", "", html).count("<") == 0, html


@given(st.text(alphabet="<>&\"'`*#|-[]()!: \n1ahtps/.\\", max_size=60))
def test_whatever_a_note_holds_its_tags_are_ours(text: str) -> None:
    check(rendered(text))
