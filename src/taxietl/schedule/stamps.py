"""Texts that say of themselves who wrote them, with a hash: an edit by hand is noticed.

The first line is the stamp, a comment in units and in crontabs alike:

    # taxietl schedule nightly: `taxietl schedule rm nightly` removes this. sha256:5f…
"""

from __future__ import annotations

import hashlib
import re

_STAMP = re.compile(r"^# taxietl schedule (\S+): .* sha256:([0-9a-f]{64})$")


def stamped(name: str, text: str) -> str:
    """The text of a schedule under its stamp."""
    return (
        f"# taxietl schedule {name}: `taxietl schedule rm {name}` removes this. "
        f"sha256:{_hash(text)}\n{text}"
    )


def is_untouched(text: str) -> bool:
    """Whether it is as it was stamped: neither edited since, nor somebody else's."""
    first, _, rest = text.partition("\n")
    match = _STAMP.fullmatch(first)
    return match is not None and match[2] == _hash(rest)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
