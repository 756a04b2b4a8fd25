"""`taxietl sql`: run a read-only query.

One statement that only reads; what counts as that is told in `load.duckdb.query`
and `load.postgres.query`.
"""

from __future__ import annotations

import codecs
import io
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import OnWarehouseOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named
from taxietl.cli.stderr import warn
from taxietl.cli.streams import writing_to_stdout
from taxietl.errors import ConfigError
from taxietl.terminal import visible

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_ROWS = 1_000


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: Commands) -> None:
    """Add the command."""
    app.add(sql)


def sql(
    out: Output,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT statement.")],
    on: OnWarehouseOption = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Output format.")
    ] = Format.TABLE,
) -> None:
    """Run one read-only SQL query on a warehouse or a lake."""
    open_settings()
    from taxietl.flows.warehouse import query as asked

    chosen = Format.JSON if out.json else output_format
    if chosen is Format.PARQUET and sys.stdout.isatty():
        raise ConfigError(
            "Parquet cannot be shown on a terminal.", hint="Redirect it to a file: > trips.parquet"
        )
    with asked(profile_named(on), query) as rows:
        match chosen:
            case Format.JSON:
                _write_json(rows)
            case Format.CSV:
                _write_csv(rows)
            case Format.PARQUET:
                _write_parquet(rows)
            case Format.TABLE:
                _write_table(out, rows)


def _write_table(out: Output, rows: pa.RecordBatchReader) -> None:
    from taxietl.cli.answers import rows_of, table

    shown: list[tuple[Any, ...]] = []
    more = 0
    for batch in rows:
        room = SHOWN_ROWS - len(shown)
        shown += rows_of(batch.slice(0, room))
        more += max(0, batch.num_rows - room)
    out.result({}, table(rows.schema.names, shown), as_is=True)
    if more:
        warn(f"{more:,} more rows are not shown; --format csv writes all.")


def _write_json(rows: pa.RecordBatchReader) -> None:
    from taxietl.cli.answers import json_value, rows_of

    columns = [{"name": field.name, "type": str(field.type)} for field in rows.schema]
    found = [[json_value(value) for value in row] for batch in rows for row in rows_of(batch)]
    document = {"columns": columns, "rows": found, "row_count": len(found)}
    Output(json=True).result(document, "", as_is=True)


def _write_csv(rows: pa.RecordBatchReader) -> None:
    import pyarrow.csv as pacsv

    from taxietl.cli.answers import writable, written

    schema = writable(rows.schema)
    sink = _Shown() if sys.stdout.isatty() else sys.stdout.buffer
    with writing_to_stdout(), pacsv.CSVWriter(sink, schema) as writer:
        for batch in rows:
            writer.write_batch(written(batch, schema))


class _Shown(io.RawIOBase):
    """A terminal, to which bytes of UTF-8 are shown; files and pipes get the data as they are."""

    def __init__(self) -> None:
        super().__init__()
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        sys.stdout.write(visible(self._decoder.decode(bytes(data))))
        return len(data)


def _write_parquet(rows: pa.RecordBatchReader) -> None:
    import pyarrow.parquet as pq

    from taxietl.cli.answers import writable, written

    schema = writable(rows.schema)
    if len(set(schema.names)) < len(schema.names):
        raise ConfigError("Two columns have the same name.", hint="Rename one of them with AS.")
    with (
        writing_to_stdout(),
        pq.ParquetWriter(sys.stdout.buffer, schema, compression="zstd") as writer,
    ):
        for batch in rows:
            writer.write_batch(written(batch, schema))
