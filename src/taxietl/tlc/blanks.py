"""What counts as a blank around names and cells: all of Unicode's, and those of no width.

Spreadsheets, web pages and word processors leave them behind: `B00900` and a no-break space is
the licence B00900. Blanks within a text are part of it.
"""

from __future__ import annotations

BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0"
    "\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    # Of no width, by which Unicode does not count them: spaces, joiners and marks of direction.
    "\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
"""Each of them; the first line is what `str.isspace` knows up to U+00FF."""


def trimmed(text: str) -> str:
    """The text without the blanks around it."""
    return text.strip(BLANKS)
