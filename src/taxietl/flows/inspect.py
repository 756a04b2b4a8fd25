"""Look at a month's quality, in a warehouse or in a file. Changes nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pyarrow as pa  # noqa: TID253  this module is loaded when a month is inspected

from taxietl.config import settings
from taxietl.errors import ConfigError, TryLaterError
from taxietl.flows.quality import Facts, Quality, quality_of
from taxietl.load.duckdb import DuckDBLoader
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.table_names import table_name
from taxietl.orchestrator import current_cancellation
from taxietl.steps import registry
from taxietl.steps.protocols import Loader
from taxietl.steps.values import LoadReport, LoadRequest, Tally
from taxietl.tlc.datasets import Column, Kind
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.pipeline import clean_batches


class NotLoadedError(ConfigError):
    """The warehouse does not hold that month."""

    def __init__(self, trip_file: TripFile, table: str, target: str) -> None:
        super().__init__(
            f"{trip_file} is not loaded into {table} of {target}.",
            hint="Load it with `taxietl ingest`, or look at its file: --source FOLDER_OR_FILE.",
        )


def inspect_table(loader: Loader, trip_file: TripFile, table: str | None) -> Quality:
    """A month's quality as its table holds it now.

    Raises:
        NotLoadedError: the month was never loaded there.
        TryLaterError: it was replaced meanwhile.
    """
    table = str(table_name(table or trip_file.dataset.table, loader.schema))
    load = _load(loader, trip_file, table)
    columns = _columns(loader, trip_file, table)
    facts = Facts(loader.quality(trip_file, table, columns))
    if _load(loader, trip_file, table).load_id != load.load_id:
        raise TryLaterError(
            f"{trip_file} in {table} was replaced while it was inspected.", hint="Run again."
        )
    return quality_of(facts, columns, load, origin="table", target=loader.target)


def inspect_file(source: str, trip_file: TripFile) -> Quality:
    """A month's quality as its file has it: every row of it, no rule applied.

    The file is loaded into a DuckDB file that is thrown away, so any era of it is read as `ingest`
    reads it, in the same bounded memory, and asked what a warehouse is asked.

    Raises:
        SourceError: the file cannot be had or read.
        SchemaError: its columns are not those of its colour and month.
    """
    extractor = registry.extractor(source)
    folder = settings().cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    file = extractor.extract(extractor.probe(trip_file), into=folder)
    table = trip_file.dataset.table
    request = LoadRequest(
        version=file.version,
        table=table,
        transforms=(),
        max_rejects=sys.maxsize,
        max_shrink=1.0,
        force=True,  # looked at, whatever it is
        run_id="",
        run_name="",
    )
    with tempfile.TemporaryDirectory(prefix="inspect-", dir=folder) as aside:
        loader = DuckDBLoader(DuckDBProfile(path=Path(aside) / "month.duckdb"))
        batches = _Batches(clean_batches(file, ()))
        load = loader.load(file, batches, request, current_cancellation())
        columns = _columns(loader, trip_file, table)
        facts = Facts(loader.quality(trip_file, table, columns))
    return quality_of(facts, columns, load, origin="file", target=load.source_url)


class _Batches:
    """A generator of batches as a loader pulls it."""

    def __init__(self, batches: Generator[pa.RecordBatch, None, Tally]) -> None:
        self._batches = batches
        self._result: Tally | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._result = yield from self._batches

    @property
    def result(self) -> Tally:
        """What was counted; only after the last batch."""
        assert self._result is not None, "the batches were not pulled to their end"
        return self._result


def _load(loader: Loader, trip_file: TripFile, table: str) -> LoadReport:
    entry = loader.entry(trip_file, table)
    if entry is None or entry.rows_present is None:
        raise NotLoadedError(trip_file, table, loader.target)
    return entry.report


def _columns(loader: Loader, trip_file: TripFile, table: str) -> tuple[Column, ...]:
    """The columns that the table really has."""
    known = {each.name.lower(): each for each in trip_file.dataset.columns}
    return tuple(
        known.get(name.lower(), Column(name, Kind.TEXT, "no era has it"))
        for name in loader.columns(table)
        if name != "source_month"
    )
