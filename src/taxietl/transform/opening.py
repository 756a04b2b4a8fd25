"""Tell what a file is by its first bytes, whatever its name says, and open it for reading."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

from taxietl.errors import CorruptFileError
from taxietl.steps.file_kinds import GZIP, PARQUET, TEXT, kind_of

_FORMS = {PARQUET: "parquet", GZIP: "csv.gz", TEXT: "csv"}
_HEAD_BYTES = 4096
"""Enough that a gzip's first lines come out of it."""


def form_of(path: Path) -> str:
    """`csv`, `csv.gz` or `parquet`.

    Raises:
        CorruptFileError: empty, a cut Parquet file, packed in a way that is not read, or of
            another format.
        SchemaError: a text that is not in UTF-8, or is JSON.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise CorruptFileError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    if not head:
        raise CorruptFileError(f"{path} is empty (0 bytes).", hint="Fetch it again.")
    kind = kind_of(head, str(path))
    if kind == PARQUET:
        _check_parquet_end(path, size)
    return _FORMS[kind]


def open_lines(path: Path, form: str) -> IO[bytes]:
    """Open a CSV for reading its plain bytes; gzip is unpacked by a thread of its own."""
    if form == "csv.gz":
        from isal import igzip_threaded

        return cast(IO[bytes], igzip_threaded.open(path, "rb", threads=1))
    return path.open("rb")


def _check_parquet_end(path: Path, size: int) -> None:
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        if size < 12 or file.read(4) != b"PAR1":
            raise CorruptFileError(
                f"{path} is a Parquet file cut short: its end is missing.", hint="Fetch it again."
            )
