"""The profile type `sqlite`: a file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

import sqlalchemy

from taxietl.config import DatabaseProfile
from taxietl.config.paths import ConfigPath, Surroundings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.load.places import check_can_be_made


class SqliteProfile(DatabaseProfile):
    """A SQLite file."""

    url_schemes: ClassVar[tuple[str, ...]] = ("sqlite",)
    url_form: ClassVar[str] = "sqlite:///FILE"
    example: ClassVar[str] = """\
#[profiles.lite]
#type = "sqlite"
#path = "taxi.sqlite"
"""

    type: Literal["sqlite"] = "sqlite"
    path: ConfigPath

    @classmethod
    def from_url(
        cls, url: str, *, secret: SecretReference | LiteralSecret, around: Surroundings
    ) -> Self:
        """`sqlite:///FILE`; four slashes begin an absolute path."""
        path = url.partition(":///")[2]
        if not path:
            raise ValueError("names no SQLite file: write sqlite:///taxi.sqlite")
        return cls.model_validate({"path": path}, context=around)

    @property
    def disk_path(self) -> Path:
        """The file's."""
        return self.path

    def engine(self) -> sqlalchemy.Engine:
        """An engine that only reads."""
        return sqlalchemy.create_engine(f"sqlite:///file:{self.path}?mode=ro&uri=true")

    def check(self) -> str:
        """Open the file, if it is there."""
        if not self.path.exists():
            check_can_be_made(self.path)
            return f"There is no {self.path} yet; the first load makes it."
        from taxietl_sqlite.file import opened

        with opened(self.path, read_only=True) as connection:
            ((version,),) = connection.execute("SELECT sqlite_version()")
        return f"SQLite file {self.path} opens with SQLite {version}."

    def snippet(self, name: str) -> str:
        """Lines for a flow."""
        return f"""\
from sqlalchemy import text
from taxietl import profile

with profile("{name}").engine().connect() as connection:
    rows = connection.execute(text("SELECT count(*) FROM yellow_trips")).all()
"""
