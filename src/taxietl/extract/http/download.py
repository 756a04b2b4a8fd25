"""Bring one version of a file into the cache: whole and checked, or not at all.

What has come lies beside, in a `.part`, until the last byte is there and checked; a JSON of the
same name says of which version it is, and in the end what it was found to be. A cut transfer goes
on where it stopped, also in another process after this one was killed. Two versions never share a
file, nor do two downloads at the same time.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from taxietl.digests import sha256_of
from taxietl.errors import CorruptFileError, SchemaError, TargetError, TransferError
from taxietl.extract.http.answers import REFUSALS, Described, described, is_strong
from taxietl.extract.http.checks import Check
from taxietl.extract.http.client import Patience, Question, Response, ask
from taxietl.extract.http.parts import Part, Record, open_part
from taxietl.steps.protocols import Cancellation, Progress
from taxietl.steps.values import SourceFile, SourceVersion

_ENDINGS = (".parquet", ".csv.gz", ".csv")


def download(
    version: SourceVersion,
    question: Question,
    *,
    into: Path,
    patience: Patience,
    cancellation: Cancellation,
    progress: Progress,
) -> SourceFile:
    """Have the bytes of that version in the folder.

    Args:
        version: as it was found; other bytes than its are not taken.
        question: what to ask for them.
        into: the folder; made if need be.
        patience: how long to wait.
        cancellation: to ask while waiting.
        progress: told of the bytes that are here.

    Raises:
        CorruptFileError: the bytes are not those of such a file; none is kept.
        SchemaError: nor if they are a text in another encoding, or JSON.
        TransferError: they could not be had this time; what came is kept to go on from.
        TargetError: the disk refused.
    """
    path = into / name_of(version)
    with _disk(into):
        into.mkdir(parents=True, exist_ok=True)
        if kept := _kept(path, version):
            return kept
        with open_part(path) as part:
            transfer = _Transfer(version, question, part, patience, cancellation, progress)
            check = transfer.run()
            part.become(path, Record.of(version, check.sha256))
    return SourceFile(version, path, check.size_bytes, check.sha256)


def name_of(version: SourceVersion) -> str:
    """The file's name in the cache: the month's, and what tells the version from others."""
    ending = next((each for each in _ENDINGS if version.url.endswith(each)), "")
    digest = version.key or hashlib.sha256(version.url.encode()).hexdigest()
    host = urlsplit(version.url).hostname or ""
    return f"{version.trip_file.stem}-{host}-{digest[:16]}{ending}"


def modified_at(version: SourceVersion, folder: Path) -> datetime | None:
    """When that version was written, as its server said; None if it was not downloaded here."""
    record = Record.read(folder / name_of(version))
    return record.modified_at if record else None


def _kept(path: Path, version: SourceVersion) -> SourceFile | None:
    """The file, if an earlier download left it whole and it still is what it was."""
    record = Record.read(path)
    if version.key is None or record is None or record.sha256 is None or not path.is_file():
        return None
    sha256, size = sha256_of(path)
    return SourceFile(version, path, size, sha256) if sha256 == record.sha256 else None


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """What the disk says, as an error of ours."""
    try:
        yield
    except OSError as error:
        raise TargetError(
            f"The cache {folder} cannot be written: {error.strerror or error}.",
            hint="Make room, or name another home with --home.",
        ) from error


class _Transfer:
    """One download: what is here already, then what is missing of it."""

    def __init__(
        self,
        version: SourceVersion,
        question: Question,
        part: Part,
        patience: Patience,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._version, self._question, self._part = version, question, part
        self._patience, self._cancellation, self._progress = patience, cancellation, progress
        self._check = Check(version.url)
        self._took_up = False
        self._is_delimited = True

    def run(self) -> Check:
        """Have the whole file in the part, checked.

        What is found corrupt is dropped; what is only cut stays for the next try.
        """
        try:
            self._take_up()
            if not self._took_up or self._check.size_bytes != self._version.size_bytes:
                self._fetch()
            self._check.finish(self._part.path)
            self._demand_an_end()
        except (CorruptFileError, SchemaError) as error:
            self._part.clear()
            if self._took_up:  # what was here may be to blame: the next try does without
                raise TransferError(error.message, hint="Run again, from the start.") from error
            raise
        return self._check

    def _take_up(self) -> None:
        """Check what an earlier transfer of this very version left."""
        size = self._version.size_bytes
        is_usable = (
            is_strong(self._version.etag)
            and Record.read(self._part.final) == Record.of(self._version, None)
            and (size is None or self._part.size_bytes <= size)
        )
        if not is_usable:
            self._restart()
        self._took_up = self._part.size_bytes > 0
        for chunk in self._part.chunks():
            self._cancellation.check()
            self._check.feed(chunk)
        missing = (size or 0) - self._check.size_bytes
        if missing > shutil.disk_usage(self._part.path.parent).free:
            raise OSError(errno.ENOSPC, f"{missing:,} bytes are to come, and there is less room")

    def _restart(self) -> None:
        self._took_up = False
        self._part.clear()
        self._check = Check(self._version.url)
        Record.of(self._version, None).write(self._part.final)

    def _fetch(self) -> None:
        """Ask for what is missing; for all of it where the server does not go on rightly."""
        if self._check.size_bytes and not self._ask():
            self._restart()
        if not self._check.size_bytes:
            self._ask()

    def _ask(self) -> bool:
        """Ask, and write what comes; False if the server does not go on where the part ends."""
        start, headers = self._check.size_bytes, {}
        if start and self._version.etag:
            headers = {"Range": f"bytes={start}-", "If-Range": self._version.etag}
        question = replace(self._question, headers=headers)
        with ask(question, patience=self._patience, cancellation=self._cancellation) as answer:
            if start and answer.status == 416:
                return False
            file = self._expected(answer)
            if file.first_byte != start and answer.status == 206:
                return False
            if start and answer.status == 200:  # all of it, though a part was asked for
                self._restart()
            self._is_delimited = file.is_delimited
            self._receive(answer, self._version.size_bytes or file.size_bytes)
        return True

    def _expected(self, answer: Response) -> Described:
        """What the headers say, if they speak of this version."""
        name, version = self._version.url, self._version
        if answer.status in REFUSALS:
            raise TransferError(
                f"{name} is refused (HTTP {answer.status}), and was there a moment ago.",
                hint="Wait some minutes, and run again: what is here already is kept.",
            )
        file = described(answer.status, answer.headers, name)
        is_other = version.etag is not None and file.etag != version.etag
        sizes = {version.size_bytes, file.size_bytes} - {None}
        if is_other or len(sizes) > 1:
            raise TransferError(
                f"{name} is another version than the one found a moment ago.",
                hint="It has just been replaced, or the server's parts disagree: run again.",
            )
        return file

    def _receive(self, answer: Response, total: int | None) -> None:
        for chunk in answer.chunks():
            self._cancellation.check()
            self._check.feed(chunk)
            self._part.write(chunk)
            self._progress(self._check.size_bytes, total)
        have = self._check.size_bytes
        if total is not None and have < total:
            raise TransferError(
                f"{self._version.url} ended after {have:,} of {total:,} bytes.",
                hint="Run again: what is here already is kept.",
            )
        if total is not None and have > total:
            raise CorruptFileError(
                f"{self._version.url} is longer than the {total:,} bytes that were announced.",
                hint="Nothing of it was kept. Run again; if it stays so, name another source.",
            )

    def _demand_an_end(self) -> None:
        """Refuse a body of unknown length that any cut would leave as good as whole."""
        if self._is_delimited or self._version.size_bytes or self._check.proves_its_end:
            return
        raise CorruptFileError(
            f"{self._version.url} came without its length, so that a cut file could not be told "
            "from a whole one.",
            hint="Have the server send Content-Length, or fetch it by hand and name the file.",
        )
