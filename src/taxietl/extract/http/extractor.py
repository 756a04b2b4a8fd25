"""A server that has each month's file under its own address, or one file at an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from taxietl.config.sources import MIRROR, check_address, holds_months
from taxietl.errors import (
    ConfigError,
    MissingFileError,
    NotPublishedError,
    TaxietlError,
    TransferError,
)
from taxietl.extract.http.answers import NO_HEAD, REFUSALS, absent, described, error_of, served_at
from taxietl.extract.http.client import Patience, Question, ask
from taxietl.extract.http.download import download, modified_at
from taxietl.steps.protocols import NEVER, Cancellation, Progress, untold
from taxietl.steps.values import SourceFile, SourceVersion
from taxietl.tlc.trip_file import TripFile

CONTROL_MONTH = (2021, 1)
"""Published long ago, in every colour, by the TLC and by the mirror."""


@dataclass(frozen=True)
class Http:
    """A server by its address, in which `{color}`, `{year}` and `{month}` may be left open."""

    name: str
    """The source's name in the configuration, or the address itself."""

    url: str
    patience: Patience = field(default=Patience(), repr=False)
    today: Callable[[], date] = field(default=date.today, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            check_address(self.url)
        except ValueError as error:
            raise ConfigError(
                f"The address of --source {error}.",
                hint="Write https://HOST/…{color}…{year}-{month:02}.parquet, or the address of "
                "one file. A server that wants a log-in cannot be used.",
            ) from None
        if self.name == self.url and urlsplit(self.url).query:
            # It would be written to the history, and a query is where tokens are.
            raise ConfigError(
                "The address of --source has a query (what follows the ?).",
                hint='Give it a name in the configuration, [sources.NAME] url = "…", where '
                "{year} and {month} may stand in it; then --source NAME.",
            )

    @property
    def is_one_file(self) -> bool:
        """Whether no month stands in the address."""
        return not holds_months(self.url)

    def probe(self, trip_file: TripFile, *, cancellation: Cancellation = NEVER) -> SourceVersion:
        """Ask for the file's headers.

        Raises:
            NotPublishedError: the server works, and does not have the month yet.
            MissingFileError: it will never have it.
            TransferError: it is busy, blocks this machine, or cannot be reached this time.
            SourceError: it cannot be reached at all, or has something else there.
        """
        status, found = self._look(trip_file, cancellation)
        if isinstance(found, SourceVersion):
            return found
        if status not in REFUSALS or not holds_months(self.url):
            raise found
        error = self._absent(trip_file, status, cancellation)
        if not isinstance(error, TransferError):
            # A block may have ended just before the control: asked once more, it is certain.
            status, found = self._look(trip_file, cancellation)
            if isinstance(found, SourceVersion):
                return found
        raise error

    def extract(
        self,
        version: SourceVersion,
        *,
        into: Path,
        cancellation: Cancellation = NEVER,
        progress: Progress = untold,
    ) -> SourceFile:
        """Download the file, or what is missing of it.

        Raises:
            CorruptFileError: the bytes are not those of such a file; none is kept.
            TransferError: they could not be had this time; what came is kept to go on from.
            TargetError: the disk refused.
        """
        return download(
            version,
            self._question("GET", version.trip_file),
            into=into,
            patience=self.patience,
            cancellation=cancellation,
            progress=progress,
        )

    def tail(
        self, version: SourceVersion, size_bytes: int, *, cancellation: Cancellation = NEVER
    ) -> bytes | None:
        """The last bytes of that version; None where the server sends no parts.

        Raises:
            TransferError: they could not be had this time.
        """
        question = self._question("GET", version.trip_file, {"Range": f"bytes=-{size_bytes}"})
        with ask(question, patience=self.patience, cancellation=cancellation) as answer:
            if answer.status != 206:
                return None
            part = described(answer.status, answer.headers, question.name)
            if (part.etag, part.size_bytes) != (version.etag, version.size_bytes):
                return None
            return b"".join(answer.chunks())

    def modified_at(self, version: SourceVersion, folder: Path) -> datetime | None:
        """When that version was written, as its server said; None if it was not downloaded here."""
        return modified_at(version, folder)

    def served_at(self, *, cancellation: Cancellation = NEVER) -> datetime | None:
        """The server's time, which it says with any answer; None if it does not.

        Raises:
            TransferError: no answer this time.
            SourceError: none that another try would change.
        """
        question = self._question("HEAD", TripFile("yellow", *CONTROL_MONTH))
        with ask(question, patience=self.patience, cancellation=cancellation) as answer:
            return served_at(answer.headers)

    def _absent(self, trip_file: TripFile, status: int, cancellation: Cancellation) -> TaxietlError:
        """What the refusal of a month means."""
        if self.url == MIRROR.url and status != 403:
            return self._frozen(trip_file, status)
        control = TripFile(trip_file.color, *CONTROL_MONTH)
        found: SourceVersion | TaxietlError
        if control == trip_file:
            control_status, found = status, error_of(status, {}, str(control))
        else:
            control_status, found = self._look(control, cancellation)
        error = absent(
            trip_file,
            source=self.name,
            status=status,
            control=control,
            control_error=None if isinstance(found, SourceVersion) else found,
            control_status=control_status,
            today=self.today(),
        )
        is_to_come = isinstance(error, NotPublishedError)
        return self._frozen(trip_file, status) if is_to_come and self.url == MIRROR.url else error

    def _frozen(self, trip_file: TripFile, status: int) -> MissingFileError:
        return MissingFileError(
            f"{self.name} has no file of {trip_file} (HTTP {status}): it is frozen, and ends "
            "with July 2021.",
            hint="Take the TLC's own: --source tlc.",
        )

    def _look(
        self, trip_file: TripFile, cancellation: Cancellation
    ) -> tuple[int, SourceVersion | TaxietlError]:
        """Ask for a month's headers: its version, or the error that the answer is."""
        status, found = self._asked(self._question("HEAD", trip_file), trip_file, cancellation)
        if status in NO_HEAD:
            first = self._question("GET", trip_file, {"Range": "bytes=0-0"})
            status, found = self._asked(first, trip_file, cancellation)
        return status, found

    def _asked(
        self, question: Question, trip_file: TripFile, cancellation: Cancellation
    ) -> tuple[int, SourceVersion | TaxietlError]:
        with ask(question, patience=self.patience, cancellation=cancellation) as answer:
            try:
                file = described(answer.status, answer.headers, question.name)
            except TaxietlError as error:
                return answer.status, error
            return answer.status, SourceVersion(
                trip_file,
                self.name,
                question.name,
                file.etag,
                file.size_bytes or None,  # what some servers say that do not know it
                file.last_modified,
            )

    def _question(
        self, method: str, trip_file: TripFile, headers: dict[str, str] | None = None
    ) -> Question:
        month = {"color": trip_file.color, "year": trip_file.year, "month": trip_file.month}
        return Question(method, self.url.format(**month), headers or {})
