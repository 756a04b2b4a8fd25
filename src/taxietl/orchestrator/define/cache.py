"""`Cache(…)`: what a task says of keeping its results; how that is done is in `store/cache.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from taxietl.orchestrator.define.callables import refuse_misfit


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Keep a task's result, and use it instead of calling the task again.

    The key is the task's function (its module or script, and its name there), its `version` or
    else its code, and its arguments with their types. Results are JSON, a DataFrame or Arrow table
    is Parquet; files travel as a `Path` in the result, are fingerprinted, and are looked at again
    before each use. Of several calls
    that miss at once, in whatever process, one makes the result and the others wait for it.

    Args:
        key: makes the arguments' part of the key from the bound arguments; None = do not cache
            this call.
        expires: how long after it was made a result may be used; left out, for ever.
        refresh: call the task in any case, and keep the new result.
    """

    key: Callable[[dict[str, Any]], str | None] | None = None
    expires: timedelta | None = None
    refresh: bool = False

    def __post_init__(self) -> None:
        if self.key is not None:
            refuse_misfit(
                "Cache(key=…)",
                self.key,
                takes="a dict of the call's arguments",
                hint='Write `lambda arguments: str(arguments["month"])`, say; Cache() takes all.',
            )
