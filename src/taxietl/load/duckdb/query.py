"""Ask a DuckDB file something: one statement that only reads, with no way to other files.

That is SELECT and what DuckDB makes of it (`WITH`, `FROM t`, `VALUES`, `SHOW`, `DESCRIBE`,
`SUMMARIZE`, `PIVOT … IN`), EXPLAIN, and PRAGMAs that give rows, such as `PRAGMA table_info('t')`.
The file is opened read-only, other files and the network are shut off, and the settings locked:
the look at the statement's kind is for a clear message, not the guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import duckdb  # noqa: TID253  imported only where a DuckDB file is used
import pyarrow as pa  # noqa: TID253

from taxietl.errors import ConfigError, NoWarehouseError
from taxietl.load.duckdb.file import meant, opened

Result = TypeVar("Result")

_READING = {"SELECT", "EXPLAIN", "PRAGMA"}

LOCKED_DOWN = (
    "SET python_enable_replacements = false",  # else `FROM name` finds our Python variables
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)

_BATCH_ROWS = 16_384
_POLL_SECONDS = 0.2

# What is not the statement's fault begins so.
_OF_THE_TARGET = ("IO Error", "Out of Memory", "INTERNAL Error", "FATAL Error")


@contextmanager
def queried(
    path: Path, statement: str, *, memory_limit: str, patience_seconds: float | None = None
) -> Iterator[pa.RecordBatchReader]:
    """The statement's rows, read as they are asked for; the file is held until the block is left.

    Args:
        path: the file.
        statement: what to ask.
        memory_limit: of DuckDB's buffers.
        patience_seconds: see `opened`.

    Raises:
        ConfigError: it is not one reading statement, or it is wrong.
        NoWarehouseError: there is no such file yet.
        WarehouseBusyError: another process has it.
    """
    check_reading(statement)
    if not path.exists():
        raise NoWarehouseError(
            f"There is no DuckDB file {path} yet.", hint="`taxietl ingest` makes it."
        )
    with (
        opened(
            path, read_only=True, memory_limit=memory_limit, patience_seconds=patience_seconds
        ) as connection,
        Query(connection, partial(_blamed, path)) as query,
    ):
        for setting in LOCKED_DOWN:
            connection.execute(setting)
        yield query.run(statement)


class Query:
    """Rows made by DuckDB in a thread of its own, so that a Ctrl-C need not wait for it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        blamed: Callable[[Exception], Exception | None],
        *,
        stop: Callable[[], object] = lambda: None,
    ) -> None:
        """On a connection that is ready to be asked.

        Args:
            connection: used by this one alone.
            blamed: what an error means; None if the statement is at fault.
            stop: ends what DuckDB itself may be waiting for.
        """
        self._connection = connection
        self._blamed = blamed
        self._stop = stop
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="taxietl-query")
        self._reader: pa.RecordBatchReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown()
        if self._reader is not None:
            # A reader that somebody still refers to would keep the file open, for this process
            # too: the next connection to it would wait for ever.
            self._reader.close()

    def run(self, statement: str) -> pa.RecordBatchReader:
        """The statement's rows, each batch asked for when it is wanted.

        Raises:
            ConfigError: the statement is wrong; by the reader, if a value shows it late.
            TargetError: the file cannot be read.
        """
        reader = self._reader = self._asked(lambda: self._executed(statement))
        return pa.RecordBatchReader.from_batches(reader.schema, self._batches(reader))

    def _executed(self, statement: str) -> pa.RecordBatchReader:
        # `execute(…)` would hold the whole answer in memory under DuckDB 2.0.
        answer = self._connection.sql(statement)
        if answer is None:
            raise ConfigError("This statement gives no rows.", hint="Give one SELECT.")
        return answer.to_arrow_reader(_BATCH_ROWS)

    def _batches(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        while (batch := self._asked(lambda: next(reader, None))) is not None:
            yield batch

    def _asked(self, work: Callable[[], Result]) -> Result:
        try:
            answer = self._worker.submit(work)
            # A signal that comes just before a wait without end is heard only after it.
            while not answer.done():
                wait([answer], timeout=_POLL_SECONDS)
            return answer.result()
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._blamed(error) or _wrong(error) from error
        except KeyboardInterrupt:
            self._connection.interrupt()
            self._stop()
            raise


def is_of_the_target(error: Exception) -> bool:
    """Whether the data cannot be read; else the statement is wrong."""
    # Arrow's readers lose the class of DuckDB's errors, but not their words.
    return str(error).startswith(_OF_THE_TARGET)


def _blamed(path: Path, error: Exception) -> Exception | None:
    return meant(path, error) if is_of_the_target(error) else None


def check_reading(statement: str) -> None:
    """Refuse what is not one statement that reads.

    Raises:
        ConfigError: it is not.
    """
    try:
        parsed = duckdb.extract_statements(statement)
    except duckdb.Error as error:
        raise _wrong(error) from error
    kinds = [str(each.type).removeprefix("StatementType.") for each in parsed]
    refused = [kind for kind in kinds if kind not in _READING]
    if refused:
        raise ConfigError(
            f"This is {' and '.join(refused)}; `taxietl sql` only reads.",
            hint="Use SELECT; a PIVOT needs its values, PIVOT … ON … IN (…).",
        )
    if len(kinds) != 1:
        raise ConfigError(
            f"These are {len(kinds)} statements." if kinds else "There is no statement.",
            hint="Give one SELECT.",
        )


def _wrong(error: Exception) -> ConfigError:
    """DuckDB's words, without the carets that point into the statement."""
    first, *rest = [line.strip() for line in str(error).splitlines() if line.strip(" ^")]
    return ConfigError(first, hint=" ".join(rest[:2]))
