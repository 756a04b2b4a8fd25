from __future__ import annotations

import errno
import pickle

import pytest

from taxietl.errors import (
    Cancelled,
    ConfigError,
    IsolatedProcessError,
    SourceError,
    TargetError,
    TimedOutError,
    TransientError,
    UnknownNameError,
    causes,
    out_of_memory,
)


class CutTransferError(SourceError, TransientError):
    """Has a second base."""


class DeadlockError(TransientError, TargetError):
    """Has them in the other order."""


@pytest.mark.parametrize(
    ("kind", "code"), [(CutTransferError, 3), (DeadlockError, 5), (TransientError, 1)]
)
def test_a_transient_error_keeps_its_exit_code_and_says_how_long_to_wait(
    kind: type[TransientError], code: int
) -> None:
    error = kind("cut", hint="Try again.", retry_after_seconds=30)

    assert isinstance(error, TransientError)
    assert (error.exit_code, error.hint, error.retry_after_seconds) == (code, "Try again.", 30)


@pytest.mark.parametrize(
    "error",
    [
        CutTransferError("cut", hint="Try again.", retry_after_seconds=30),
        UnknownNameError("flow", "elt", ["etl"]),
        TimedOutError("Task run 'a-0'", 2, run_id="1"),
        IsolatedProcessError("task run 'a-0'", run_id="1", signal_name="SIGKILL", status=-9),
        Cancelled("asked", signal_number=15),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_travels_between_processes_whole(error: BaseException) -> None:
    error.add_note("from afar")

    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_a_timeout_is_what_people_catch() -> None:
    error = TimedOutError("Task run 'a-0'", 2.5, run_id="1")

    assert isinstance(error, (TransientError, TimeoutError))
    assert str(error) == "Task run 'a-0' exceeded its timeout of 2.5 seconds."


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        ImportError("x.so: failed to map segment from shared object"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_any_library_raises_when_memory_runs_out_is_one_error(error: Exception) -> None:
    wrapped = ConfigError("The loader cannot be imported.")
    wrapped.__cause__ = error

    for each in (error, wrapped):
        meant = out_of_memory(each)
        assert meant is not None
        assert (meant.exit_code, meant.hint[:20]) == (5, "Nothing half-done st")
        assert meant.message.startswith("Memory ran out: ")


def test_other_errors_are_not_of_memory() -> None:
    ours = TargetError("DuckDB needs more memory.")
    ours.__cause__ = MemoryError()

    assert out_of_memory(ours) is None
    assert out_of_memory(ValueError("x")) is None


@pytest.mark.parametrize("context", [False, True])
def test_a_chain_of_causes_that_leads_back_into_itself_has_an_end(context: bool) -> None:
    first, second = ConfigError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first

    assert [*causes(first, context=context)] == [first, second]
    assert out_of_memory(first) is None
