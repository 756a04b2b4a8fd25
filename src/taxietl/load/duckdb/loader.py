"""Replace a month in a DuckDB file: rows, ledger row and rejects in one transaction.

The file's own lock is the month's lock. Rows are pulled by DuckDB itself from the stream, which
reads and parses ahead in threads of its own, and neither holds the month in memory.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb  # noqa: TID253  imported only where a DuckDB file is used
import pyarrow as pa  # noqa: TID253

from taxietl.load.checks import check_counts, check_month, check_shrink
from taxietl.load.duckdb.file import ONE_TRY_SECONDS, opened
from taxietl.load.duckdb.month import DuckDBMonth
from taxietl.load.duckdb.query import queried
from taxietl.load.duckdb.tables import SCHEMA
from taxietl.load.duckdb.zone_tables import ZoneTables
from taxietl.load.ledger import repairable
from taxietl.load.reports import nothing_to_do, report_of_load
from taxietl.load.sql_warehouse import SqlWarehouse
from taxietl.steps.plan import decide
from taxietl.steps.protocols import NEVER, Batches, Cancellation
from taxietl.steps.values import Entry, LoadReport, LoadRequest, SourceFile
from taxietl.steps.zones import ZoneReport, ZoneRequest
from taxietl.steps.zones import decide as decide_zones
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from taxietl.load.duckdb.profile import DuckDBProfile


LOAD_MEMORY, QUERY_MEMORY = "200MB", "400MB"
"""What DuckDB's buffers may use, unless the profile says otherwise."""


# Rows need not lie as in the file: so two threads write, and a month of 1,369,765 rows takes 1.65 s
# instead of 1.9 s from csv.gz, 0.7 s instead of 1.1 s from Parquet. More would wait for the stream,
# and each holds rows.
_FOR_LOADS = ("SET preserve_insertion_order = false", "SET threads = 2")


class DuckDBLoader(SqlWarehouse):
    """The loader for profiles of type `duckdb`."""

    takes_connections = False
    schema = SCHEMA

    def __init__(self, profile: DuckDBProfile) -> None:
        self._path = Path(profile.path)
        self._memory_limit = profile.memory_limit
        self.target = str(self._path)

    def entry(self, trip_file: TripFile, table: str) -> Entry | None:
        """The month's current row in the ledger; None without one, or without a file."""
        if not self._path.exists():
            return None
        limit = self._memory_limit or LOAD_MEMORY
        with opened(self._path, read_only=True, memory_limit=limit) as connection:
            return DuckDBMonth(connection, trip_file, table, self.target).entry()

    def query(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """See `protocols.Loader.query`; what counts as reading is told in `duckdb.query`."""
        limit = self._memory_limit or QUERY_MEMORY
        return queried(self._path, statement, memory_limit=limit)

    def query_at_once(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """See `SqlWarehouse.query_at_once`."""
        limit = self._memory_limit or QUERY_MEMORY
        return queried(self._path, statement, memory_limit=limit, patience_seconds=ONE_TRY_SECONDS)

    def kept_open(self) -> AbstractContextManager[object]:
        """See `protocols.OwnedByOne.kept_open`; there is nothing to open before the first load."""
        if not self._path.exists():
            return nullcontext()
        limit = self._memory_limit or LOAD_MEMORY
        return opened(self._path, read_only=True, memory_limit=limit)

    def plan_zones(self, request: ZoneRequest) -> tuple[str, str]:
        """See `zones.ZoneLoader.plan_zones`."""
        if not self._path.exists():
            return decide_zones(request, None, None)
        limit = self._memory_limit or LOAD_MEMORY
        with opened(self._path, read_only=True, memory_limit=limit) as connection:
            return ZoneTables(connection, self.target).plan(request)

    def load_zones(self, request: ZoneRequest, cancellation: Cancellation) -> ZoneReport:
        """See `zones.ZoneLoader.load_zones`."""
        limit = self._memory_limit or LOAD_MEMORY
        with opened(
            self._path, read_only=False, memory_limit=limit, check=cancellation.check
        ) as connection:
            connection.begin()
            report = ZoneTables(connection, self.target).replace(request)
            connection.commit()  # closing the connection without it would undo all
            return report

    def load(
        self, file: SourceFile, batches: Batches, request: LoadRequest, cancellation: Cancellation
    ) -> LoadReport:
        """See `protocols.Loader.load`."""
        with (
            opened(
                self._path,
                read_only=False,
                memory_limit=self._memory_limit or LOAD_MEMORY,
                check=cancellation.check,
            ) as connection,
            cancellation.on_cancel(connection.interrupt),
        ):
            for setting in _FOR_LOADS:
                connection.execute(setting)
            try:
                return self._replaced(connection, file, batches, request, cancellation)
            except duckdb.Error:
                cancellation.check()  # an interrupted statement fails; this says why
                raise

    def drop(
        self,
        trip_file: TripFile,
        table: str,
        *,
        run_name: str,  # noqa: ARG002  the file's lock names a process
        cancellation: Cancellation = NEVER,
    ) -> Entry | None:
        """See `protocols.Dropper.drop`; the file's lock is the month's."""
        if not self._path.exists():
            return None
        limit = self._memory_limit or LOAD_MEMORY
        with opened(
            self._path, read_only=False, memory_limit=limit, check=cancellation.check
        ) as connection:
            connection.begin()
            entry = DuckDBMonth(connection, trip_file, table, self.target).drop()
            cancellation.check()
            connection.commit()  # closing the connection without it would undo all
            return entry

    def _replaced(
        self,
        connection: duckdb.DuckDBPyConnection,
        file: SourceFile,
        batches: Batches,
        request: LoadRequest,
        cancellation: Cancellation,
    ) -> LoadReport:
        month = DuckDBMonth(connection, request.trip_file, request.table, self.target)
        connection.begin()
        try:
            entry = repairable(month.entry, force=request.force)
            plan = decide(
                file.version,
                file.sha256,
                entry,
                transforms=request.transforms,
                force=request.force,
                same_bytes_as=month.loaded_from(file.sha256),
            ).allowed()
            if plan.action == "nothing" and entry is not None:
                connection.rollback()
                return nothing_to_do(entry, plan, file)
            month.write(batches, check=cancellation.check)
            tally = batches.result
            rows, stats = month.counted()
            check_month(tally.pickups, request)
            check_counts(tally, rows, request)
            check_shrink(rows, entry, request)
            report = report_of_load(
                str(uuid.uuid4()),
                plan=plan,
                file=file,
                tally=tally,
                rows=rows,
                stats=stats,
                request=request,
                entry=entry,
                target=self.target,
            )
            month.record(report, tally.recorded_notes)
            cancellation.check()  # an interrupt between two statements stops neither
            connection.commit()
        except BaseException:
            # A fatal error, a full disk for one, has closed the transaction already.
            with suppress(duckdb.Error):
                connection.rollback()
            raise
        return report
