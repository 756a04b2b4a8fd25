"""Profiles of the databases that trips are loaded into: PostgreSQL and DuckDB."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from taxietl.config.base import Profile, Text, refuse_bool
from taxietl.config.paths import ConfigPath, Surroundings
from taxietl.config.secrets import LiteralSecret, Secret, SecretReference

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Connection, Engine

# What `SET memory_limit` takes in DuckDB 1.5 and 2.0, less the sizes no load can live on.
_MEMORY = re.compile(r"\d+(\.\d+)?\s*[KMGT](i?B)?", re.IGNORECASE)
_PLAIN_NAME = re.compile("[a-z_][a-z0-9_]*")
_NAME_BYTES = 63
_POSTGRES_URL = re.compile(r"postgres(ql)?(\+\w+)?://")


_BY_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE"}
)
"""Parts that have a default of ours, which libpq would take from the environment."""


class DatabaseProfile(Profile):
    """A database that is asked in SQL."""

    def engine(self) -> Engine:
        """A SQLAlchemy engine that only reads, and keeps nothing open between its uses."""
        raise NotImplementedError


class PostgresProfile(DatabaseProfile):
    """A PostgreSQL database, by its parts or by a `url`."""

    secret_keys: ClassVar[tuple[str, ...]] = ("url", "password")

    type: Literal["postgres"] = "postgres"
    url: Secret | None = None
    host: Text = "localhost"
    port: Annotated[int, BeforeValidator(refuse_bool), Field(ge=1, le=65535)] = 5432
    database: Text | None = None
    # `schema` is taken by pydantic's BaseModel.
    schema_name: Text = Field(default="public", alias="schema")
    user: Text | None = None
    password: Secret | None = None
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: ConfigPath | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_environment(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "url" in given:
            return given  # libpq fills in what a url leaves out
        found = {part: os.environ.get(name) for part, name in _BY_ENVIRONMENT.items()}
        return {part: value for part, value in found.items() if value} | given

    @field_validator("url")
    @classmethod
    def _check_url(
        cls, url: SecretReference | LiteralSecret | None
    ) -> SecretReference | LiteralSecret | None:
        if isinstance(url, LiteralSecret) and not _POSTGRES_URL.match(url.value.get_secret_value()):
            raise ValueError("must begin with postgresql://")
        return url

    @field_validator("host", "database")
    @classmethod
    def _check_no_address(cls, part: str | None) -> str | None:
        if part and "://" in part:
            raise ValueError("must not be an address: that belongs in url")
        return part

    @field_validator("schema_name")
    @classmethod
    def _check_schema(cls, schema: str) -> str:
        if len(schema.encode()) > _NAME_BYTES:  # PostgreSQL would take the first ones for the name
            raise ValueError(f"is longer than PostgreSQL's {_NAME_BYTES} bytes")
        return schema

    @model_validator(mode="after")
    def _check_url_stands_alone(self) -> Self:
        if self.url is not None and (both := self.model_fields_set & self._parts()):
            raise ValueError(f"has both url and {', '.join(sorted(both))}: give one or the other")
        return self

    @staticmethod
    def _parts() -> frozenset[str]:
        return frozenset({"host", "port", "database", "user", "password", "sslmode", "sslrootcert"})

    def _unused(self) -> frozenset[str]:
        return self._parts() if self.url is not None else frozenset()

    def libpq_parameters(self) -> dict[str, str]:
        """libpq's keywords (`host`, `dbname`, `password`, …), secrets looked up now.

        What is not configured is left out, so that libpq's own defaults (PGPASSWORD,
        ~/.pgpass, the system's user) hold.

        Raises:
            ConfigError: a secret is not at hand, or the url is none.
        """
        if self.url is not None:
            from taxietl.config.database_connections import parse_postgres_url

            return parse_postgres_url(self._reveal("url", self.url), self.setting("url"))
        given = {
            "host": self.host,
            "port": str(self.port),
            "dbname": self.database,
            "user": self.user,
            "password": self._reveal("password", self.password) if self.password else None,
            "sslmode": self.sslmode,
            "sslrootcert": str(self.sslrootcert) if self.sslrootcert else None,
        }
        return {keyword: value for keyword, value in given.items() if value is not None}

    def connect(self) -> Connection:
        """An open SQLAlchemy connection, of its own; closing it closes the database's."""
        from taxietl.config.database_connections import postgres_engine

        return postgres_engine(self.libpq_parameters(), self.name).connect()

    def engine(self) -> Engine:
        """See `DatabaseProfile`; it finds the schema's tables without its name."""
        from taxietl.config.database_connections import postgres_engine

        return postgres_engine(self.libpq_parameters(), self.name, read_only_in=self.schema_name)

    def snippet(self, name: str) -> str:
        schema = self.schema_name
        if not _PLAIN_NAME.fullmatch(schema):
            schema = '"' + schema.replace('"', '""') + '"'
        query = f"SELECT count(*) FROM {schema}.trips"  # noqa: S608 - shown, not run
        text = f'"{query}"' if '"' not in query else repr(query)
        return f"""\
from sqlalchemy import text
from taxietl import profile

with profile("{name}").connect() as connection:
    rows = connection.execute(text({text})).all()
"""


class DuckDBProfile(DatabaseProfile):
    """A DuckDB file; without a `path`, the one under TAXIETL_HOME."""

    type: Literal["duckdb"] = "duckdb"
    path: ConfigPath
    memory_limit: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in_path(cls, given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, dict) and isinstance(info.context, Surroundings):
            return {"path": info.context.home / "taxi.duckdb", **given}
        return given

    @field_validator("path", mode="before")
    @classmethod
    def _refuse_memory(cls, path: object) -> object:
        if isinstance(path, str) and path.startswith(":"):
            raise ValueError("must be a file: what is in memory is gone when the command ends")
        return path

    @field_validator("memory_limit")
    @classmethod
    def _check_memory_limit(cls, limit: str | None) -> str | None:
        if limit is not None and not (_MEMORY.fullmatch(limit) and re.search("[1-9]", limit)):
            raise ValueError('must be a size like "400MB" or "2GB"')
        return limit

    def connect(self) -> DuckDBPyConnection:
        """An open DuckDB connection; one process at a time can hold the file."""
        from taxietl.config.database_connections import connect_duckdb

        return connect_duckdb(self.path, self.memory_limit, self.name)

    def engine(self) -> Engine:
        """See `DatabaseProfile`; nothing else of this process may have the file open to write."""
        from taxietl.config.database_connections import duckdb_engine

        return duckdb_engine(self.path, self.memory_limit, self.name)

    def snippet(self, name: str) -> str:
        query = '"SELECT count(*) FROM trips"'
        return f"""\
from taxietl import profile

with profile("{name}").connect() as connection:
    rows = connection.execute({query}).fetchall()
"""
