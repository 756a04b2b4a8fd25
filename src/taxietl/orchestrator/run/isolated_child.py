"""The child process of an isolated task: finds the function, calls it, sends what comes of it.

Messages go to the parent as pickled pairs, in their order: `("print", text)`, `("log", fields)`,
`("attached", Attached)` and at last `("value", pickled)` or `("error", Failure)`.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import logging
import os
import pickle
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import IO, TYPE_CHECKING, Any, NoReturn, cast

from taxietl.errors import Cancelled, ConfigError
from taxietl.orchestrator.define.calling import caller, refusing_runs
from taxietl.orchestrator.define.outside import InTask
from taxietl.orchestrator.define.runs import CurrentTaskRun
from taxietl.orchestrator.run import portable
from taxietl.orchestrator.stop import cancellation as cancelling
from taxietl.orchestrator.stop.cancellation import Cancellation
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.lines import Identity

if TYPE_CHECKING:
    from taxietl.orchestrator.define.inputs import Inputs
    from taxietl.orchestrator.define.specs import FlowSpec

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class FunctionName:
    """Where a function is found; the file is for a module that no import finds."""

    module: str
    file: str | None
    qualname: str


@dataclass(frozen=True)
class Job:
    """What the child is to do, and in whose name."""

    function: FunctionName
    main: tuple[str, str] | None
    arguments: bytes
    who: Identity
    task_run: CurrentTaskRun
    """The same for the task's own code; without parameters, which may be no values to send."""
    levels: dict[str, int]
    argv: list[str]
    parent: int


@dataclass(frozen=True)
class Failure:
    """What the function raised."""

    pickled: bytes | None
    described: str
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """With the error itself, or the nearest to it that survives the journey."""
        described = "".join(traceback.format_exception_only(error)).strip()
        return cls(
            portable.error_dumps(error),
            described,
            "".join(traceback.format_exception(error)).rstrip(),
        )


class _Channel:
    """Sends messages to the parent; any thread may."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.RLock()  # a signal's handler may log while a line is being sent

    def send(self, kind: str, payload: object) -> None:
        message = pickle.dumps((kind, payload))
        with self._lock:
            self._pipe.write(message)
            self._pipe.flush()


class _SendingStdout:
    """`sys.stdout` of the child: what is printed appears where the parent's prints do."""

    encoding, errors = "utf-8", "strict"

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def write(self, text: str) -> int:
        self._channel.send("print", text)
        return len(text)

    def flush(self) -> None:
        """Every write is sent at once."""

    def isatty(self) -> bool:
        return False


class _Handler(logging.Handler):
    """Sends log records."""

    def __init__(self, channel: _Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            message = f"{message}\n{trace.rstrip()}"
        kept = ("name", "levelno", "levelname", "run_name", "task_run_name")
        fields = {key: vars(record)[key] for key in kept if key in vars(record)}
        self._channel.send("log", {**fields, "msg": message})


class _InIsolatedTask(InTask):
    """What the task's code calls through; the run's engine and threads are in the parent."""

    def __init__(self, task_run: CurrentTaskRun) -> None:
        self.name, self._task_run = task_run.name, task_run

    def parameters(self) -> Mapping[str, Any]:
        """See `Caller`: the process is sent a call, and no more."""
        return {}

    def task_run(self) -> CurrentTaskRun:
        """See `Caller`."""
        return self._task_run

    def call_flow(self, flow: FlowSpec, inputs: Inputs) -> NoReturn:  # noqa: ARG002
        """See `Caller`."""
        raise ConfigError(
            f"<Flow {flow.name!r}> was called in an isolated task, whose process has no history.",
            hint="Call flows from a flow, or from a task without isolate=.",
        )


def main() -> None:
    """Do the job that comes over stdin."""
    job: Job = pickle.load(sys.stdin.buffer)
    channel = _take_pipes(job.parent)
    sys.argv = job.argv
    for name, level in job.levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().addHandler(_Handler(channel))
    cancellation = Cancellation()
    _heed_signals(cancellation)
    try:
        function = _found(job)
        args, kwargs = pickle.loads(job.arguments)
        lines.current.set(job.who)
        lines.relay.set(functools.partial(channel.send, "attached"))
        caller.set(_InIsolatedTask(job.task_run))
        cancelling.current.set(cancellation)
        message: tuple[str, object] = ("value", _pickled(function(*args, **kwargs)))
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        message = ("error", Failure.of(error))
    channel.send(*message)


def _pickled(value: object) -> bytes:
    try:
        return portable.dumps(value)
    except Exception as error:
        raise ConfigError(
            f"An isolated task returned what cannot be sent to its run: {error}.",
            hint="Return plain values, or write a file and return its Path.",
        ) from error


def _take_pipes(parent: int) -> _Channel:
    """Keep stdin and stdout for talking to the parent, out of reach of what the task starts."""
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    channel = _Channel(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a library of C writes to stdout
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - for good
    sys.stdout = cast(Any, _SendingStdout(channel))
    if sys.platform == "linux":
        # Of the system's making, it also works while a library of C keeps the interpreter.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    def watch() -> None:
        while os.read(lifeline, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, name="taxietl-lifeline", daemon=True).start()
    return channel


def _heed_signals(cancellation: Cancellation) -> None:
    """SIGTERM cancels; Ctrl-C, where it comes to here, is the parent's business."""

    def cancel(number: int, _frame: object) -> NoReturn:
        cancellation.request("Stopped by its run.", signal_number=number)
        raise Cancelled(cancellation.reason, signal_number=number)

    signal.signal(signal.SIGTERM, cancel)
    # A function, since what is ignored stays ignored in the programs a task starts.
    signal.signal(signal.SIGINT, lambda *_: None)


def _found(job: Job) -> Any:
    """The function, its module loaded; a script that runs a flow when loaded is refused."""
    eager = ConfigError(
        "A script that runs a flow while it is loaded cannot have isolated tasks: their processes"
        " load it, too.",
        hint='Put the call under `if __name__ == "__main__":`.',
    )
    with refusing_runs(eager):
        if job.main is not None:
            _load_main(*job.main)
        module = _module(job.function)
    found = functools.reduce(getattr, job.function.qualname.split("."), cast(Any, module))
    return getattr(found, "function", found)  # the name is the task's


def _load_main(kind: str, where: str) -> None:
    """Load the parent's main program, as a module whose `__name__` is not `__main__`."""
    if kind == "module":
        loaded = runpy.run_module(where, run_name="__mp_main__", alter_sys=True)
    else:
        loaded = runpy.run_path(where, run_name="__mp_main__")
    module = ModuleType("__mp_main__")
    vars(module).update(loaded)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = module


def _module(function: FunctionName) -> ModuleType:
    try:
        return importlib.import_module(function.module)
    except ModuleNotFoundError as error:
        if error.name != function.module or function.file is None:
            raise
    spec = importlib.util.spec_from_file_location(function.module, function.file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{function.file} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[function.module] = module
    spec.loader.exec_module(module)
    return module
