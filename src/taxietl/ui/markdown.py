"""A little of Markdown as HTML, of texts that nobody vouches for.

All of the text is escaped first; what is then made of it are headings, paragraphs, lists, tables,
code, emphasis and links to the web. HTML in it is shown as it is written, and pictures are not
loaded: a page of ours asks nobody for anything. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<strong>[^*\n]+)\*\*"
    r"|(?<![\w*])\*(?P<em>[^*\s][^*\n]*)\*(?![\w*])"
    r"|!?\[(?P<text>[^\]\n]+)\]\((?P<url>https?://[^\s()]+)\)"
)
_RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")


def rendered(text: str) -> Markup:
    """The text as HTML."""
    return Markup("\n").join(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    """The blocks of the text, each as HTML."""
    at = 0
    while at < len(lines):
        line = lines[at].rstrip()
        taken = 1
        if not line.strip():
            pass
        elif line.startswith("```"):
            end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("```")), None)
            body = lines[at + 1 : end]
            yield Markup("<pre>{}</pre>").format("\n".join(body))
            taken = len(body) + 2
        elif heading := re.match(r"(#{1,6})\s+(.*?)\s*#*$", line):
            level = min(len(heading[1]) + 2, 6)
            yield Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading[2]))
        elif re.match(r"\s*[-*+]\s+\S", line):
            taken, items = _items(lines[at:], r"\s*[-*+]\s+(.*)")
            yield Markup("<ul>{}</ul>").format(items)
        elif re.match(r"\s*\d+[.)]\s+\S", line):
            taken, items = _items(lines[at:], r"\s*\d+[.)]\s+(.*)")
            yield Markup("<ol>{}</ol>").format(items)
        elif "|" in line and at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1].strip()):
            rows = _while(lines[at:], lambda each: "|" in each)
            taken = len(rows)
            yield _table(rows)
        else:
            rows = _while(lines[at:], lambda each: bool(each.strip()) and not _begins_block(each))
            rows = rows or [line]
            taken = len(rows)
            yield Markup("<p>{}</p>").format(_inline("\n".join(rows)))
        at += taken


def _begins_block(line: str) -> bool:
    return bool(re.match(r"```|#{1,6}\s|\s*[-*+]\s+\S|\s*\d+[.)]\s+\S", line))


def _while(lines: list[str], is_part: Callable[[str], bool]) -> list[str]:
    """The first of the lines that are."""
    end = next((i for i, each in enumerate(lines) if not is_part(each)), len(lines))
    return lines[:end]


def _items(lines: list[str], pattern: str) -> tuple[int, Markup]:
    """How many lines are items of that kind, and the items."""
    found = []
    for line in lines:
        if (match := re.match(pattern, line)) is None:
            break
        found.append(Markup("<li>{}</li>").format(_inline(match[1])))
    return max(len(found), 1), Markup("").join(found)


def _table(lines: list[str]) -> Markup:
    """A table whose second line is the rule below its head."""
    head, _, *rows = (_cells(each) for each in lines)
    titles = Markup("").join(Markup("<th>{}</th>").format(_inline(each)) for each in head)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(_inline(each)) for each in row)
        )
        for row in rows
    )
    return Markup(
        '<div class="scrolled" tabindex="0" role="group" aria-label="Table">'
        "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(titles, body)


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _inline(text: str) -> Markup:
    """Emphasis, code and links within a line; everything else is escaped."""
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        at = found.end()
        if found["url"]:
            link = '<a href="{}" rel="noopener noreferrer">{}</a>'
            parts.append(Markup(link).format(found["url"], found["text"]))
        else:
            tag = found.lastgroup
            parts.append(Markup(f"<{tag}>{{}}</{tag}>").format(found[tag or 0]))
    return Markup("").join([*parts, escape(text[at:])])
