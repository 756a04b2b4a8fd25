"""Send a small file to Google Cloud Storage in one request, its facts with it.

The client's own upload of that kind has it in memory, sends it in one go under the time that
connecting may take, and can neither be watched nor stopped.

Source: Google Cloud, "Upload an object: multipart".
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from taxietl.load.lake.line import Line, Lines
from taxietl.load.lake.patience import Attempts, Patience
from taxietl.load.lake.piece import piece
from taxietl.load.lake.refusals import refusal_in, refusal_of, unreachable
from taxietl.load.lake.resumable import SessionGoneError
from taxietl.load.lake.store import ChangedError
from taxietl.load.lake.ways import NO_ANSWER, Answer
from taxietl.steps.protocols import Cancellation, Progress

if TYPE_CHECKING:
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]


_BORDER = uuid.uuid4().hex
"""What no file holds: nobody could have known it."""

_TAIL = f"\r\n--{_BORDER}--\r\n".encode()
_HEADERS = {"Content-Type": f'multipart/related; boundary="{_BORDER}"'}


class WholeFile:
    """One object, until it is there."""

    def __init__(
        self,
        bucket: Bucket,
        resource: Mapping[str, Any],
        path: Path,
        size_bytes: int,
        doing: str,
        *,
        if_generation: int,
        patience: Patience,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        client = bucket.client
        # The client has no other way to say whose account it uses.
        self._credentials = client._credentials
        self._url = (
            f"{client.api_endpoint}/upload/storage/v1/b/{quote(bucket.name)}/o"
            f"?uploadType=multipart&ifGenerationMatch={if_generation}"
        )
        self._path, self._size, self._doing = path, size_bytes, doing
        self._patience, self._cancellation, self._progress = patience, cancellation, progress
        self._head = (
            f"--{_BORDER}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
            f"{json.dumps(resource)}\r\n"
            f"--{_BORDER}\r\nContent-Type: {resource['contentType']}\r\n\r\n"
        ).encode()

    def run(self, lines: Lines) -> dict[str, Any]:
        """Send it; the object resource.

        Raises:
            SessionGoneError: it is there, and the answer that says so is garbled.
            ChangedError: the object is not of the generation that it had to be of. It may be this
                very file, if an answer was lost.
            TargetError: refused, or no progress for too long.
        """
        attempts = Attempts(self._patience, self._cancellation)
        with lines.taken(self._cancellation) as line, self._path.open("rb", buffering=0) as file:
            while True:
                self._cancellation.check()
                try:
                    answer = self._sent(line, file)
                except NO_ANSWER as error:
                    refusal = unreachable(error, self._doing)
                except Exception as error:
                    told = refusal_of(error, self._doing)
                    if told is None:
                        raise
                    refusal = told
                else:
                    if answer.status_code == 200:
                        return self._resource(answer)
                    refusal = refusal_in(answer, self._doing)
                    if refusal.status == 412:
                        raise ChangedError(self._doing)
                attempts.failed(refusal)

    def _sent(self, line: Line, file: BinaryIO) -> Answer:
        """Its answer; a token that is not accepted is renewed once."""
        answer = self._posted(line, file)
        if answer.status_code == 401:
            self._credentials.refresh(_ask_for_a_token)
            answer = self._posted(line, file)
        return answer

    def _posted(self, line: Line, file: BinaryIO) -> Answer:
        headers = dict(_HEADERS)
        self._credentials.before_request(_ask_for_a_token, "POST", self._url, headers)
        return line.send(
            "POST",
            self._url,
            headers=headers,
            body=self._body(file),
            size_bytes=len(self._head) + self._size + len(_TAIL),
            timeouts=self._patience.timeouts,
        )

    def _body(self, file: BinaryIO) -> Iterator[bytes]:
        blocks = piece(
            file,
            0,
            self._size,
            self._size,
            patience=self._patience,
            cancellation=self._cancellation,
            progress=self._progress,
        )
        # Each block is a write: few are faster.
        waiting = [self._head, next(blocks, b"")]
        for block in blocks:
            yield b"".join(waiting)
            waiting = [block]
        yield b"".join([*waiting, _TAIL])

    def _resource(self, answer: Answer) -> dict[str, Any]:
        self._progress(self._size, self._size)
        try:
            resource: dict[str, Any] = answer.json()
        except ValueError:
            raise SessionGoneError(self._doing) from None
        return resource


def _ask_for_a_token(*arguments: Any, **options: Any) -> Any:
    """A request of the credentials' own; its session is made only if there is one to be sent."""
    from google.auth.transport.requests import Request

    return Request()(*arguments, **options)
