"""Which checks there are, and carrying them out: all at once, none for longer than its limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from taxietl.errors import TargetError, TaxietlError
from taxietl.findings import Finding

LIMIT_SECONDS = 20.0
"""Name look-ups and clients of others wait far longer where a network drops packets."""


@dataclass(frozen=True)
class Check:
    """Something to look at."""

    name: str
    subject: str
    look: Callable[[], Iterable[Finding]]
    """Raises a `TaxietlError` where it cannot go on."""


def examine(checks: Sequence[Check], *, limit_seconds: float = LIMIT_SECONDS) -> list[Finding]:
    """Carry out the checks.

    Args:
        checks: independent of one another.
        limit_seconds: how long to wait for the slowest; what is not ready by then is a problem.

    Returns:
        What they found, in their order.
    """
    found: list[list[Finding]] = [[] for _ in checks]
    # Nothing can interrupt a name look-up: a thread that hangs in one is left behind.
    threads = [
        threading.Thread(target=_run, args=(each, into), name=f"taxietl-{each.name}", daemon=True)
        for each, into in zip(checks, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + limit_seconds
    for check, thread, into in zip(checks, threads, found, strict=True):
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            into[:] = [_too_slow(check, limit_seconds)]
    return [finding for each in found for finding in each]


def _run(check: Check, into: list[Finding]) -> None:
    found: list[Finding] = []
    try:
        for each in check.look():
            found.append(each)
    except TaxietlError as error:
        found.append(Finding.problem(check.name, check.subject, error))
    except OSError as error:
        # A folder on the way that this user may not look into, for one.
        failed: TaxietlError = TargetError(
            f"{error.filename or check.subject or check.name} cannot be read: "
            f"{error.strerror or error}.",
            hint="Check its owner and mode, and those of its folders.",
        )
        found.append(Finding.problem(check.name, check.subject, failed))
    except Exception as error:  # noqa: BLE001  one check that breaks must not hide the others
        failed = TaxietlError(
            f"This check failed itself: {type(error).__name__}: {error}.",
            hint="Please report it, with the output of `taxietl --version`.",
        )
        found.append(Finding.problem(check.name, check.subject, failed))
    into[:] = found


def _too_slow(check: Check, limit_seconds: float) -> Finding:
    what = f"{check.subject}: no" if check.subject else "No"
    error = TargetError(
        f"{what} answer within {limit_seconds:g} s.",
        hint="Check the network, and the host that is named there.",
    )
    return Finding.problem(check.name, check.subject, error)
