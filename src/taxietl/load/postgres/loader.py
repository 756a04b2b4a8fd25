"""Replace a month in PostgreSQL: partition, ledger row and rejects in one transaction.

An advisory lock is the month's lock; the server lets go of it with the transaction, however that
ends. Rows are encoded straight from the stream while the server takes them, so reading, conforming,
encoding and writing go on at once, and none of them holds the month in memory. On request the rows
go over several connections, into a table that is made and filled before the transaction swaps it.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

import psycopg2  # noqa: TID253  imported only where a PostgreSQL database is used
import pyarrow as pa  # noqa: TID253

from taxietl.load.postgres.connection import Session, opened
from taxietl.load.postgres.errors import target_of
from taxietl.load.postgres.locks import SWAP_PATIENCE_SECONDS
from taxietl.load.postgres.month import PostgresMonth
from taxietl.load.postgres.partition import make_schema
from taxietl.load.postgres.query import queried
from taxietl.load.postgres.staging import Staging, sweep
from taxietl.load.postgres.zone_tables import ZoneTables
from taxietl.load.replacement import replace_month
from taxietl.load.reports import NOTHING_TO_DO
from taxietl.load.sql_warehouse import SqlWarehouse
from taxietl.steps.protocols import NEVER, Batches, Cancellation
from taxietl.steps.values import Entry, LoadReport, LoadRequest, SourceFile
from taxietl.steps.zones import ZoneReport, ZoneRequest
from taxietl.tlc.trip_file import TripFile

if TYPE_CHECKING:
    from taxietl.load.postgres.profile import PostgresProfile


class PostgresLoader(SqlWarehouse):
    """The loader for profiles of type `postgres`."""

    takes_connections = True

    def __init__(
        self, profile: PostgresProfile, *, swap_patience_seconds: float = SWAP_PATIENCE_SECONDS
    ) -> None:
        """`swap_patience_seconds`: how long a load tries to get its month's place."""
        self._swap_patience_seconds = swap_patience_seconds
        self._parameters = profile.libpq_parameters()
        self.schema = self._schema = profile.schema_name
        self.target = target_of(self._parameters)

    def entry(self, trip_file: TripFile, table: str) -> Entry | None:
        """The month's current row in the ledger; None without one."""
        with opened(self._parameters, target=self.target, read_only=True) as session:
            session.begin()
            return PostgresMonth(session, self._schema, trip_file, table, self.target).entry()

    def query(self, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
        """See `protocols.Loader.query`; what counts as reading is told in `postgres.query`."""
        return queried(self._parameters, statement, schema=self._schema, target=self.target)

    def plan_zones(self, request: ZoneRequest) -> tuple[str, str]:
        """See `zones.ZoneLoader.plan_zones`."""
        with opened(self._parameters, target=self.target, read_only=True) as session:
            session.begin()
            return ZoneTables(session, self._schema, self.target).plan(request)

    def load_zones(self, request: ZoneRequest, cancellation: Cancellation) -> ZoneReport:
        """See `zones.ZoneLoader.load_zones`."""
        name = request.run_name
        with (
            opened(self._parameters, target=self.target, run_name=name) as session,
            cancellation.on_cancel(session.cancel),
        ):
            try:
                session.begin()
                report = ZoneTables(session, self._schema, self.target).replace(request)
                cancellation.check()  # a cancel between two statements stops neither
                session.commit()
            except psycopg2.Error:
                cancellation.check()  # a cancelled statement fails; this says why
                raise
            return report

    def load(
        self, file: SourceFile, batches: Batches, request: LoadRequest, cancellation: Cancellation
    ) -> LoadReport:
        """See `protocols.Loader.load`."""
        connect = functools.partial(
            opened, self._parameters, target=self.target, run_name=request.run_name
        )
        several = request.connections > 1
        staging = Staging(connect, request.connections, cancellation) if several else None
        with connect() as session, cancellation.on_cancel(session.cancel):
            try:
                return self._replaced(session, file, batches, request, cancellation, staging)
            except BaseException as error:
                if staging is not None:
                    with suppress(psycopg2.Error):
                        session.rollback()
                    staging.drop()
                if isinstance(error, psycopg2.Error):
                    cancellation.check()  # a cancelled statement fails; this says why
                raise

    def drop(
        self, trip_file: TripFile, table: str, *, run_name: str, cancellation: Cancellation = NEVER
    ) -> Entry | None:
        """See `protocols.Dropper.drop`."""
        with (
            opened(self._parameters, target=self.target, run_name=run_name) as session,
            cancellation.on_cancel(session.cancel),
        ):
            try:
                session.begin()
                month = PostgresMonth(
                    *(session, self._schema, trip_file, table, self.target),
                    check=cancellation.check,
                    swap_patience_seconds=self._swap_patience_seconds,
                )
                month.take()
                entry = month.drop()
                cancellation.check()  # a cancel between two statements stops neither
                session.commit()
            except psycopg2.Error:
                cancellation.check()  # a cancelled statement fails; this says why
                raise
            return entry

    def _replaced(
        self,
        session: Session,
        file: SourceFile,
        batches: Batches,
        request: LoadRequest,
        cancellation: Cancellation,
        staging: Staging | None,
    ) -> LoadReport:
        make_schema(session)
        sweep(session)
        session.begin()
        month = PostgresMonth(
            *(session, self._schema, request.trip_file, request.table, self.target),
            check=cancellation.check,
            swap_patience_seconds=self._swap_patience_seconds,
            staging=staging,
        )
        month.take()
        report = replace_month(month, file, batches, request, target=self.target)
        if report.action == NOTHING_TO_DO:
            return report
        month.swap()
        cancellation.check()  # a cancel between two statements stops neither
        session.commit()
        _analyze(session, month)
        return report


def _analyze(session: Session, month: PostgresMonth) -> None:
    """The month is loaded: whatever keeps the planner's numbers from being renewed may do so."""
    with suppress(psycopg2.Error):
        session.begin()
        month.analyze_table()
        session.commit()
