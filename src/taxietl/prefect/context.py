"""`prefect.context`, and the words that the core has as Prefect does.

They come by way of the package above all: a flow that a script calls lands in the user's history.
"""

from taxietl import Future as PrefectFuture
from taxietl import allow_failure, get_run_logger, tags, unmapped
from taxietl.orchestrator import FinalState as State

__all__ = ["PrefectFuture", "State", "allow_failure", "get_run_logger", "tags", "unmapped"]
