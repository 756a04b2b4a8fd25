"""The threads of a test, apart from those that another one has left behind in the process."""

from __future__ import annotations

import threading
from collections.abc import Callable


def new_threads() -> Callable[[], list[threading.Thread]]:
    """Gives a function that gives the threads which began after this call, and are alive."""
    before = set(threading.enumerate())
    return lambda: [each for each in threading.enumerate() if each not in before]
