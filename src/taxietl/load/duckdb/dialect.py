"""As much of a SQLAlchemy dialect as it takes to ask a DuckDB file something, with pandas too.

It knows neither DuckDB's types nor its catalogue: statements are text, and tables are not
reflected. The package duckdb-engine has all that; here it would be one more that every
installation needs, for the one thing that `taxietl.connect()` is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import registry  # noqa: TID253  loaded when an engine is made
from sqlalchemy.engine.default import DefaultDialect  # noqa: TID253

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

URL = "duckdb+taxietl://"

_BATCH_ROWS = 16_384


class DuckDBDialect(DefaultDialect):
    """Statements as they are, values for `?`."""

    name = "duckdb"
    driver = "taxietl"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module with DuckDB's errors."""
        import duckdb

        return duckdb

    def has_table(self, *_: Any, **__: Any) -> bool:
        """What pandas asks of `read_sql`'s text: whether it is a table's name."""
        return False


class ReadingConnection:
    """Opens the file anew, to read, for each statement, and has it open only while that one runs.

    So a connection that somebody keeps, or forgets, keeps no load out.
    """

    def __init__(self, opened: Callable[[], DuckDBPyConnection]) -> None:
        self._opened = opened
        opened().close()  # what stands in the way is said when one connects

    def cursor(self) -> Cursor:
        """For one statement at a time."""
        return Cursor(self._opened())

    def commit(self) -> None:
        """Nothing was changed."""

    rollback = close = commit


class Cursor:
    """DuckDB's, its rows by way of Arrow: by itself it needs pytz for a time with a zone."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self.description: list[tuple[Any, ...]] | None = None

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Ask; the rows are made as they are fetched."""
        answer = self._connection.sql(statement, params=list(parameters))
        self.description, self._rows = None, iter(())
        if answer is not None:
            self.description = [(name, *[None] * 6) for name in answer.columns]
            self._rows = _rows(answer)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """So many more."""
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rest."""
        return list(self._rows)

    def close(self) -> None:
        """Forget what was not fetched, and let go of the file."""
        self._rows = iter(())
        self._connection.close()


def _rows(answer: DuckDBPyRelation) -> Iterator[tuple[Any, ...]]:
    for batch in answer.to_arrow_reader(_BATCH_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


registry.register("duckdb.taxietl", __name__, DuckDBDialect.__name__)
