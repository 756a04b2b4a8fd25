"""Look at a file's bytes while they come: hash them, and see that they are what they should be.

A gzip is unpacked to its end, whose check sum covers all of it; a Parquet file must have its magic
and a footer that can be read. What is refused here never reaches the cache.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO, Any, cast

from taxietl.errors import CorruptFileError
from taxietl.steps.file_kinds import GZIP, PARQUET, TEXT, kind_of

_HEAD_BYTES = 512
_UNPACKED_BYTES = 1 << 20
"""Unpacked at a time, and dropped: memory that no file decides."""

_KINDS = {".gz": "a gzip", ".parquet": "a Parquet file"}
_ENDINGS = {GZIP: ".gz", PARQUET: ".parquet", TEXT: ""}


class Check:
    """The bytes of one file, in order.

    Args:
        name: its address, as messages may show it; its ending says what it has to be.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._hash = hashlib.sha256()
        self._head = b""
        self._form: str | None = None
        self._unpacking: _Unpacking | None = None
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of the bytes so far."""
        return self._hash.hexdigest()

    @property
    def proves_its_end(self) -> bool:
        """Whether the file's own bytes say where it ends, so that a cut one is found out."""
        return self._form in _KINDS

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes.

        Raises:
            CorruptFileError: they cannot be those of such a file.
            SchemaError: they are those of a text that is no CSV in UTF-8.
        """
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        if self._form is None:
            self._head += chunk
            if len(self._head) < _HEAD_BYTES:
                return
            chunk = self._begin()
        self._unpack(chunk)

    def finish(self, whole: Path | IO[bytes]) -> None:
        """Look at the whole, which now lies there.

        Raises:
            CorruptFileError: it is not whole, or not of its kind.
        """
        if self._form is None:
            self._unpack(self._begin())
        if self._unpacking is not None and not self._unpacking.is_whole():
            raise self._corrupt("is a gzip cut short")
        if self._form == ".parquet":
            self._read_footer(whole)

    def _begin(self) -> bytes:
        """Tell by the first bytes what it is; gives them back."""
        head, self._head = self._head, b""
        if not head:
            raise self._corrupt("is empty (0 bytes)")
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise CorruptFileError(
                f"{self._name} is a web page or an error message, not the file asked for.",
                hint="Check the address, and whether the network wants a log-in first.",
            )
        self._form = _ENDINGS[kind_of(head, self._name)]
        wanted = next((form for form in _KINDS if self._name.endswith(form)), "")
        if wanted and self._form != wanted:
            raise self._corrupt(f"is not {_KINDS[wanted]}")
        if self._form == ".gz":
            self._unpacking = _Unpacking()
        return head

    def _unpack(self, chunk: bytes) -> None:
        if self._unpacking is None:
            return
        if not self._unpacking.feed(chunk):
            raise self._corrupt("is a damaged gzip")

    def _read_footer(self, whole: Path | IO[bytes]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            pq.read_metadata(whole)
        except (pa.ArrowException, OSError) as error:
            raise self._corrupt("is a Parquet file cut short or damaged") from error

    def _corrupt(self, what: str) -> CorruptFileError:
        return CorruptFileError(
            f"{self._name} {what}.",
            hint="Nothing of it was kept. Run again; if it stays so, name another source.",
        )


class _Unpacking:
    """A gzip of one or more members being unpacked, and its check sums with it."""

    def __init__(self) -> None:
        self._member: Any = None
        self._members = 0

    def feed(self, data: bytes) -> bool:
        """Unpack the next bytes, and drop what comes out; whether they fit."""
        from isal import igzip_lib, isal_zlib

        try:
            while data:
                if self._member is None:
                    if self._members and not (data := data.lstrip(b"\x00")):
                        return True  # writers may fill up the end with zeros
                    self._member = isal_zlib.decompressobj(wbits=31)
                self._member.decompress(data, _UNPACKED_BYTES)
                if self._member.eof:
                    data, self._member = self._member.unused_data, None
                    self._members += 1
                else:
                    data = self._member.unconsumed_tail
        except cast(type[Exception], igzip_lib.IsalError):  # to isal's stubs an instance
            return False
        return True

    def is_whole(self) -> bool:
        """Whether the last member has ended."""
        return self._member is None and self._members > 0
