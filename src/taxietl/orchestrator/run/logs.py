"""Log lines as Prefect's users know them, and a copy of every line of a run in its history.

    16:05:11.752 | INFO    | Task run 'extract-0' - Finished in state Completed()

The engine's own lines are `Line`s, stored in the same transaction as the state they announce
and then shown. Everything else that is logged inside a run, by any logger, is stored by a
handler on the root logger, which is there while runs are. No logging work may break a run.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

from taxietl.journal import is_journal, with_priority
from taxietl.masking import masked
from taxietl.orchestrator.stop.cancellation import current_cancellation
from taxietl.orchestrator.store import history as histories
from taxietl.orchestrator.store import lines
from taxietl.orchestrator.store.history import History
from taxietl.orchestrator.store.lines import ENGINE, FLOW_RUNS, TASK_RUNS, Line
from taxietl.orchestrator.store.rows import LogRow
from taxietl.terminal import visible, visible_json


class _RunLogger(logging.LoggerAdapter[logging.Logger]):
    """Puts the run's and the task run's names on every record."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**(self.extra or {}), **kwargs.get("extra", {})}
        return msg, kwargs


def get_run_logger() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """A logger whose lines carry the current run's or task run's name; outside, a plain one."""
    who = lines.current.get()
    if who is None:
        return logging.getLogger("taxietl")
    if who.task_run_id is None:
        return _RunLogger(logging.getLogger(FLOW_RUNS), {"run_name": who.run_name})
    names = {"run_name": who.run_name, "task_run_name": who.task_run_name}
    return _RunLogger(logging.getLogger(TASK_RUNS), names)


def show(line: Line) -> None:
    """Hand a line of the engine's to the handlers; the history has it already."""
    name, at = line.row.logger, line.row.at
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(line.level):
        return
    record = logger.makeRecord(name, line.level, "", 0, line.message, (), None)
    record.created = at.timestamp()
    record.msecs = at.microsecond // 1000
    record.__dict__.update(
        run_name=line.who.run_name, task_run_name=line.who.task_run_name, taxietl_line=line
    )
    with contextlib.suppress(Exception):  # a broken handler of anybody's breaks no run
        logger.handle(record)


class ConsoleFormatter(logging.Formatter):
    """`HH:MM:SS.mmm | LEVEL   | who - message`; with the date before it where that is kept."""

    def __init__(self, *, tracebacks: bool, dated: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks
        self._clock = "%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        task_run_name = getattr(record, "task_run_name", None)
        run_name = getattr(record, "run_name", None)
        if task_run_name:
            who = f"Task run {task_run_name!r}"
        elif run_name and record.name != ENGINE:
            who = f"Flow run {run_name!r}"
        else:
            who = record.name
        at = datetime.fromtimestamp(record.created).astimezone()
        text = record.getMessage()
        line = getattr(record, "taxietl_line", None)
        if isinstance(line, Line):
            # The engine's tracebacks are in the history; the console has them when debugging.
            brief = text if line.shown is None else line.shown
            text = line.row.message if self._tracebacks else brief
        elif record.exc_info:
            text = f"{text}\n{self.formatException(record.exc_info)}"
        clock = f"{at:{self._clock}}.{int(record.msecs):03d}"
        return visible(masked(f"{clock} | {record.levelname:<7} | {who} - {text}"))


class JsonFormatter(logging.Formatter):
    """A JSON object a line, for programs that collect logs."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created)
            .astimezone()
            .isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name in ("run_name", "task_run_name"):
            if value := getattr(record, name, None):
                said[name] = value
        line = getattr(record, "taxietl_line", None)
        if isinstance(line, Line):
            if self._tracebacks and line.error:
                said["traceback"] = "".join(traceback.format_exception(line.error))
        elif record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        # Each text by itself: in JSON a secret's quotes would be escaped, and not be found.
        shown = {name: masked(text) for name, text in said.items()}
        return visible_json(json.dumps(shown, ensure_ascii=False))


class _ConsoleFilter(logging.Filter):
    """Ours as asked for; of all other loggers what Python would show: warnings and worse."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        line = getattr(record, "taxietl_line", None)
        if isinstance(line, Line) and line.shown == "" and self._level > logging.DEBUG:
            return False
        is_ours = record.name == "taxietl" or record.name.startswith("taxietl.")
        return record.levelno >= (self._level if is_ours else max(self._level, logging.WARNING))


class _ConsoleHandler(logging.StreamHandler[TextIO]):
    """The console; a class of its own so that it can be told from anybody else's."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._is_journal = is_journal(stream)

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return with_priority(text, record.levelname) if self._is_journal else text

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say in a line like any other that one could not be written."""
        error = sys.exception()
        if isinstance(error, OSError):  # nobody reads it
            return
        where = f"{record.filename}:{record.lineno}"
        record.msg = f"Log line {record.msg!r} of {where} cannot be shown: {error!r}"
        record.args = record.exc_info = None
        with contextlib.suppress(Exception):
            self.stream.write(self.format(record) + self.terminator)
            self.flush()


class _HistoryHandler(logging.Handler):
    """Stores what is logged inside a run with that run."""

    def emit(self, record: logging.LogRecord) -> None:
        who, history = lines.current.get(), histories.current.get()
        if who is None or history is None or hasattr(record, "taxietl_line"):
            return
        at = datetime.fromtimestamp(record.created, UTC)
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1]:
                trace = "".join(traceback.format_exception(record.exc_info[1]))
                message = f"{message}\n{trace.rstrip()}"
            level = logging.getLevelName(record.levelno)
            with history.transaction(at) as change:
                text = masked(message)
                change.add(LogRow(who.run_id, who.task_run_id, at, level, record.name, text))
        except Exception:  # noqa: BLE001 - the next transition will say what is wrong
            return
        # A loop that does little but log is hardly ever met outside a handler (see signals.py).
        current_cancellation().check_overdue()


