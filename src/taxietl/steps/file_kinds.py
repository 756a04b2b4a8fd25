"""Tell what a file is by its first bytes, whatever its name says. Pure: bytes in, a kind out.

What can be read is Parquet, text, and gzip around text. Anything else is named for what it is,
with the command that makes a file of it that can be read.
"""

from __future__ import annotations

import shlex
import zlib

from taxietl.errors import CorruptFileError, SchemaError, TaxietlError

PARQUET, GZIP, TEXT = "parquet", "gzip", "text"

HEAD_BYTES = 512
"""How many of the first bytes tell what a file is."""

_PARQUET_MAGIC, _GZIP_MAGIC, _ZIP_MAGIC = b"PAR1", b"\x1f\x8b", b"PK\x03\x04"

_PACKED = {
    b"BZh": ("compressed by bzip2", "bzip2 -dc"),
    b"\xfd7zXZ\x00": ("compressed by xz", "xz -dc"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "zstd -dc"),
    b"\x04\x22\x4d\x18": ("compressed by lz4", "lz4 -dc"),
    b"\xff\x06\x00\x00sNaPpY": ("compressed by Snappy", "snzip -dc"),
    b"\x1f\x9d": ("compressed by compress", "uncompress -c"),
    _ZIP_MAGIC: ("a zip archive", "unzip -p"),
    b"PK\x05\x06": ("an empty zip archive", "unzip -p"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", "7z x -so"),
    b"Rar!\x1a\x07": ("a RAR archive", "unrar p -inul"),
}
"""First bytes -> what such a file is, and what unpacks it to its output."""

_OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook",
    b"ARROW1": "an Arrow IPC (Feather) file",
    b"FEA1": "a Feather file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"PARE": "an encrypted Parquet file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89HDF\r\n": "an HDF5 file",
    b"%PDF": "a PDF",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
}

# What the first member of a spreadsheet's zip is called.
_SPREADSHEET = (b"[Content_Types].xml", b"docProps/", b"xl/", b"_rels/", b"spreadsheet")

_MARKS = {  # the longer ones first: UTF-32's begins as UTF-16's does
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}

# Without a mark: how many bytes a character has, and which of them ASCII leaves at zero.
_UNMARKED = {
    "UTF-32LE": (4, (1, 2, 3)),
    "UTF-32BE": (4, (0, 1, 2)),
    "UTF-16LE": (2, (1,)),
    "UTF-16BE": (2, (0,)),
}
_CHARACTERS_LOOKED_AT = 8


def kind_of(head: bytes, name: str) -> str:
    """`PARQUET`, `GZIP` or `TEXT`.

    Args:
        head: the file's first bytes, `HEAD_BYTES` of them if it has as many; of a gzip, better
            more.
        name: its path or address, as messages may show it.

    Raises:
        CorruptFileError: it is packed otherwise, packed twice, a web page, or of another format.
        SchemaError: it is text in another encoding, or JSON.
    """
    if head.startswith(_PARQUET_MAGIC):
        return PARQUET
    if not head.startswith(_GZIP_MAGIC):
        _check_text(head[:HEAD_BYTES], name)
        return TEXT
    check_unpacked(_unpacked(head), name)
    return GZIP


def check_unpacked(inner: bytes, name: str) -> None:
    """Refuse a gzip for the first bytes that come out of it; `kind_of` has seen some of them.

    Raises:
        CorruptFileError, SchemaError: as `kind_of`.
    """
    if inner.startswith(_PARQUET_MAGIC):
        raise _is_packed(name, "is gzip around Parquet", "gzip -dc", "trips.parquet")
    if inner.startswith(_GZIP_MAGIC):
        raise _is_packed(name, "is gzip within gzip", "gzip -dc", "trips.csv.gz")
    _check_text(inner, name, inside="holds, within its gzip, something that ")


