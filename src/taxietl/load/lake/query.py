"""Ask a lake something: each colour's months as one table, the zones, and nothing else to read.

Of a folder DuckDB reads the files itself. It has no way to a bucket without an extension, which
would be downloaded: there `scan` brings it the rows.
"""

from __future__ import annotations

import glob
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path

import duckdb  # noqa: TID253  imported only where the lake is asked
import pyarrow as pa  # noqa: TID253
import pyarrow.parquet as pq  # noqa: TID253

from taxietl.errors import TargetError
from taxietl.load.duckdb.ctrl_c import heard_ctrl_c
from taxietl.load.duckdb.file import hide_progress
from taxietl.load.duckdb.query import LOCKED_DOWN, Query, check_reading, is_of_the_target
from taxietl.load.lake.folder import FolderStore
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.manifest import Manifest
from taxietl.load.lake.parquet import lake_schema, zones_schema
from taxietl.load.lake.ranges import Ahead
from taxietl.load.lake.scan import Months
from taxietl.load.lake.standing import Standing, demand_whole
from taxietl.load.lake.store import replaced_meanwhile
from taxietl.load.lake.survey import EVERY, survey
from taxietl.load.lake.values import Form, StoredObject
from taxietl.load.sql import literal, quoted
from taxietl.tlc.datasets import DATASETS, dataset
from taxietl.tlc.zones import TABLE as ZONES_TABLE

_log = logging.getLogger("taxietl.lake")

_MEMORY = "400MB"

_COLORS = {each.table: each.color for each in DATASETS.values()}

_Tables = Mapping[str, Sequence[tuple[Manifest, StoredObject]]]
"""What each table is made of."""


@contextmanager
def queried(lake: Lake, statement: str) -> Iterator[pa.RecordBatchReader]:
    """The statement's rows; tables are called as in a warehouse, `yellow_trips`.

    Raises:
        ConfigError: it is not one reading statement, or is wrong.
        TargetError: nothing was uploaded yet, or a month cannot be read.
    """
    check_reading(statement)
    # `SHOW TABLES` names none; others need not wait for the manifests of four colours.
    named = [each for each in (*_COLORS, ZONES_TABLE) if each in statement.lower()]
    tables = _tables(lake, named)
    if not tables:
        raise TargetError(
            f"There is nothing of {' or '.join(named) or 'any table'} in {lake.store.address}.",
            hint="`taxietl upload-gcs` brings months there, `taxietl zones --to` the zones; "
            "`taxietl lake ls` lists them.",
        )
    ahead = Ahead(lake.store)
    with (
        tempfile.TemporaryDirectory(prefix="taxietl-sql-") as spilt,
        closing(duckdb.connect(config={"memory_limit": _MEMORY})) as connection,
        heard_ctrl_c(partial(_interrupt, connection, ahead)),
        Query(connection, partial(_blamed, lake, ahead), stop=ahead.stop) as query,
    ):
        _prepare(connection, Path(spilt), lake, ahead, tables)
        rows = query.run(statement)
        try:
            yield _unmixed(lake, tables, rows) if isinstance(lake.store, FolderStore) else rows
        finally:
            ahead.stop()


def _interrupt(connection: duckdb.DuckDBPyConnection, ahead: Ahead) -> None:
    ahead.stop()
    connection.interrupt()


