"""The profile type `postgres`: a server's database, by its parts or by a `url`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from taxietl.config.base import DatabaseProfile, Text, refuse_bool
from taxietl.config.paths import ConfigPath, Surroundings
from taxietl.config.secrets import LiteralSecret, Secret, SecretReference
from taxietl.findings import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_PLAIN_NAME = re.compile("[a-z_][a-z0-9_]*")
_NAME_BYTES = 63
_POSTGRES_URL = re.compile(r"postgres(ql)?(\+\w+)?://")


_BY_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE"}
)
"""Parts that have a default of ours, which libpq would take from the environment."""


_PARTS = frozenset({"host", "port", "database", "user", "password", "sslmode", "sslrootcert"})


class PostgresProfile(DatabaseProfile):
    """A PostgreSQL database, by its parts or by a `url`."""

    secret_keys: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"url": "DATABASE_URL", "password": "PGPASSWORD"}
    )
    replaces: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType({"url": _PARTS})
    url_schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    url_form: ClassVar[str] = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    example: ClassVar[str] = """\
#[profiles.warehouse]
#type = "postgres"
#host = "localhost"             # or an address, a unix socket's folder; left out: PGHOST, or this
#port = 5432                    # left out: PGPORT, or this
#database = "ny_taxi"           # left out: the database named like the user
#schema = "public"              # where the trip tables go
#user = "root"                  # left out: your name on this machine
#password = { env = "PGPASSWORD" }  # left out: PGPASSWORD, or ~/.pgpass
#sslmode = "prefer"             # disable, allow, prefer, require, verify-ca, verify-full; PGSSLMODE
#sslrootcert = "root.crt"       # whose signature counts for verify-…; left out: PGSSLROOTCERT

#[profiles.by-url]
#type = "postgres"
#url = { env = "DATABASE_URL" }  # postgresql://…; in place of all the above but schema
"""

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
        if self.url is not None and (both := self.model_fields_set & _PARTS):
            raise ValueError(f"has both url and {', '.join(sorted(both))}: give one or the other")
        return self

    @classmethod
    def from_url(
        cls,
        url: str,  # noqa: ARG003 - it is the secret
        *,
        secret: SecretReference | LiteralSecret,
        around: Surroundings,  # noqa: ARG003
    ) -> Self:
        """See `Profile.from_url`."""
        return cls(url=secret)

    def libpq_parameters(self) -> dict[str, str]:
        """libpq's keywords (`host`, `dbname`, `password`, …), secrets looked up now.

        What is not configured is left out, so that libpq's own defaults (PGPASSWORD,
        ~/.pgpass, the system's user) hold.

        Raises:
            ConfigError: a secret is not at hand, or the url is none.
        """
        if self.url is not None:
            from taxietl.load.postgres.engine import parse_postgres_url

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
        from taxietl.load.postgres.engine import postgres_engine

        return postgres_engine(self.libpq_parameters(), self.name).connect()

    def engine(self) -> Engine:
        """See `DatabaseProfile`; it finds the schema's tables without its name."""
        from taxietl.load.postgres.engine import postgres_engine

        return postgres_engine(self.libpq_parameters(), self.name, read_only_in=self.schema_name)

    def check(self) -> str:
        """See `Profile.check`."""
        from taxietl.load.postgres.check import check

        return check(self.libpq_parameters(), self.schema_name)

    def check_contents(self) -> Iterator[Finding]:
        """See `Profile.check_contents`: by the catalog alone."""
        from taxietl.load.postgres.contents import contents

        return contents(self.libpq_parameters(), self.schema_name, self.name)

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
