"""`prefect_gcp`: profiles of Google Cloud as its blocks have them.

Keys of objects have `/` between folders on every system, whatever a path was written with.
"""

from __future__ import annotations

import io
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from taxietl.errors import DataError
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.prefect.blocks.profiles import Block, profile_of
from taxietl.replacing import replacing

if TYPE_CHECKING:
    import pandas as pd
    from google.auth.credentials import Credentials

_ACCOUNT = 'type = "gcp-credentials"\nservice_account_file = "~/keys/key.json"'
_BUCKET = 'type = "gcs"\nbucket = "NAME"\ncredentials = "PROFILE"  # left out: the default ones'
_TIMEOUT = (10, 120)
"""Seconds to connect, and between two answers."""
_CHUNK_BYTES = 8 * 1024 * 1024
"""Bigger files are sent so much at a time: a slow line makes no request too long."""
_FORMATS = {
    "csv": ".csv",
    "csv_gzip": ".csv.gz",
    "parquet": ".parquet",
    "parquet_snappy": ".snappy.parquet",
    "parquet_gzip": ".gz.parquet",
}


class GcpCredentials(Block):
    """An account."""

    _profile: GcpCredentialsProfile

    @classmethod
    def load(cls, name: str) -> Self:
        """The profile of that name."""
        block = cls.__new__(cls)
        block._profile = profile_of(name, GcpCredentialsProfile, _ACCOUNT)
        return block

    def get_credentials_from_service_account(self) -> Credentials:
        """What Google's clients take as `credentials`."""
        return self._profile.google_credentials()


class GcsBucket(Block):
    """A bucket."""

    _profile: GcsProfile

    @classmethod
    def load(cls, name: str) -> Self:
        """The profile of that name."""
        block = cls.__new__(cls)
        block._profile = profile_of(name, GcsProfile, _BUCKET)
        return block

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._profile.bucket_name

    def get_bucket(self) -> Any:
        """The bucket of google-cloud-storage's."""
        return self._profile.bucket()

    def upload_from_path(
        self, from_path: str | Path, to_path: str | Path | None = None, **options: Any
    ) -> str:
        """Send a file; gives its key, the file's own name if none is given."""
        key = _key(Path(from_path).name if to_path is None else to_path)
        blob = self.get_bucket().blob(key, chunk_size=_CHUNK_BYTES)
        blob.upload_from_filename(str(from_path), **{"timeout": _TIMEOUT, **options})
        return key

    def upload_from_file_object(
        self, from_file_object: BinaryIO, to_path: str | Path, **options: Any
    ) -> str:
        """Send what a file gives from where it stands; gives its key."""
        key = _key(to_path)
        blob = self.get_bucket().blob(key, chunk_size=_CHUNK_BYTES)
        blob.upload_from_file(from_file_object, **{"timeout": _TIMEOUT, **options})
        return key

    def upload_from_dataframe(
        self,
        df: pd.DataFrame,
        to_path: str | Path,
        serialization_format: str = "csv_gzip",
        **options: Any,
    ) -> str:
        """Send a frame as CSV or Parquet; gives its key, whose ending is that of the format."""
        kind = str(getattr(serialization_format, "name", serialization_format)).lower()
        if kind not in _FORMATS:
            raise DataError(
                f"serialization_format={serialization_format!r} is none of {', '.join(_FORMATS)}."
            )
        content = io.BytesIO()
        if kind.startswith("csv"):
            df.to_csv(content, index=False, compression="gzip" if kind == "csv_gzip" else None)
        else:
            df.to_parquet(content, compression=kind.partition("_")[2] or None, index=False)
        content.seek(0)
        return self.upload_from_file_object(content, _with_ending(to_path, kind), **options)

    def upload_from_folder(
        self, from_folder: str | Path, to_folder: str | Path | None = None, **options: Any
    ) -> str:
        """Send the files of a folder and those below it; gives the folder's key."""
        folder = _key(to_folder or "")
        for path in sorted(Path(from_folder).rglob("*")):
            if path.is_file():
                key = f"{folder}/{path.relative_to(from_folder).as_posix()}"
                self.upload_from_path(path, key.lstrip("/"), **options)
        return folder

    def download_object_to_path(
        self, from_path: str | Path, to_path: str | Path | None = None, **options: Any
    ) -> Path:
        """Fetch an object; its own name in the working folder if no path is given."""
        key = _key(from_path)
        path = Path(PurePath(key).name if to_path is None else to_path).absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        blob = self.get_bucket().blob(key)
        with replacing(path) as partial:
            blob.download_to_filename(str(partial), **{"timeout": _TIMEOUT, **options})
        return path

    def download_object_to_file_object(
        self, from_path: str | Path, to_file_object: BinaryIO, **options: Any
    ) -> BinaryIO:
        """Fetch an object into a file that is open."""
        blob = self.get_bucket().blob(_key(from_path))
        blob.download_to_file(to_file_object, **{"timeout": _TIMEOUT, **options})
        return to_file_object

    def get_directory(
        self, from_path: str | Path | None = None, local_path: str | Path | None = None
    ) -> list[Path]:
        """Fetch all objects whose keys begin so, each under its key in the local folder.

        Raises:
            DataError: a key leads out of that folder.
        """
        folder, prefix = Path(local_path or ".").absolute(), _key(from_path or "")
        paths = []
        for key in [each for each in self.list_blobs(prefix) if not each.endswith("/")]:
            if ".." in PurePath(key).parts:
                raise DataError(f"The object {key!r} would lie outside {folder}.")
            paths.append(self.download_object_to_path(key, folder / key))
        return paths

    download_folder_to_path = get_directory

    def list_blobs(self, folder: str = "") -> list[str]:
        """The keys that begin so."""
        return [each.name for each in self.get_bucket().list_blobs(prefix=_key(folder) or None)]

    def read_path(self, path: str | Path) -> bytes:
        """An object's bytes."""
        content: bytes = self.get_bucket().blob(_key(path)).download_as_bytes(timeout=_TIMEOUT)
        return content

    def write_path(self, path: str | Path, content: bytes) -> str:
        """Send bytes; gives their key."""
        return self.upload_from_file_object(io.BytesIO(content), path)


def _key(path: str | Path) -> str:
    """An object's key: `data\\green\\x.parquet`, as Windows writes a path, is three parts of it."""
    key = str(path).replace("\\", "/")
    return key.removeprefix("./") if key != "." else ""


def _with_ending(path: str | Path, kind: str) -> str:
    key = _key(path)
    folder, _, name = key.rpartition("/")
    stem = name.partition(".")[0]
    return f"{folder}/{stem}{_FORMATS[kind]}".lstrip("/")
