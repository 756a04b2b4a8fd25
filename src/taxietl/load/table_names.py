"""Where a month goes by `--table NAME` or `--table SCHEMA.NAME`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.errors import ConfigError
from taxietl.load.sql import quoted

PARTS = "taxietl_parts"
"""The schema of PostgreSQL's partitions."""

_TAKEN = ("information_schema", PARTS)
_HINT = "Write --table NAME or --table SCHEMA.NAME, without quotes."


@dataclass(frozen=True)
class TableName:
    """A table, and the schema it lies in."""

    schema: str
    name: str
    is_elsewhere: bool
    """Whether the schema is another than the warehouse's own, where the ledger is."""

    def __str__(self) -> str:
        """As the ledger has it: the name alone where the schema is the warehouse's own."""
        return f"{self.schema}.{self.name}" if self.is_elsewhere else self.name

    @property
    def sql(self) -> str:
        """As an SQL identifier."""
        own = quoted(self.name)
        return f"{quoted(self.schema)}.{own}" if self.is_elsewhere else own


def table_name(text: str, own_schema: str) -> TableName:
    """The table that somebody means.

    Args:
        text: what was typed, or stands in the ledger.
        own_schema: the warehouse's; DuckDB's `main`, which no capitals tell apart.

    Raises:
        ConfigError: it is no name, has more than two parts, or its schema is for other things.
    """
    *schemas, name = text.split(".")
    parts = [*schemas, name]
    if len(schemas) > 1 or not all(each.strip() for each in parts):
        raise ConfigError(f"{text!r} is no table's name.", hint=_HINT)
    if '"' in text or ";" in text or not text.isprintable():
        raise ConfigError(
            f"{text!r} is no table's name: quotes, semicolons and control characters are refused.",
            hint=_HINT,
        )
    schema = schemas[0] if schemas else own_schema
    if schemas and (schema.lower() in _TAKEN or schema.lower().startswith("pg_")):
        raise ConfigError(
            f"The schema {schema} is none for tables of trips: the database or taxietl keeps its "
            "own things there.",
            hint="Name another one: --table SCHEMA.NAME.",
        )
    is_own = schema == own_schema or (own_schema == "main" and schema.lower() == own_schema)
    return TableName(own_schema if is_own else schema, name, not is_own)
