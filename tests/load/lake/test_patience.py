"""Waiting for a bucket: told, but for the short waits."""

from __future__ import annotations

import logging
from random import Random

import pytest
from lakes import Slept

from taxietl.errors import TargetError
from taxietl.load.lake.patience import Attempts, Patience
from taxietl.load.lake.refusals import Refusal
from taxietl.orchestrator import Cancellation

BUSY = Refusal(
    TargetError("Cannot list gs://lake/: HTTP 503."),
    may_pass=True,
    retry_after_seconds=None,
    status=503,
)


def test_waits_grow_to_an_end_and_long_ones_are_told(caplog: pytest.LogCaptureFixture) -> None:
    slept = Slept()
    attempts = Attempts(Patience(attempts=5, sleep=slept, rng=Random(1)), Cancellation())

    with caplog.at_level(logging.WARNING, "taxietl"):
        for _ in range(4):
            attempts.failed(BUSY)
        with pytest.raises(TargetError, match="HTTP 503"):
            attempts.failed(BUSY)

    assert len(slept.seconds) == 4
    assert slept.seconds == sorted(slept.seconds)
    told = [each.getMessage() for each in caplog.records]
    assert len(told) == sum(each >= 2.0 for each in slept.seconds) > 0
    assert told[-1] == (
        f"Cannot list gs://lake/: HTTP 503. Failure 4 of 5; again in {slept.seconds[-1]:.0f} s."
    )


def test_something_that_arrived_begins_the_count_anew() -> None:
    attempts = Attempts(Patience(attempts=2, sleep=Slept()), Cancellation())

    for _ in range(10):
        attempts.failed(BUSY)
        attempts.progressed()
