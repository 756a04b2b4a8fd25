"""Lakes of either kind, and what a test does to them behind taxietl's back."""

from __future__ import annotations

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import google_crc32c  # noqa: F401  the C one, or uploads would be slow
from gcs import Gcs
from gcs_bucket import QUANTUM

from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.checksum import crc32c_of
from taxietl.load.lake.folder import FolderStore
from taxietl.load.lake.folder_profile import FolderProfile
from taxietl.load.lake.gcs import GcsStore
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.patience import Patience
from taxietl.load.lake.store import Store
from taxietl.load.lake.values import Facts, Form, Version
from taxietl.steps.protocols import NEVER, Cancellation, untold
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("yellow", 2021, 1)
KEY = "data/yellow/yellow_tripdata_2021-01.parquet"
MANIFEST = "_taxietl/yellow/2021-01.json"


@dataclass
class Slept:
    """Notes how long would have been waited, and waits not."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def facts(path: Path, **other: Any) -> Facts:
    """Of a file that is to be uploaded."""
    made = Facts(
        color="yellow",
        month="2021-01",
        form=Form.PARQUET,
        key=KEY,
        size_bytes=path.stat().st_size,
        crc32c=crc32c_of(path),
        rows=None,
        rows_read=None,
        rows_dropped={},
        rows_rejected=0,
        values_nulled={},
        columns_left_out=(),
        source="file:///files",
        source_url="file:///files/yellow_tripdata_2021-01.csv",
        source_etag='"é"',
        source_bytes=10,
        source_sha256="a" * 64,
        era=None,
        contract_version=JANUARY.dataset.contract_version,
        schema=None,
        transforms=(),
        run_id="run-1",
        run_name="amber-fox",
        taxietl_version="0",
        uploaded_at="2026-01-01T00:00:00+00:00",
        upload_id=str(uuid.uuid4()),
    )
    return replace(made, **other)


class LakeOfATest(ABC):
    """A lake, and the same seen past taxietl."""

    profile: FolderProfile | GcsProfile

    @property
    @abstractmethod
    def store(self) -> Store:
        """What taxietl is given."""

    @property
    @abstractmethod
    def lake(self) -> Lake:
        """A lake in that store."""

    @abstractmethod
    def bytes_at(self, key: str) -> bytes | None:
        """What lies there."""

    @abstractmethod
    def plant(self, key: str, data: bytes | None) -> None:
        """Put bytes there, or take them away, as somebody else would."""

    @abstractmethod
    def keys(self) -> list[str]:
        """All that lies there, but for a folder's own notes."""

    def put(self, path: Path, *, if_generation: int = 0, **other: Any) -> Version:
        """Upload a file, and record it."""
        version = self.upload(path, if_generation=if_generation, **other)
        self.lake.record(version)
        return version

    def upload(
        self,
        path: Path,
        *,
        if_generation: int = 0,
        cancellation: Cancellation | None = None,
        **other: Any,
    ) -> Version:
        """Upload a file, and crash before it is recorded."""
        return self.lake.put(
            path,
            facts(path, **other),
            if_generation=if_generation,
            cancellation=cancellation or NEVER,
            progress=untold,
        )

    def manifest(self) -> Any:
        """January's, as anybody reads it."""
        data = self.bytes_at(MANIFEST)
        return None if data is None else json.loads(data)


class BucketLake(LakeOfATest):
    """A lake in a bucket of a test's own."""

    def __init__(self, gcs: Gcs, **patience: Any) -> None:
        self.gcs, self.slept = gcs, Slept()
        self.patience = replace(
            Patience(
                attempts=4,
                connect_seconds=30,
                silence_seconds=30,
                chunk_bytes=QUANTUM,
                sleep=self.slept,
                rng=Random(1),
            ),
            **patience,
        )
        nobody = GcpCredentialsProfile(anonymous=True)
        self.profile = GcsProfile(bucket="lake", endpoint=gcs.url).referring("credentials", nobody)
        self._store = GcsStore(self.profile, patience=self.patience)

    @property
    def store(self) -> GcsStore:
        return self._store

    @property
    def lake(self) -> Lake:
        return Lake(self.profile, self._store)

    def bytes_at(self, key: str) -> bytes | None:
        found = self.gcs.bucket().objects.get(key)
        return found.data if found else None

    def plant(self, key: str, data: bytes | None) -> None:
        if data is None:
            del self.gcs.bucket().objects[key]
        else:
            self.gcs.bucket().insert(key, data, {"name": key}, None)

    def keys(self) -> list[str]:
        return sorted(self.gcs.bucket().objects)


class FolderLake(LakeOfATest):
    """A lake on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.profile = FolderProfile(path=root)

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.root)

    @property
    def lake(self) -> Lake:
        return Lake(self.profile, self.store)

    def bytes_at(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.exists() else None

    def plant(self, key: str, data: bytes | None) -> None:
        path = self.root / key
        if data is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def keys(self) -> list[str]:
        return sorted(self._keys())

    def _keys(self) -> Iterator[str]:
        for path in self.root.rglob("*"):
            key = path.relative_to(self.root).as_posix()
            if path.is_file() and not key.startswith(("_taxietl/facts/", "_taxietl/lock")):
                yield key
