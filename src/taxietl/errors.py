"""Every error taxietl raises on purpose: what happened, to which thing, what to type next.

    TaxietlError                  exit 1
    ├── ConfigError               2   usage or configuration
    │   └── UnknownNameError          a name nobody has, with a guess
    ├── SourceError               3   unreachable, missing, corrupt
    │   ├── MissingFileError          the source has no file for that month
    │   ├── CorruptFileError          the file cannot be read to its end
    │   └── TransferError             cut, stalled, refused for now; a TransientError
    ├── DataError                 4   schema, rejects, counts
    │   ├── NoRowsError               the file has columns, and no rows
    │   ├── SchemaError               columns or types are not what the contract says
    │   ├── TooManyRejectsError       more unreadable lines than --max-rejects
    │   ├── CountMismatchError        rows read are not rows loaded + dropped + rejected
    │   └── RefusedLoadError          a plan that needs --force or another limit
    │       └── ShrunkError               a month that lost more rows than --max-shrink allows
    ├── TargetError               5   database, bucket, disk
    │   ├── NotOursError              a table or file that taxietl did not make
    │   ├── NoWarehouseError          a DuckDB file that the first load has yet to make
    │   └── OutOfMemoryError          this process may not have the memory it needs
    ├── TryLaterError             75  somebody else holds it, or it is not there yet
    │   ├── NotPublishedError         the source works, and does not have that month yet
    │   └── WarehouseBusyError        another process has the warehouse's file open
    ├── TransientError            1   may pass by itself: worth another attempt
    │   └── TimedOutError             a task or flow took longer than its timeout
    └── IsolatedProcessError      1   the process of an isolated task died

`TransientError` is mixed into an error of any branch, whose exit code stays:
`class TransferError(SourceError, TransientError)` exits with 3, and `Retry(on=TransientError)`
tries it again.

`Cancelled` stands apart (a BaseException), so that a task's own `except Exception` cannot swallow
a Ctrl-C.

Messages and hints never hold a password, a token or a full DSN: they are masked as they are made.
"""

from __future__ import annotations

import difflib
import errno
import signal
from collections.abc import Iterable, Iterator
from typing import Any

from taxietl.masking import masked, name_shown

EXIT_CODE_ORDER = (1, 5, 4, 3, 2, 75, 0)
"""Worst first: over several months, the exit code is the first of these that occurred."""


class TaxietlError(Exception):
    """The root: a message that says what is wrong, and a hint that says what to type or edit."""

    exit_code = 1
    warnings: tuple[str, ...] = ()
    """What was warned of before it came to this."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        self.message, self.hint = masked(message), masked(hint)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error travels between processes, whatever its constructor asks for.
        return _rebuilt, (type(self), self.args, self.__dict__)


class ConfigError(TaxietlError):
    """The command line, an environment variable or the configuration file is wrong."""

    exit_code = 2


class UnknownNameError(ConfigError):
    """A profile, step, flow, run or dataset was asked for by a name nobody has."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        # Who is asked for a name may have given an address, password and all.
        shown = name_shown(name)
        self.kind, self.name, self.known = kind, shown, sorted(known)
        close = difflib.get_close_matches(name, self.known, n=1)
        guess = f"Did you mean {close[0]!r}? " if close else ""
        names = f"Known: {', '.join(self.known) or 'none'}."
        super().__init__(
            f"There is no {kind} named {shown!r}.", hint=f"{guess}{names} {hint}".strip()
        )


class SourceError(TaxietlError):
    """The file could not be had, or is not what it should be."""

    exit_code = 3


class MissingFileError(SourceError):
    """The source has no file for that month."""


class CorruptFileError(SourceError):
    """The file is cut, is not of the kind its name says, or cannot be read to its end."""


class DataError(TaxietlError):
    """The file was read, and what it holds must not be loaded as it is."""

    exit_code = 4


class NoRowsError(DataError):
    """The file names its columns and holds no row."""


class SchemaError(DataError):
    """The file's columns or types are not those of any era of its colour."""


class TooManyRejectsError(DataError):
    """More lines are no trips than `--max-rejects` allows; carries their tally."""

    def __init__(self, trip_file: object, tally: Any, limit: int) -> None:
        self.tally, self.limit = tally, limit
        first = next((note for note in tally.notes if note.kind == "row"), None)
        where = f"; the first is line {first.line}: {first.reason}" if first else ""
        count = tally.rows_rejected
        lines = "1 line is not a trip" if count == 1 else f"{count:,} lines are not trips"
        super().__init__(
            f"{trip_file}: {lines} that can be read{where}.",
            hint=f"Nothing was loaded. To leave them out, add --max-rejects {tally.rows_rejected} "
            f"(now {limit}).",
        )


class CountMismatchError(DataError):
    """Rows read, counted in two ways, differ; or they are not loaded + dropped + rejected."""


class RefusedLoadError(DataError):
    """The plan would replace a month by other data than was asked for; nothing was done."""

    month_class: str | None = None
    """What the source has, held to what is loaded, where that is why."""


class ShrunkError(RefusedLoadError):
    """A month would be replaced by far fewer rows, or none."""

    def __init__(self, message: str, *, hint: str, rows_before: int, rows_after: int) -> None:
        super().__init__(message, hint=hint)
        self.rows_before, self.rows_after = rows_before, rows_after


