"""Ask a DuckDB file something: one statement that only reads, with no way to other files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb  # noqa: TID253  imported only where a DuckDB file is used
import pyarrow as pa  # noqa: TID253

from taxietl.errors import ConfigError, TargetError
from taxietl.load.duckdb_file import opened

_READING = {"SELECT", "EXPLAIN"}


@contextmanager
def queried(
    path: Path, statement: str, *, memory_limit: str | None
) -> Iterator[pa.RecordBatchReader]:
    """The statement's rows, read as they are asked for.

    Raises:
        ConfigError: it is not one reading statement, or it is wrong.
        TargetError: there is no such file yet.
    """
    _check_reading(statement)
    if not path.exists():
        raise TargetError(f"There is no DuckDB file {path} yet.", hint="`taxietl ingest` makes it.")
    with opened(path, read_only=True, memory_limit=memory_limit) as connection:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        try:
            yield connection.execute(statement).to_arrow_reader(16_384)
        except (duckdb.ProgrammingError, duckdb.PermissionException) as error:
            raise _wrong(error) from error


def _check_reading(statement: str) -> None:
    try:
        parsed = duckdb.extract_statements(statement)
    except duckdb.Error as error:
        raise _wrong(error) from error
    if len(parsed) != 1:
        raise ConfigError(
            f"One statement at a time; these are {len(parsed)}.", hint="Ask them one by one."
        )
    kind = str(parsed[0].type).removeprefix("StatementType.")
    if kind not in _READING:
        raise ConfigError(
            f"This statement is {kind}; `taxietl sql` only reads.",
            hint="Use SELECT, or the duckdb shell for anything else.",
        )


def _wrong(error: duckdb.Error) -> ConfigError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return ConfigError(lines[0], hint=" ".join(lines[1:3]))
