"""Send a file to Google Cloud Storage in chunks, going on after a cut where the service stands.

The client's own upload sends a chunk again as it was, whatever of it had arrived, begins anew when
an answer is lost, and has no deadline for a chunk that trickles. So only the session is made by
the client (`create_resumable_upload_session`); the chunks are sent here.

Source: Google Cloud, "Perform resumable uploads".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from taxietl.errors import TargetError
from taxietl.load.lake.line import Line, Lines
from taxietl.load.lake.patience import Attempts, Patience
from taxietl.load.lake.piece import piece
from taxietl.load.lake.refusals import Refusal, refusal_in, unreachable
from taxietl.load.lake.store import ChangedError
from taxietl.load.lake.ways import NO_ANSWER, Answer
from taxietl.steps.protocols import Cancellation, Progress

_RANGE = re.compile(r"bytes=0-(\d+)")


class SessionGoneError(Exception):
    """The service knows the session no more: the file is there whole, or not at all."""


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
        self._arrived = 0
        self._attempts = Attempts(patience, cancellation)

    def run(self, lines: Lines) -> dict[str, Any]:
        """Send what is missing; returns the object resource.

        Raises:
            SessionGoneError: see there.
            ChangedError: the object is not of the generation that it had to be of.
            TargetError: refused, or no progress for too long.
        """
        # Not the client's own connection: a session's address is its own key, so that a token
        # which ends meanwhile matters not, and nothing is sent a second time by itself.
        with lines.taken(self._cancellation) as line, self._path.open("rb") as file:
            start: int | None = 0
            while True:
                self._cancellation.check()
                answer, refusal = None, None
                try:
                    answer = self._ask(line) if start is None else self._send(line, file, start)
                except NO_ANSWER as error:
                    refusal = unreachable(error, self._doing)
                if answer is not None and answer.status_code in (200, 201):
                    return self._resource(answer)
                if answer is not None and answer.status_code == 308:
                    have = self._stands_at(answer, start)
                    # All is there and the object is not yet: that is asked for, not sent.
                    start = have if have < self._size else None
                    continue
                refusal = refusal or self._refused(answer)
                self._attempts.failed(refusal)
                start = None  # ask first how far it came

    def _send(self, line: Line, file: BinaryIO, start: int) -> Answer:
        """One chunk."""
        end = min(start + self._patience.chunk_bytes, self._size)
        body = piece(
            file,
            start,
            end - start,
            self._size,
            patience=self._patience,
            cancellation=self._cancellation,
            progress=self._progress,
        )
        return self._put(line, body, end - start, f"{start}-{end - 1}")

    def _ask(self, line: Line) -> Answer:
        """How far it came."""
        return self._put(line, b"", 0, "*")

    def _put(
        self, line: Line, body: Iterable[bytes] | bytes, size_bytes: int, which: str
    ) -> Answer:
        return line.send(
            "PUT",
            self._url,
            headers={"Content-Range": f"bytes {which}/{self._size}"},
            body=body,
            size_bytes=size_bytes,
            timeouts=self._patience.timeouts,
        )

    def _stands_at(self, answer: Answer, sent_from: int | None) -> int:
        """How many bytes the service has."""
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        have = int(match[1]) + 1 if match else 0
        if have > self._size:
            raise TargetError(
                f"Cannot {self._doing}: the service claims {have:,} of {self._size:,} bytes.",
                hint="Run again.",
            )
        if have > self._arrived:
            self._attempts.progressed()
            self._arrived = have
        elif sent_from is not None or have == self._size:  # that must not go on for ever
            self._attempts.failed(
                Refusal(
                    TargetError(
                        f"Cannot {self._doing}: the service keeps nothing of what is sent."
                        if have < self._size
                        else f"Cannot {self._doing}: the service has all, and makes no object.",
                        hint="Run again later.",
                    ),
                    may_pass=True,
                )
            )
        self._progress(have, self._size)
        return have

    def _refused(self, answer: Answer | None) -> Refusal:
        refusal = refusal_in(answer, self._doing)
        if refusal.status == 412:
            raise ChangedError(self._doing)
        if refusal.status in (404, 410):
            raise SessionGoneError(self._doing)
        return refusal

    def _resource(self, answer: Answer) -> dict[str, Any]:
        self._progress(self._size, self._size)
        try:
            resource: dict[str, Any] = answer.json()
        except ValueError:
            raise SessionGoneError(self._doing) from None  # it is there; ask what it is
        return resource
