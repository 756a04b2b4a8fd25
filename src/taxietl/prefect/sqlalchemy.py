"""`prefect_sqlalchemy`: a PostgreSQL profile as its connector has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Self

from taxietl.load.postgres.profile import PostgresProfile
from taxietl.prefect.blocks.profiles import Block, profile_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult

_LINES = 'type = "postgres"\nurl = { env = "DATABASE_URL" }'


class SqlAlchemyConnector(Block):
    """Connections of a profile; as a context manager it closes what its own methods opened."""

    _profile: PostgresProfile
    _open: Connection | None
    _results: dict[str, CursorResult[Any]]

    @classmethod
    def load(cls, name: str) -> Self:
        """The profile of that name."""
        block = cls.__new__(cls)
        block._profile = profile_of(name, PostgresProfile, _LINES)
        block._open, block._results = None, {}
        return block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection of the methods below."""
        self.reset_cursors()
        if self._open is not None:
            self._open.close()
            self._open = None

    def get_connection(self, begin: bool = True) -> AbstractContextManager[Connection]:
        """A connection of its own, closed at the end of its block.

        Args:
            begin: in one transaction, which the end of the block commits.
        """
        connection = self._profile.connect()
        return _committing(connection) if begin else connection

    def execute(self, operation: str, parameters: dict[str, Any] | None = None, **_: Any) -> None:
        """Run a statement, and commit it."""
        self._run(operation, parameters)
        self._connection().commit()

    def execute_many(self, operation: str, seq_of_parameters: list[dict[str, Any]]) -> None:
        """Run a statement with each of those, and commit all together."""
        self._run(operation, seq_of_parameters)
        self._connection().commit()

    def fetch_one(self, operation: str, parameters: dict[str, Any] | None = None) -> Any:
        """The next row of a query's; None after the last."""
        return self._next(operation, parameters).fetchone()

    def fetch_many(
        self, operation: str, parameters: dict[str, Any] | None = None, size: int | None = None
    ) -> Sequence[Any]:
        """The next rows of a query's, one if no size is given."""
        return self._next(operation, parameters).fetchmany(size or 1)

    def fetch_all(self, operation: str, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        """The rest of a query's rows."""
        return self._next(operation, parameters).fetchall()

    def reset_cursors(self) -> None:
        """Let every query begin anew."""
        for result in self._results.values():
            result.close()
        self._results = {}

    def _next(self, operation: str, parameters: dict[str, Any] | None) -> CursorResult[Any]:
        """The result of a query, which is the same until it is reset."""
        key = f"{operation} {sorted((parameters or {}).items())}"
        if key not in self._results:
            self._results[key] = self._run(operation, parameters)
        return self._results[key]

    def _run(self, operation: str, parameters: Any) -> CursorResult[Any]:
        from sqlalchemy import text

        return self._connection().execute(text(operation), parameters)

    def _connection(self) -> Connection:
        if self._open is None:
            self._open = self._profile.connect()
        return self._open


@contextmanager
def _committing(connection: Connection) -> Iterator[Connection]:
    with connection, connection.begin():
        yield connection
