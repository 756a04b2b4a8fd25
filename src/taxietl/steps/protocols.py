"""What a step has to offer to be plugged in. Ours and anyone's are found alike, by entry point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from taxietl.steps.values import Entry, LoadReport, LoadRequest, SourceFile, SourceVersion, Tally
from taxietl.steps.warehouse import Warehouse
from taxietl.tlc.datasets import Dataset
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    import pyarrow as pa


class Cancellation(Protocol):
    """How a step that blocks learns that the run was asked to stop."""

    def check(self) -> None:
        """Raise `Cancelled` if it was."""
        ...

    def on_cancel(self, callback: Callable[[], object]) -> AbstractContextManager[object]:
        """While the context is open, call back at once from another thread when asked to stop."""
        ...


class _Uncancelled:
    def check(self) -> None:
        """Return: it was not."""

    def on_cancel(self, callback: Callable[[], object]) -> AbstractContextManager[object]:  # noqa: ARG002
        """Never call back."""
        return nullcontext()


NEVER: Cancellation = _Uncancelled()
"""For work that nobody will ask to stop."""

Progress = Callable[[int, int | None], object]
"""Told how many bytes are here, and how many there will be, if that is known."""


def untold(done: int, total: int | None) -> None:
    """The `Progress` that nobody looks at."""


class Extractor(Protocol):
    """Brings a month's file onto this machine."""

    def probe(self, trip_file: TripFile, *, cancellation: Cancellation = NEVER) -> SourceVersion:
        """Ask for the month's version; reads no data.

        Raises:
            MissingFileError: the source has no file for it.
            NotPublishedError: not yet.
            TransferError: it could not be asked this time.
        """
        ...

    def extract(
        self,
        version: SourceVersion,
        *,
        into: Path,
        cancellation: Cancellation = NEVER,
        progress: Progress = untold,
    ) -> SourceFile:
        """Have the bytes of that version on this machine, and hash them.

        Args:
            version: as `probe` gave it.
            into: the cache folder; a source whose files lie here already leaves them in place.
            cancellation: to ask while waiting for bytes.
            progress: told of the bytes that have come.

        Raises:
            CorruptFileError: the bytes are not what they should be.
            TransferError: they could not be had this time.
        """
        ...


@runtime_checkable
class MaybeOneFile(Protocol):
    """An extractor that may have one file only, whatever month it is asked for."""

    @property
    def is_one_file(self) -> bool:
        """Whether it has."""
        ...


@runtime_checkable
class Glimpse(Protocol):
    """What an extractor offers beside, where the end of a file can be had without the rest."""

    def tail(
        self, version: SourceVersion, size_bytes: int, *, cancellation: Cancellation = NEVER
    ) -> bytes | None:
        """The last bytes of that version, or all where it has fewer; None if they cannot be had.

        Raises:
            TransferError: they could not be had this time.
        """
        ...


@runtime_checkable
class Dated(Protocol):
    """What an extractor offers beside, where it keeps when the versions it fetched were written."""

    def modified_at(self, version: SourceVersion, folder: Path) -> datetime | None:
        """When that version was written; None if it was not fetched into this cache folder."""
        ...


class Transformer(Protocol):
    """A pure rule over batches. Rows it leaves out are counted under its name."""

    version: str

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> pa.RecordBatch:
        """Return the batch with the same schema, and with the rows that stay."""
        ...


@runtime_checkable
class MonthlyTransformer(Protocol):
    """A rule that depends on whose month the rows are; made once, asked at every file."""

    version: str

    def for_month(self, trip_file: TripFile) -> Transformer:
        """The rule for that month's rows."""
        ...


class Batches(Protocol):
    """A month's clean rows, batch by batch, then what was counted on the way."""

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    @property
    def result(self) -> Tally:
        """The tally; only after the last batch."""
        ...


@runtime_checkable
class Dropper(Protocol):
    """What a loader offers besides, where it can take months out again."""

    def drop(
        self, trip_file: TripFile, table: str, *, run_name: str, cancellation: Cancellation = NEVER
    ) -> Entry | None:
        """Take the month's rows out, in one transaction with its ledger row, which is superseded.

        Holds the month's lock as a load does. The ledger then has no current row of the month,
        and the superseded one no successor: by that a dropped month is known.

        Args:
            trip_file: the month.
            table: where its rows lie.
            run_name: whose doing it is, for others who want the month meanwhile.
            cancellation: to ask while waiting for locks.

        Returns:
            What was there; None if the month was not loaded, and nothing was done.

        Raises:
            TargetError: the target refused; it is as it was.
            TryLaterError: somebody else holds the month, the table or the file.
        """
        ...


@runtime_checkable
class OwnedByOne(Protocol):
    """What a loader offers besides, where one process at a time has the target, readers included.

    Who only wants to look asks at once, and has somewhere else to look while another has it.
    """

    def kept_open(self) -> AbstractContextManager[object]:
        """While the block runs, this process has it for reading: each `entry` meanwhile is quick.

        Raises:
            WarehouseBusyError: another process has the target.
        """
        ...


class Loader(Warehouse, Protocol):
    """Replaces a month in a warehouse, whole or not at all; and tells what lies there.

    One is made of a profile once, and used by the threads of a process at the same time: each call
    opens what it needs, and what is kept between calls never changes.
    """

    target: str
    """The warehouse in words, without credentials."""

    schema: str
    """Where its ledger lies, and every table that is named without a schema."""

    takes_connections: bool
    """Whether it can send a month's rows over several connections."""

    def entry(self, trip_file: TripFile, table: str) -> Entry | None:
        """The month's current row in the ledger; None if there is none. Changes nothing."""
        ...

    def query(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """The rows of one statement that only reads.

        Raises:
            ConfigError: it does more than read, or is wrong.
        """
        ...

    def load(
        self, file: SourceFile, batches: Batches, request: LoadRequest, cancellation: Cancellation
    ) -> LoadReport:
        """Write the month in one transaction with its ledger row.

        Asks the ledger again under the month's lock, and checks the counts before it commits.

        Raises:
            DataError: what was read must not be loaded; the target is as it was.
            TargetError: the target refused; it is as it was.
            TryLaterError: somebody else holds the month or the file.
        """
        ...