class TargetError(TaxietlError):
    """The database, the bucket or the disk refused."""

    exit_code = 5


class NotOursError(TargetError):
    """A table or file of that name exists, and taxietl did not make it: never touched."""


class NoWarehouseError(TargetError):
    """A DuckDB file that the first load has yet to make."""


class OutOfMemoryError(TargetError):
    """The system gave this process no more memory: by a limit, or because there is none."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"Memory ran out: {detail}.",
            hint="Nothing half-done stays. Raise the limit of this process (ulimit -v, the "
            "container's, systemd's MemoryMax=), or close other programs.",
        )


def causes(error: BaseException | None, *, context: bool = False) -> Iterator[BaseException]:
    """An error, its cause, that one's cause, …, each once: a chain may lead back into itself.

    Args:
        context: go on with what was being handled where an error names no cause.
    """
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (error.__context__ if context else None)


def out_of_memory(error: BaseException) -> OutOfMemoryError | None:
    """What any library raises when memory runs out, as one of ours; None for other errors."""
    for each in causes(error):
        if isinstance(each, OutOfMemoryError):
            return each
        text = str(each)
        is_one = isinstance(each, MemoryError) or any(words in text for words in _NO_MEMORY)
        if is_one or (isinstance(each, OSError) and each.errno == errno.ENOMEM):
            lines = text.splitlines()
            return OutOfMemoryError(lines[0].rstrip(".") if lines else type(each).__name__)
        if isinstance(each, TaxietlError) and not isinstance(each, ConfigError):
            return None  # it says already what is wrong
    return None


_NO_MEMORY = (
    "can't start new thread",
    "Failed to launch worker thread",
    "failed to map segment from shared object",
    "cannot allocate memory",
    "Cannot allocate memory",
    "std::bad_alloc",
    "bad allocation",
)
"""How the linker, threads and C++ say it, who have no class for it."""


class TryLaterError(TaxietlError):
    """Nothing is wrong; the same command may succeed later."""

    exit_code = 75


class NotPublishedError(TryLaterError):
    """The source answers for other months, and does not have this one yet."""


class WarehouseBusyError(TryLaterError):
    """Another process has the warehouse's file open; `pid` is that process, if it is known."""

    def __init__(self, target: str, pid: int | None) -> None:
        self.target, self.pid = target, pid
        super().__init__(
            self._held_by(f"process {pid}" if pid else "another process"),
            hint="One process at a time can have it open, readers included. "
            "Close it there, or try again later.",
        )

    def name_holder(self, holder: str) -> None:
        """Say in words who holds it, once that is known."""
        self.message = self._held_by(holder)
        self.args = (self.message,)

    def _held_by(self, holder: str) -> str:
        return f"{self.target} is open in {holder}."


class TransientError(TaxietlError):
    """May pass by itself: another attempt is worth its while.

    A class of any branch takes this one as a second base and keeps its exit code. Where whoever
    refused has said how long to wait (`Retry-After`), `retry_after_seconds` is that.
    """

    def __init__(
        self, message: str, *, hint: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class TransferError(SourceError, TransientError):
    """The file could not be had this time: a cut, a stall, a server that is busy or blocks."""


class TimedOutError(TransientError, TimeoutError):
    """A task or flow took longer than its `timeout_seconds`; also a `TimeoutError`."""

    def __init__(self, who: str, seconds: float, *, run_id: str) -> None:
        self.run_id = run_id
        """Of the run or task run that was too slow."""
        super().__init__(
            f"{who} exceeded its timeout of {seconds:g} seconds.",
            hint="Raise timeout_seconds=, or retry it: Retry(on=TransientError).",
        )


class IsolatedProcessError(TaxietlError):
    """The child process of an isolated task died before it had answered.

    `signal_name` is what killed it, or None: it left with `status`.
    """

    def __init__(
        self, who: str, *, run_id: str, signal_name: str | None, status: int | None
    ) -> None:
        self.run_id, self.signal_name, self.status = run_id, signal_name, status
        hint = "Its last log lines may tell why."
        if signal_name == "SIGKILL":
            hint = "The system kills so when memory runs out; `dmesg` tells."
        end = f"was killed by {signal_name}" if signal_name else f"ended with status {status}"
        super().__init__(f"The process of {who} {end}.", hint=hint)


class Cancelled(BaseException):
    """The run was asked to stop; raised at the next safe point of every thread of the run."""

    def __init__(self, reason: str, *, signal_number: int = signal.SIGINT) -> None:
        super().__init__(reason)
        self.reason = reason
        self.signal_number = signal_number

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self.args, self.__dict__)

    @property
    def exit_code(self) -> int:
        """130 after SIGINT, 143 after SIGTERM, as shells count."""
        return 128 + int(self.signal_number)


def _rebuilt(
    kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]
) -> BaseException:
    """An error as it was, without calling its constructor."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def worst_exit_code(codes: Iterable[int]) -> int:
    """The one exit code of several months: the worst that occurred.

    An interrupt (128 and above) outranks all, since the months after it were not tried.
    """
    found = set(codes)
    for code in sorted(found, reverse=True):
        if code >= 128:
            return code
    return next((code for code in EXIT_CODE_ORDER if code in found), max(found, default=0))
