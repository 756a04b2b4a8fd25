"""Send a file to Google Cloud Storage in chunks, going on after a cut where the service stands.

The client's own upload sends a chunk again as it was, whatever of it had arrived, begins anew when
an answer is lost, and has no deadline for a chunk that trickles. So only the session is made by
the client (`create_resumable_upload_session`); the chunks are sent here.

Source: Google Cloud, "Perform resumable uploads".
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from taxietl.errors import TargetError
from taxietl.load.lake.line import open_line
from taxietl.load.lake.patience import Attempts, Patience
from taxietl.load.lake.refusals import Refusal, refusal_in, unreachable
from taxietl.load.lake.store import ChangedError
from taxietl.steps.protocols import Cancellation, Progress

if TYPE_CHECKING:
    from requests import Response

_RANGE = re.compile(r"bytes=0-(\d+)")


class SessionGoneError(Exception):
    """The service knows the session no more: the file is there whole, or not at all."""


class _OverdueError(Exception):
    """A chunk took too long in all."""


class Transfer:
    """One session, until the object is there."""

    def __init__(
        self,
        session_url: str,
        path: Path,
        doing: str,
        *,
        patience: Patience,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._url, self._path, self._doing = session_url, path, doing
        self._patience, self._cancellation, self._progress = patience, cancellation, progress
        self._size = path.stat().st_size
        self._attempts = Attempts(patience, cancellation)

    def run(self) -> dict[str, Any]:
        """Send what is missing; returns the object resource.

        Raises:
            SessionGoneError: see there.
            ChangedError: the object is not of the generation that it had to be of.
            TargetError: refused, or no progress for too long.
        """
        import requests

        # Not the client's own connection: a session's address is its own key, so that a token
        # which ends meanwhile matters not, and nothing is sent a second time by itself.
        with open_line(self._cancellation) as http, self._path.open("rb") as file:
            start: int | None = 0
            while True:
                self._cancellation.check()
                answer, refusal = None, None
                try:
                    answer = self._ask(http) if start is None else self._send(http, file, start)
                except (requests.RequestException, _OverdueError) as error:
                    refusal = unreachable(error, self._doing)
                if answer is not None and answer.status_code in (200, 201):
                    return self._resource(answer)
                if answer is not None and answer.status_code == 308:
                    start = self._stands_at(answer, start)
                    continue
                refusal = refusal or self._refused(answer)
                self._attempts.failed(refusal)
                start = None  # ask first how far it came

    def _send(self, http: Any, file: BinaryIO, start: int) -> Response:
        """One chunk."""
        end = min(start + self._patience.chunk_bytes, self._size)
        piece = _Piece(file, start, end - start, self)
        content_range = f"bytes {start}-{end - 1}/{self._size}" if self._size else "bytes */0"
        return self._put(http, piece if self._size else b"", content_range)

    def _ask(self, http: Any) -> Response:
        """How far it came."""
        return self._put(http, b"", f"bytes */{self._size}")

    def _put(self, http: Any, body: Any, content_range: str) -> Response:
        answer: Response = http.put(
            self._url,
            data=body,
            headers={"Content-Range": content_range},
            timeout=self._patience.timeouts,
            allow_redirects=False,  # 308 means something else here
        )
        return answer

    def _stands_at(self, answer: Response, sent_from: int | None) -> int:
        """How many bytes the service has."""
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        have = int(match[1]) + 1 if match else 0
        if have > self._size:
            raise TargetError(
                f"Cannot {self._doing}: the service claims {have:,} of {self._size:,} bytes.",
                hint="Run again.",
            )
        if sent_from is not None and have > sent_from:
            self._attempts.progressed()
        elif sent_from is not None:  # nothing of the chunk was kept: that must not go on for ever
            self._attempts.failed(
                Refusal(
                    TargetError(
                        f"Cannot {self._doing}: the service keeps nothing of what is sent.",
                        hint="Run again later.",
                    ),
                    may_pass=True,
                )
            )
        self._progress(have, self._size)
        return have

    def _refused(self, answer: Response | None) -> Refusal:
        refusal = refusal_in(answer, self._doing)
        if refusal.status == 412:
            raise ChangedError(self._doing)
        if refusal.status in (404, 410):
            raise SessionGoneError(self._doing)
        return refusal

    def _resource(self, answer: Response) -> dict[str, Any]:
        self._progress(self._size, self._size)
        try:
            resource: dict[str, Any] = answer.json()
        except ValueError:
            raise SessionGoneError(self._doing) from None  # it is there; ask what it is
        return resource

    def sent(self, done: int) -> None:
        """Told by the piece under way; may stop it."""
        self._cancellation.check()
        self._progress(done, self._size)

    @property
    def chunk_seconds(self) -> float:
        """What one piece may take."""
        return self._patience.chunk_seconds


class _Piece:
    """A part of a file, as `requests` sends it: some KiB at a time, watched."""

    def __init__(self, file: BinaryIO, start: int, size_bytes: int, transfer: Transfer) -> None:
        file.seek(start)
        self._file, self._start, self._left = file, start, size_bytes
        self._size, self._transfer = size_bytes, transfer
        self._deadline = time.monotonic() + transfer.chunk_seconds

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(64 * 1024):
            yield block

    def read(self, size_bytes: int) -> bytes:
        """The next bytes."""
        self._transfer.sent(self._start + self._size - self._left)
        if time.monotonic() > self._deadline:
            raise _OverdueError
        block = self._file.read(min(size_bytes, self._left))
        self._left -= len(block)
        return block
