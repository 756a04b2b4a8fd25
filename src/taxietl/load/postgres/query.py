"""Ask PostgreSQL something: one statement that only reads, in a read-only transaction.

The server itself takes the statement apart, for a cursor, which it opens for one statement that
gives rows and for nothing else; `commit; create table …` are two. Rows come as they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used
import pyarrow as pa  # noqa: TID253
from psycopg2.extensions import (  # noqa: TID253
    PYDATE,
    PYDATETIME,
    PYDATETIMETZ,
    new_type,
    register_type,
)
from psycopg2.extensions import cursor as Cursor  # noqa: N812, TID253

from taxietl.errors import ConfigError, TargetError
from taxietl.load.postgres.connection import opened
from taxietl.load.postgres.errors import meant
from taxietl.load.sql import quoted

_BATCH_ROWS = 16_384
_NUMERIC = 1700
_DIGITS = 38

# Source: PostgreSQL, src/include/catalog/pg_type.dat. Other types come as the server writes them.
_TYPES = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int32(),
    23: pa.int32(),
    26: pa.int64(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}

_TIMES = {1082: PYDATE, 1114: PYDATETIME, 1184: PYDATETIMETZ}

_OPEN = (
    "DO $taxietl$ DECLARE answer refcursor := 'taxietl'; BEGIN "
    "OPEN answer NO SCROLL FOR EXECUTE current_setting('taxietl.statement'); END $taxietl$"
)

# Classes that are the server's or the connection's fault, not the statement's.
_OF_THE_TARGET = ("08", "40", "53", "55P03", "57", "58", "XX")

_NO_RIGHT = "42501"

# A read-only transaction, and a cursor's statement that gives no rows or is several.
_NOT_READING = ("25006", "42P11")


@contextmanager
def queried(
    parameters: Mapping[str, str], statement: str, *, schema: str, target: str
) -> Iterator[pa.RecordBatchReader]:
    """The statement's rows, read as they are asked for; the connection is held for the block.

    Raises:
        ConfigError: it is not one reading statement, or it is wrong.
        TargetError: the server cannot be reached, or has no such schema for this user; or the user
            has no right to what is asked.
    """
    with opened(parameters, target=target, read_only=True) as session:
        ((path, may_look),) = session.run(
            "SELECT current_setting('search_path'), "
            "(SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = %s)",
            [schema],
        )
        if not may_look:
            raise _nowhere(schema, target, is_there=may_look is not None)
        # Compiling a statement of many parts takes longer than it saves: 20 s of 38 s to inspect a
        # month of 1.3 million rows.
        session.begin(
            f"SET LOCAL search_path = {quoted(schema)}, {path or 'pg_catalog'}",
            "SET LOCAL jit = off",
        )
        # The server is waited for in a thread of its own, so that a Ctrl-C need not wait for it.
        with session.cursor() as cursor, ThreadPoolExecutor(1, "taxietl-query") as worker:
            try:
                yield _Answer(cursor, statement, target, worker).reader()
            except KeyboardInterrupt:
                session.cancel()
                raise


def _nowhere(schema: str, target: str, *, is_there: bool) -> TargetError:
    """The server would pass over the schema in silence, and answer from the next one."""
    if is_there:
        return TargetError(
            f"The user may not look into schema {schema} of {target}.",
            hint=f"Its owner can allow it: GRANT USAGE ON SCHEMA {quoted(schema)} TO ….",
        )
    return TargetError(
        f"A schema is missing in {target}: there is no {schema}.",
        hint="Make it with CREATE SCHEMA, or name another `schema` in the profile.",
    )


class _Answer:
    """The rows of an open cursor, as Arrow batches."""

    def __init__(
        self, cursor: Cursor, statement: str, target: str, worker: ThreadPoolExecutor
    ) -> None:
        self._cursor = cursor
        self._target = target
        self._worker = worker
        if not statement.strip(" ;\n\t"):
            raise ConfigError("There is no statement.", hint="Give one SELECT.")
        self._run("SELECT set_config('taxietl.statement', %s, true)", [statement.rstrip(" ;\n\t")])
        self._run(_OPEN)
        self._run("FETCH FORWARD 0 FROM taxietl")
        self._columns = list(cursor.description or ())
        # What Arrow has no type for is not taken apart either: JSON, arrays, intervals.
        others = tuple({each.type_code for each in self._columns} - {*_TYPES, _NUMERIC})
        if others:
            register_type(new_type(others, "AS_WRITTEN", lambda value, _: value), cursor)
        for code, read in _TIMES.items():
            register_type(new_type((code,), "FINITE", _finite(read)), cursor)

    def reader(self) -> pa.RecordBatchReader:
        """All rows, the first batch of them fetched already."""
        rows = self._fetched()
        values = list(zip(*rows, strict=True)) or [()] * len(self._columns)
        fields = [
            pa.field(each.name, _type_of(each, column))
            for each, column in zip(self._columns, values, strict=True)
        ]
        schema = pa.schema(fields)
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema, rows))

    def _batches(
        self, schema: pa.Schema, rows: Sequence[tuple[Any, ...]]
    ) -> Iterator[pa.RecordBatch]:
        while rows:
            columns = zip(*rows, strict=True)
            yield pa.RecordBatch.from_arrays(
                [_array(column, field) for column, field in zip(columns, schema, strict=True)],
                schema=schema,
            )
            rows = self._fetched()

    def _fetched(self) -> list[tuple[Any, ...]]:
        self._run(f"FETCH FORWARD {_BATCH_ROWS} FROM taxietl")
        try:
            return self._cursor.fetchall()
        except (ValueError, OverflowError) as error:
            raise ConfigError(
                f"A value cannot be shown: {error}.", hint="Cast its column to text: column::text."
            ) from error

    def _run(self, statement: str, parameters: Sequence[Any] | None = None) -> None:
        try:
            self._worker.submit(self._cursor.execute, statement, parameters).result()
        except (ValueError, UnicodeError) as error:
            raise ConfigError(f"{error}.", hint="Give one SELECT.") from error
        except psycopg2.Error as error:
            raise self._wrong(error) from error

    def _wrong(self, error: psycopg2.Error) -> Exception:
        said = (error.diag.message_primary or "").rstrip(".")
        if error.pgcode is None or error.pgcode.startswith(_OF_THE_TARGET):
            return meant(error, self._target)
        if error.pgcode == _NO_RIGHT:
            return TargetError(
                f"The user may not do this in {self._target}: {said}.",
                hint="Its owner can allow it: GRANT SELECT ON … TO …, for tables and views.",
            )
        if error.pgcode in _NOT_READING:
            return ConfigError(f"`taxietl sql` only reads: {said}.", hint="Give one SELECT.")
        return ConfigError(f"{said}.", hint=error.diag.message_hint or "Give one SELECT.")


def _finite(read: Callable[[Any, Cursor], Any]) -> Callable[[Any, Cursor], Any]:
    """Reads a time, but not infinity, for which psycopg2 gives the last day of 9999."""

    def found(value: Any, cursor: Cursor) -> Any:
        if value is not None and value.endswith("infinity"):
            raise ValueError(f"{value} is no time")
        return read(value, cursor)

    return found


def _type_of(column: Any, values: Sequence[Any]) -> pa.DataType:
    if column.type_code != _NUMERIC:
        return _TYPES.get(column.type_code, pa.string())
    # A numeric without a declared size tells its digits only by its values.
    exponents = [each.as_tuple().exponent for each in values if each is not None]
    if not all(isinstance(each, int) for each in exponents):
        return pa.float64()  # NaN or infinity
    scale = max((-each for each in exponents), default=0)
    return pa.decimal128(_DIGITS, min(max(scale, 0), _DIGITS))


def _array(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if pa.types.is_floating(field.type):
        return pa.array([float(each) if isinstance(each, Decimal) else each for each in values])
    try:
        return pa.array(values, field.type)
    except (pa.ArrowException, OverflowError) as error:
        raise ConfigError(
            f"Column {field.name!r} has numbers of more digits than its first rows.",
            hint=f"Cast it: {field.name}::numeric(30, 10), ::float8 or ::text.",
        ) from error
