"""The few words in which SQL databases differ; all else here is said alike in each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """Templates for `str.format`, each of one SQL expression, or of a time as ISO 8601 has it."""

    tables: str = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
    """A whole query: the names of the tables of the loader's schema, also those that the user has
    no rights on, who is to be told so."""

    seconds: str = "date_part('epoch', {})"
    """Of a time, since 1970."""

    minute: str = "date_part('minute', {})"
    hour: str = "date_part('hour', {})"
    day: str = "CAST({} AS DATE)"
    date: str = "DATE '{}'"
    time: str = "TIMESTAMP '{}'"


POSTGRES = Dialect()
"""PostgreSQL's words, which DuckDB takes, too."""
