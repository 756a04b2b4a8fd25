"""When the tasks of our flows are tried again."""

from __future__ import annotations

from taxietl.errors import TransferError, TransientError
from taxietl.orchestrator import Retry, exponential

TRANSFERS = Retry(
    on=TransferError, attempts=4, delay=exponential(2.0, 60.0), jitter=0.5, max_seconds=900
)
"""Some 20 s in all, or as long as the server asks for, within reason: a source that is down for
longer is asked again by the next run."""

JOBS = Retry(on=TransientError, attempts=4, delay=exponential(1.0, 60.0), jitter=0.5)
"""Each attempt is another job; what a request meets is tried again before, by the step itself."""
