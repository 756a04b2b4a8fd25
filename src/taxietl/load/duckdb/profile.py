"""The profile type `duckdb`: a file, by default the one under TAXIETL_HOME."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import ValidationInfo, field_validator, model_validator

from taxietl.config.base import DatabaseProfile
from taxietl.config.paths import ConfigPath, Surroundings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.findings import Finding

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from sqlalchemy import Engine

# What `SET memory_limit` takes in DuckDB 1.5 and 2.0, less the sizes no load can live on.
_MEMORY = re.compile(r"\d+(\.\d+)?\s*[KMGT](i?B)?", re.IGNORECASE)


class DuckDBProfile(DatabaseProfile):
    """A DuckDB file; without a `path`, the one under TAXIETL_HOME."""

    url_schemes: ClassVar[tuple[str, ...]] = ("duckdb",)
    url_form: ClassVar[str] = "duckdb:///FILE"
    example: ClassVar[str] = """\
#[profiles.local]
#type = "duckdb"
#path = "taxi.duckdb"           # left out: taxi.duckdb under TAXIETL_HOME
#memory_limit = "400MB"         # the most memory DuckDB may take
"""

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

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        secret: SecretReference | LiteralSecret,  # noqa: ARG003 - a file has none
        around: Surroundings,
    ) -> Self:
        """`duckdb:///FILE`, as SQLAlchemy writes it: four slashes begin an absolute path."""
        rest = url.partition("://")[2]
        if not rest.startswith("/") or rest == "/" or "?" in rest:
            raise ValueError(
                "names no DuckDB file: write duckdb:///taxi.duckdb, or duckdb:////data/taxi.duckdb "
                "for a path from the root; options are for a profile"
            )
        return cls.model_validate({"path": rest[1:]}, context=around)

    @property
    def disk_path(self) -> Path:
        """The file's."""
        return self.path

    def connect(self) -> DuckDBPyConnection:
        """An open DuckDB connection; one process at a time can hold the file."""
        from taxietl.load.duckdb.engine import connect_duckdb

        return connect_duckdb(self.path, self.memory_limit, self.name)

    def engine(self) -> Engine:
        """See `DatabaseProfile`; nothing else of this process may have the file open to write."""
        from taxietl.load.duckdb.engine import duckdb_engine

        return duckdb_engine(self.path, self.memory_limit, self.name)

    def check(self) -> str:
        """See `Profile.check`."""
        from taxietl.load.duckdb.check import check

        return check(self.path, self.memory_limit)

    def check_contents(self) -> Iterator[Finding]:
        """See `Profile.check_contents`: every month is counted, by its columns' summaries."""
        from taxietl.load.duckdb.contents import contents

        return contents(self.path, self.memory_limit, self.name)

    def snippet(self, name: str) -> str:
        query = '"SELECT count(*) FROM trips"'
        return f"""\
from taxietl import profile

with profile("{name}").connect() as connection:
    rows = connection.execute({query}).fetchall()
"""