def _unmixed(lake: Lake, tables: _Tables, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The rows; at their end each file must be the one that was there at first.

    A bucket is asked for one generation only; from a folder DuckDB reads what is there.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        yield from rows
        now = {(each.key, each.generation) for each in lake.store.objects()}
        for _, found in chain.from_iterable(tables.values()):
            if (found.key, found.generation) not in now:
                raise replaced_meanwhile(lake.store.uri(found.key))

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def _tables(lake: Lake, named: Sequence[str]) -> _Tables:
    """The objects of these tables, or of all.

    A table is all of its months, whichever of them the statement needs: rows that are left out
    must not depend on a filter's form.

    Raises:
        BrokenMonthError: a month's object is not what its manifest says.
    """
    of = [_COLORS.get(each) for each in named] if named else EVERY
    manifests: list[Manifest] = []
    for color in of:
        manifests += lake.manifests(color) if color else [lake.manifest(None, None)]
    standings = [
        each for each in survey(lake, manifests, of=of).standings if each.form is Form.PARQUET
    ]
    demand_whole(standings, lake.store.uri)
    _warn_of_older(standings)
    tables: dict[str, list[tuple[Manifest, StoredObject]]] = {}
    for each in standings:
        if each.found is not None:
            tables.setdefault(each.manifest.table, []).append((each.manifest, each.found))
    return tables


def _warn_of_older(standings: Sequence[Standing]) -> None:
    """Say that months hold what an earlier contract made of their files."""
    older = [
        f"{each.manifest.trip_file or each.manifest.table}"
        for each in standings
        if each.version
        and each.version.facts.contract_version != each.version.facts.current_contract
    ]
    if older:
        _log.warning(
            "Uploaded under an older contract, and to be uploaded again: %s%s.",
            *(", ".join(older[:5]), f" and {len(older) - 5} more" if len(older) > 5 else ""),
        )


def _prepare(
    connection: duckdb.DuckDBPyConnection, spilt: Path, lake: Lake, ahead: Ahead, tables: _Tables
) -> None:
    """Show each colour as a table, then lock the door.

    Raises:
        TargetError: a file in the folder is no Parquet.
    """
    hide_progress(connection)
    connection.execute(f"SET temp_directory = {literal(spilt.as_posix())}")
    allowed: set[str] = set()
    for table, parts in tables.items():
        if isinstance(lake.store, FolderStore):
            files = [lake.store.uri(found.key) for _, found in parts]
            # DuckDB takes * ? [ for a pattern, which could be another lake's, and asks whether it
            # may read the pattern and what it stands for.
            patterns = [glob.escape(each) for each in files]
            allowed.update(files, patterns)
            with _translated(lake):
                _on_disk(connection, patterns, _schema(table)).create_view(table)
        elif table == ZONES_TABLE:
            connection.from_arrow(_zones(lake, parts[0][1])).create_view(table)
        else:
            months = {
                date.fromisoformat(f"{manifest.month}-01"): found for manifest, found in parts
            }
            rows = connection.from_arrow(Months(dataset(_COLORS[table]), months, ahead))
            rows.project(", ".join(map(quoted, _schema(table).names))).create_view(table)
    connection.execute(f"SET allowed_paths = [{', '.join(map(literal, sorted(allowed)))}]")
    for setting in LOCKED_DOWN:
        connection.execute(setting)


def _schema(table: str) -> pa.Schema:
    return zones_schema() if table == ZONES_TABLE else lake_schema(dataset(_COLORS[table]))


def _on_disk(
    connection: duckdb.DuckDBPyConnection, patterns: list[str], schema: pa.Schema
) -> duckdb.DuckDBPyRelation:
    """The files as one table of the contract's columns; a file may be of an earlier contract."""
    rows = connection.read_parquet(patterns, union_by_name=True)
    contract = connection.from_arrow(schema.empty_table())
    columns = (
        f"CAST({quoted(name) if name in rows.columns else 'NULL'} AS {kind}) AS {quoted(name)}"
        for name, kind in zip(contract.columns, contract.types, strict=True)
    )
    return rows.project(", ".join(columns))


def _zones(lake: Lake, found: StoredObject) -> pa.Table:
    """The zone table, which is small.

    Raises:
        TargetError: it cannot be read.
    """
    content = lake.store.read(found, 0, found.size_bytes)
    try:
        return pq.read_table(pa.BufferReader(content), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _meant(lake, error) from error


def _blamed(lake: Lake, ahead: Ahead, error: Exception) -> Exception | None:
    """What is not the statement's fault."""
    if ahead.failure is not None:
        return ahead.failure
    return _meant(lake, error) if is_of_the_target(error) else None


@contextmanager
def _translated(lake: Lake) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise _meant(lake, error) from error


def _meant(lake: Lake, error: Exception) -> TargetError:
    first = " ".join(str(error).split())[:300]
    if first.startswith("Out of Memory"):
        return TargetError(
            f"DuckDB needs more than {_MEMORY} of memory for this: {first}",
            hint="Ask for fewer columns or months, or load the months with `taxietl ingest` into "
            "a warehouse and ask that.",
        )
    return TargetError(
        f"{lake.store.address} cannot be asked: {first}",
        hint="`taxietl lake verify` tells what is wrong with its files.",
    )
