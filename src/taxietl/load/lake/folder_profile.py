"""The profile type `folder`: a lake on disk, laid out as one in a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from taxietl.config.lakes import LakeProfile
from taxietl.config.paths import ConfigPath
from taxietl.errors import TargetError
from taxietl.findings import Finding
from taxietl.load.places import check_can_be_made

if TYPE_CHECKING:
    from taxietl.load.lake.folder import FolderStore


class FolderProfile(LakeProfile):
    """A lake on disk, laid out as the one in a bucket."""

    example: ClassVar[str] = """\
#[profiles.disk-lake]
#type = "folder"
#path = "lake"
#key = "data/{color}/{color}_tripdata_{year}-{month:02d}.parquet"  # file of a month
"""

    type: Literal["folder"] = "folder"
    path: ConfigPath

    @property
    def disk_path(self) -> Path:
        """The folder's."""
        return self.path

    def check(self) -> str:
        """See `Profile.check`."""
        path = self.path
        if not path.exists():
            check_can_be_made(path)
            return f"There is no folder {path} yet; the first upload makes it."
        if not path.is_dir():
            raise TargetError(
                f"{path} is not a folder.", hint="Name another `path` in the profile."
            )
        if not os.access(path, os.W_OK | os.X_OK):
            raise TargetError(
                f"This user may not write to the folder {path}.",
                hint="Check its owner and its mode.",
            )
        return f"The folder {path} is there and can be written."

    def open_store(self) -> FolderStore:
        """See `LakeProfile.open_store`."""
        from taxietl.load.lake.folder import FolderStore

        return FolderStore(self.path)

    def check_contents(self) -> Iterator[Finding]:
        """See `Profile.check_contents`: by a list of the files."""
        from taxietl.load.lake.contents import contents
        from taxietl.load.lake.lake import Lake

        return contents(Lake(self), self.name) if self.path.is_dir() else iter(())

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

lake = profile("{name}")
january = lake.path / lake.object_key(color="yellow", year=2021, month=1)
"""
