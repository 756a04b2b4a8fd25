"""A task's attempt in a process of its own, which can be ended whatever it is doing.

The child is a new interpreter, not a fork: a fork would inherit the run's lock, and with it the
claim to be alive. It is told the function's name, and the arguments pickled; over its stdout it
sends what it logs and prints, then the result or the error. Its stdin stays open: when that ends,
the parent is gone, and it ends too. What the child does is in `isolated_child.py`.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from taxietl.errors import Cancelled, ConfigError, IsolatedProcessError
from taxietl.orchestrator.define.calling import caller
from taxietl.orchestrator.run import portable
from taxietl.orchestrator.run.attaching import keep
from taxietl.orchestrator.run.isolated_child import Failure, FunctionName, Job
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.stop.programs import kept_apart
from taxietl.orchestrator.store.lines import Identity

GRACE_SECONDS = 1.0
"""From SIGTERM, which lets `finally` blocks run, to SIGKILL."""

BOOT = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer);"
    " from taxietl.orchestrator.run.isolated_child import main; main()"
)


class IsolatedCall:
    """A call of a task's function that can be made in child processes, attempt by attempt.

    Raises:
        ConfigError: the arguments cannot be pickled.
    """

    def __init__(
        self,
        task_name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        module = sys.modules[function.__module__]
        file = getattr(module, "__file__", None)
        self._function = FunctionName(function.__module__, file, function.__qualname__)
        try:
            self._arguments = portable.dumps((args, kwargs))
        except Exception as error:
            raise ConfigError(
                f"The task {task_name!r} has isolate=True, and its arguments cannot be sent to"
                f" another process: {error}.",
                hint="Hand over names, paths and plain values, and open things in the task.",
            ) from error
        self._main = None
        if function.__module__ == "__main__" or b"__main__" in self._arguments:
            self._main = _main_module(task_name)

    def __call__(self, who: Identity) -> Any:
        """Make it, and wait for its end: what the function returned.

        Raises:
            BaseException: what the function raised; where its class cannot be found from here,
                an error of the class above with the same text.
            IsolatedProcessError: the process died.
            Cancelled: the attempt was asked to stop before it began.
        """
        around = caller.get()
        task_run = around.task_run() if around else None
        assert task_run is not None, "an attempt is made in its task run"
        job = Job(
            function=self._function,
            main=self._main,
            arguments=self._arguments,
            who=who,
            task_run=replace(task_run, parameters={}),
            levels={name: logging.getLogger(name).getEffectiveLevel() for name in ("", "taxietl")},
            argv=sys.argv,
            parent=os.getpid(),
        )
        with _child() as child, current_cancellation().on_cancel(lambda: stop(child)):
            assert child.stdin is not None
            with suppress(BrokenPipeError):  # it has died: the answer tells
                pickle.dump(sys.path, child.stdin)
                pickle.dump(job, child.stdin)
                child.stdin.flush()
            return _answer(child, who)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and end it, with the programs it has started."""
    if child.poll() is not None:
        return
    _send(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_SECONDS)
    _send(child, getattr(signal, "SIGKILL", signal.SIGTERM))
    child.wait()


def _send(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the process and what it has started, which are a group."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
    else:
        child.terminate()


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its job; gone at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", BOOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,  # of its own: see `stop`
    ) as child:
        try:
            with kept_apart(child.pid):
                yield child
        finally:
            stop(child)
            with suppress(OSError):  # it may have died before it had read its job
                child.stdin.close() if child.stdin else None


def _answer(child: subprocess.Popen[bytes], who: Identity) -> Any:
    """Pass on what the process logs and prints until it tells how it ended."""
    assert child.stdout is not None
    while True:
        try:
            kind, payload = pickle.load(child.stdout)
        except (EOFError, pickle.UnpicklingError, OSError):
            raise _death(child, who) from None
        if kind == "print":
            sys.stdout.write(payload)
        elif kind == "log":
            _log(payload)
        elif kind == "attached":
            keep(payload)
        else:
            with suppress(subprocess.TimeoutExpired):  # its exit handlers may take a moment
                child.wait(GRACE_SECONDS)
            if kind == "error":
                error = _error(payload)
                if isinstance(error, Cancelled):  # the process does not know who asked, or why
                    current_cancellation().check()
                raise error
            return _unpickled(payload)


def _log(fields: dict[str, Any]) -> None:
    """Log a record of the child's as if it had been logged here."""
    record = logging.makeLogRecord(fields)
    logger = logging.getLogger(record.name)
    if logger.isEnabledFor(record.levelno):
        logger.handle(record)


def _error(failure: Failure) -> BaseException:
    """What the function raised, with the traceback it had there."""
    error: BaseException | None = None
    if failure.pickled is not None:
        with suppress(Exception):
            error = _unpickled(failure.pickled)
    error = error or RuntimeError(failure.described)
    error.add_note(f"In the isolated process:\n{failure.traceback}")
    return error


def _unpickled(data: bytes) -> Any:
    # The child knows the classes of the parent's main script under this name.
    sys.modules.setdefault("__mp_main__", sys.modules["__main__"])
    return pickle.loads(data)


def _death(child: subprocess.Popen[bytes], who: Identity) -> IsolatedProcessError:
    try:
        status = child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:  # it has closed the pipe, and lives
        child.kill()
        status = child.wait()
    name = None
    if status < 0:
        with suppress(ValueError):
            name = signal.Signals(-status).name
        name = name or f"signal {-status}"
    title = f"task run {who.task_run_name!r}"
    return IsolatedProcessError(title, run_id=who.id, signal_name=name, status=status)


def _main_module(task_name: str) -> tuple[str, str]:
    """How the child finds what this process runs as its main program."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return "module", spec.name
    if file := getattr(main, "__file__", None):
        return "file", file
    raise ConfigError(
        f"The task {task_name!r} has isolate=True, and it or an argument is defined in a session"
        " that is no file: another process could not find it.",
        hint="Put it into a module, and import it from there.",
    )
