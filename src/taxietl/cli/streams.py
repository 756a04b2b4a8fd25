"""The process's standard streams: always there, and what stdout refuses told as an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxietl.errors import TargetError


def open_closed_streams() -> None:
    """Stand the null device in for each stream that was closed when the process began.

    Else they are None, and the next file to be opened, say a database, takes the number of stdout.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  left open
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


@contextmanager
def writing_to_stdout() -> Iterator[None]:
    """Write or flush in this block.

    What stdout refused is let go, or the interpreter would try to write it again at its end.

    Raises:
        TargetError: stdout refused, as a file on a full disk does.
        BrokenPipeError: who read it has gone.
    """
    try:
        yield
    except OSError as error:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        if isinstance(error, BrokenPipeError):
            raise
        raise TargetError(
            f"stdout cannot be written: {error.strerror or error}.",
            hint="Free some space, or send the output elsewhere.",
        ) from error