class _Unchanged(logging.Filter):
    """For handlers that were there before: what they did not get then, they do not get now."""

    def __init__(self, root_level: int) -> None:
        super().__init__()
        self._root_level = root_level

    def filter(self, record: logging.LogRecord) -> bool:
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None and logger.parent is not None:
            if logger.level:
                return True  # that logger has a level of its own, which already let it through
            logger = logger.parent
        return record.levelno >= self._root_level


def _is_terminal(stream: TextIO) -> bool:
    """Whether somebody looks on; a handler needs no more of a stream than `write`."""
    return hasattr(stream, "isatty") and stream.isatty()


def configure_logging(
    level: int = logging.INFO, stream: TextIO | None = None, *, as_json: bool = False
) -> None:
    """Show log lines of that level and above on a stream (stderr); again to change it."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _ConsoleHandler):
            root.removeHandler(handler)
    stream = stream or sys.stderr
    console, tracebacks = _ConsoleHandler(stream), level <= logging.DEBUG
    console.setFormatter(
        JsonFormatter(tracebacks=tracebacks)
        if as_json
        else ConsoleFormatter(tracebacks=tracebacks, dated=not _is_terminal(stream))
    )
    console.addFilter(_ConsoleFilter(level))
    root.addHandler(console)
    logging.getLogger("taxietl").setLevel(min(level, logging.INFO))


class _Capture:
    """Sends lines logged in runs, from INFO up, to the history while any run is in progress."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._handler = _HistoryHandler(logging.INFO)
        self._restore: list[Callable[[], object]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1
            if self._count == 1:
                self._begin(logging.getLogger())

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._count -= 1
            if self._count == 0:
                while self._restore:
                    self._restore.pop()()

    def _begin(self, root: logging.Logger) -> None:
        others = [each for each in root.handlers if not isinstance(each, _ConsoleHandler)]
        if not root.handlers:  # a script that has set up no logging: our lines on stderr
            configure_logging()
        root.addHandler(self._handler)
        self._restore.append(lambda: root.removeHandler(self._handler))
        if (level := root.level) <= logging.INFO:
            return
        root.setLevel(logging.INFO)
        self._restore.append(lambda: root.setLevel(level))
        for handler in others:
            unchanged = _Unchanged(level)
            handler.addFilter(unchanged)
            self._restore.append(functools.partial(handler.removeFilter, unchanged))


_capture = _Capture()


@contextlib.contextmanager
def captured(history: History) -> Iterator[None]:
    """Around a run: lines logged in it go to that history."""
    token = histories.current.set(history)
    try:
        with _capture:
            yield
    finally:
        histories.current.reset(token)
