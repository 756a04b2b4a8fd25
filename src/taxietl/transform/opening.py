"""Tell what a file is by its first bytes, whatever its name says, and open it for reading."""

from __future__ import annotations

from pathlib import Path
from typing import IO, cast

from taxietl.errors import CorruptFileError

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"


def form_of(path: Path) -> str:
    """`csv`, `csv.gz` or `parquet`.

    Raises:
        CorruptFileError: empty, an HTML page, binary of another kind, or a cut Parquet file.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise CorruptFileError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its permissions."
        ) from error
    if not head:
        raise CorruptFileError(f"{path} is empty (0 bytes).", hint="Fetch it again.")
    if head.startswith(PARQUET):
        _check_parquet_end(path, size)
        return "parquet"
    if head.startswith(GZIP):
        return "csv.gz"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise CorruptFileError(
            f"{path} is an HTML or XML page, not a trip file.",
            hint="The address it came from leads to a web page or an error message; fetch the "
            "file itself.",
        )
    if b"\x00" in head:
        raise CorruptFileError(
            f"{path} is neither CSV, gzip nor Parquet.", hint="Fetch it again, or unpack it first."
        )
    return "csv"


def open_lines(path: Path, form: str) -> IO[bytes]:
    """Open a CSV for reading its plain bytes; gzip is unpacked by a thread of its own."""
    if form == "csv.gz":
        from isal import igzip_threaded

        return cast(IO[bytes], igzip_threaded.open(path, "rb", threads=1))
    return path.open("rb")


def _check_parquet_end(path: Path, size: int) -> None:
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        if size < 12 or file.read(4) != PARQUET:
            raise CorruptFileError(
                f"{path} is a Parquet file cut short: its end is missing.", hint="Fetch it again."
            )
