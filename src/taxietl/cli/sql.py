"""`taxietl sql`: ask the warehouse something."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.output import Output, with_output
from taxietl.cli.session import open_settings
from taxietl.cli.tables import table
from taxietl.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_ROWS = 1_000


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(with_output(sql))


def sql(
    out: Output,
    query: Annotated[str, typer.Argument(help="One SELECT.")],
    on: Annotated[str | None, typer.Option(help="Profile to ask: warehouse.")] = None,
    output_format: Annotated[Format, typer.Option("--format", help="How to write.")] = Format.TABLE,
) -> None:
    """Ask the warehouse something; one statement that only reads."""
    settings = open_settings()
    from taxietl.flows.warehouse import loader

    if output_format is Format.PARQUET and sys.stdout.isatty():
        raise ConfigError("Parquet is not for a terminal.", hint="Redirect it: > trips.parquet")
    with loader(on or settings.ingest.to).query(query) as rows:
        if out.json or output_format is Format.JSON:
            _write_json(Output(json=True), rows)
        elif output_format is Format.CSV:
            _write_csv(rows)
        elif output_format is Format.PARQUET:
            _write_parquet(rows)
        else:
            _write_table(out, rows)


def _write_table(out: Output, rows: pa.RecordBatchReader) -> None:
    names = [str(name) for name in rows.schema.names]
    shown: list[dict[str, Any]] = []
    more = 0
    for batch in rows:
        room = SHOWN_ROWS - len(shown)
        shown += batch.slice(0, room).to_pylist() if room else []
        more += max(0, batch.num_rows - room)
    out.result({}, table(names, shown))
    if more:
        out.note(f"{more:,} more rows; --format csv writes all.")


def _write_json(out: Output, rows: pa.RecordBatchReader) -> None:
    columns = [{"name": field.name, "type": str(field.type)} for field in rows.schema]
    found = [list(row.values()) for batch in rows for row in batch.to_pylist()]
    out.result({"columns": columns, "rows": found, "row_count": len(found)}, "")


def _write_csv(rows: pa.RecordBatchReader) -> None:
    import pyarrow.csv as pacsv

    with pacsv.CSVWriter(sys.stdout.buffer, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _write_parquet(rows: pa.RecordBatchReader) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(sys.stdout.buffer, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
