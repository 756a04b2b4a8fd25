"""Names with `{color}`, `{year}` and `{month}` left open: of a lake's objects, of a server's files.

A template comes from a user, and `str.format` can do far more than name a month: a width of eight
digits makes a text of a hundred megabytes, `{color.__class__}` reads what belongs to no month. So
each field is one of the three, and its format at most a width of one digit.
"""

from __future__ import annotations

import re
import string

_WIDTH = re.compile("(0[<>=^]?)?[1-9]?d?")
_FORMATS = {"color": re.compile("s?"), "year": _WIDTH, "month": _WIDTH}


def open_fields(template: str) -> set[str]:
    """The fields that a template leaves open.

    Raises:
        ValueError: it has others, or a format that is more than a width.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        raise ValueError("has an unpaired { or }") from None
    for _, field, spec, conversion in parsed:
        if field is None:  # text after the last one
            continue
        if field not in _FORMATS:
            raise ValueError(
                f"has an unknown field {{{field[:40]}}}; known: {{color}} {{year}} {{month}}"
            )
        if conversion or not _FORMATS[field].fullmatch(spec or ""):
            raise ValueError(
                f"has a format that does not fit {{{field}}}; write {{color}}, {{year}} or "
                "{year:04d}, {month} or {month:02d}"
            )
    return {field for _, field, _, _ in parsed if field is not None}
