"""How a file's bytes get into a bucket: in one request if it is small, else in chunks.

Either way at most a chunk is sent again after a cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.load.lake.line import Lines
from taxietl.load.lake.patience import Patience, insist
from taxietl.load.lake.resumable import Transfer
from taxietl.load.lake.store import ChangedError
from taxietl.load.lake.whole import WholeFile
from taxietl.steps.protocols import Cancellation, Progress

if TYPE_CHECKING:
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]


class Sender:
    """Sends files to one bucket.

    Args:
        lines: over which; they are kept for the next file.
    """

    def __init__(self, bucket: Bucket, lines: Lines, patience: Patience) -> None:
        self._bucket, self._lines, self._patience = bucket, lines, patience

    def send(
        self,
        path: Path,
        described: Mapping[str, Any],
        doing: str,
        *,
        if_generation: int,
        cancellation: Cancellation,
        progress: Progress,
    ) -> dict[str, Any]:
        """Send the file; what the service says it made of it, as its object resource.

        Args:
            described: the object resource that is asked for.
            doing: for messages.

        Raises:
            ChangedError: the object is not of the generation that it had to be of. It may be this
                very file, if an answer was lost.
            SessionGoneError: the file is there whole, or not at all.
            TargetError: refused, or no progress for too long.
        """
        watched: dict[str, Any] = {
            "patience": self._patience, "cancellation": cancellation, "progress": progress,
        }  # fmt: skip
        size_bytes = path.stat().st_size
        if size_bytes <= self._patience.chunk_bytes:
            watched["if_generation"] = if_generation
            whole = WholeFile(self._bucket, described, path, size_bytes, doing, **watched)
            return whole.run(self._lines)
        url = self._session(described, size_bytes, doing, if_generation, cancellation)
        return Transfer(url, path, doing, **watched).run(self._lines)

    def _session(
        self,
        described: Mapping[str, Any],
        size_bytes: int,
        doing: str,
        if_generation: int,
        cancellation: Cancellation,
    ) -> str:
        """Begin an upload in chunks; its address."""
        from google.api_core.exceptions import PreconditionFailed

        blob = self._bucket.blob(described["name"])
        blob.metadata, blob.crc32c = described["metadata"], described["crc32c"]

        def begin() -> str:
            try:
                return str(
                    blob.create_resumable_upload_session(
                        content_type=described["contentType"],
                        size=size_bytes,
                        if_generation_match=if_generation,
                        retry=None,
                        timeout=self._patience.timeouts,
                    )
                )
            except PreconditionFailed:
                raise ChangedError(doing) from None

        return insist(begin, doing, patience=self._patience, cancellation=cancellation)