def with_path(command: str, name: str) -> str:
    """The command and the file's path, to be pasted; an address has to be fetched first."""
    return f"{command} {'FILE' if '://' in name else shlex.quote(name)}"


def _check_text(head: bytes, name: str, *, inside: str = "") -> None:
    """Refuse what is no text in UTF-8, or in no lines of a CSV.

    Args:
        head: the first bytes.
        name: of the file.
        inside: how a message begins if they come out of a gzip.
    """
    if head.startswith(_ZIP_MAGIC) and any(each in head for each in _SPREADSHEET):
        raise _is_other(name, f"{inside}is a spreadsheet (Excel or alike)")
    for magic, (what, command) in _PACKED.items():
        if head.startswith(magic):
            raise _is_packed(name, f"{inside}is {what}", "gzip -dc" if inside else command)
    if head[257:262] == b"ustar":
        raise _is_packed(name, f"{inside}is a tar archive", "gzip -dc" if inside else "tar -xOf")
    other = next((what for magic, what in _OTHERS.items() if head.startswith(magic)), "")
    if head[8:12] == b"DUCK":
        other = "a DuckDB database"
    if other:
        raise _is_other(name, f"{inside}is {other}")
    if encoding := _encoding_of(head):
        command = with_path("gzip -dc" if inside else "cat", name)
        raise SchemaError(
            f"{name} {inside}is encoded in {encoding}, not in UTF-8.",
            hint=f"Convert it: {command} | iconv -f {encoding} -t UTF-8 > utf8.csv, and give "
            "--source utf8.csv.",
        )
    if b"\x00" in head:
        raise CorruptFileError(
            f"{name} {inside}is neither CSV, gzip nor Parquet.",
            hint="Fetch it again, or unpack it first.",
        )
    if error := _not_lines(head.removeprefix(b"\xef\xbb\xbf").lstrip(), f"{name} {inside}"):
        raise error


def _not_lines(text: bytes, who: str) -> TaxietlError | None:
    """Why a text cannot be a CSV; None where it may be."""
    if text.startswith(b"<"):
        return CorruptFileError(
            f"{who}is an HTML or XML page, not a trip file.",
            hint="The address it came from leads to a web page or an error message; fetch the "
            "file itself.",
        )
    if text.startswith(b"version https://git-lfs.github.com/"):
        return CorruptFileError(
            f"{who}is a pointer of Git LFS, not the file itself.",
            hint="Fetch the file: git lfs pull, in the repository that it lies in.",
        )
    if text.startswith((b"{", b"[")):
        return SchemaError(
            f"{who}is JSON, not CSV.",
            hint="Convert it, lines of JSON for instance: duckdb -c \"COPY (FROM 'FILE.json') TO "
            "'trips.parquet'\", and give --source trips.parquet.",
        )
    return None


def _encoding_of(head: bytes) -> str:
    """UTF-16 or UTF-32, by its mark or by where ASCII leaves zeros; else nothing."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    for encoding, (width, zeros) in _UNMARKED.items():
        characters = [
            head[at : at + width] for at in range(0, _CHARACTERS_LOOKED_AT * width, width)
        ]
        if all(
            len(each) == width and all((each[at] == 0) == (at in zeros) for at in range(width))
            for each in characters
        ):
            return encoding
    return ""


def _unpacked(head: bytes) -> bytes:
    """The first bytes that come out of a gzip; none where it is damaged, which is told later."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _is_packed(name: str, what: str, command: str, into: str = "unpacked.csv") -> CorruptFileError:
    return CorruptFileError(
        f"{name} {what}.",
        hint=f"Unpack it first: {with_path(command, name)} > {into}, and give --source {into}.",
    )


def _is_other(name: str, what: str) -> CorruptFileError:
    return CorruptFileError(
        f"{name} {what}, not a trip file.",
        hint="Save or export it as CSV (commas, UTF-8) or as Parquet, and give --source that file.",
    )
