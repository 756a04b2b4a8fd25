"""What holds where an option was not given: the same for the commands and for Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxietl.config import settings


def with_defaults(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The options that were given; those of these names that were not, as `[ingest]` has them.

    Args:
        given: None for what was not; `("none",)` for no transformers at all.
        names: of options that the configuration has, too.
    """
    defaults = settings().ingest
    found = {name: getattr(defaults, name) for name in names}
    found |= {name: value for name, value in given.items() if value is not None}
    if found.get("transforms") == ("none",):
        found["transforms"] = ()
    return found
