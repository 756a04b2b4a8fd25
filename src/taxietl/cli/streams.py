"""The process's standard streams: always there, and what stdout refuses told as an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


_kept: dict[int, int] = {}
"""Stdout's file descriptors, each with a copy of what it was, while it is kept for a document."""


@contextmanager
def stdout_kept_for_a_document() -> Iterator[None]:
    """In this block what is printed, by flows of the user's or their processes, goes to stderr."""
    sys.stdout.flush()
    _kept.update((each, os.dup(each)) for each in {1, sys.stdout.fileno()})
    _point_at_stderr()
    try:
        yield
    finally:
        with suppress(OSError, ValueError):  # what was printed there last is no matter of ours
            sys.stdout.flush()
        _point_back()
        for copy in _kept.values():
            os.close(copy)
        _kept.clear()


@contextmanager
def real_stdout() -> Iterator[None]:
    """In this block stdout is the real one, if it was kept."""
    if not _kept:
        yield
        return
    sys.stdout.flush()
    _point_back()
    try:
        yield
        sys.stdout.flush()
    finally:
        _point_at_stderr()


def _point_at_stderr() -> None:
    for each in _kept:
        os.dup2(sys.stderr.fileno(), each)


def _point_back() -> None:
    for each, copy in _kept.items():
        os.dup2(copy, each)


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
        for each in (sys.stdout.fileno(), *_kept.values()):
            os.dup2(null, each)
        os.close(null)
        if isinstance(error, BrokenPipeError):
            raise
        raise TargetError(
            f"stdout cannot be written: {error.strerror or error}.",
            hint="Free some space, or send the output elsewhere.",
        ) from error
