"""A lake in a Google Cloud Storage bucket, through Google's own client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import quote

from taxietl.errors import TargetError
from taxietl.load.lake.line import Lines
from taxietl.load.lake.patience import Patience, insist
from taxietl.load.lake.refusals import NO_BUCKET
from taxietl.load.lake.resumable import SessionGoneError
from taxietl.load.lake.sending import Sender
from taxietl.load.lake.store import ChangedError, replaced_meanwhile
from taxietl.load.lake.values import MANIFESTS, StoredObject
from taxietl.steps.protocols import NEVER, Cancellation, Progress

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket  # type: ignore[import-untyped]


R = TypeVar("R")

_SESSIONS = 3
"""How often an upload is begun anew because the service forgot its session."""

_LOOKS = 20
"""How often a small object is read anew because it was replaced meanwhile."""

_OWN_NAME = "taxietl-upload-id"


class BucketProfile(Protocol):
    """Which bucket it is, as profiles of type `gcs` say it."""

    @property
    def bucket_name(self) -> str: ...
    def bucket(self) -> Bucket: ...


class GcsStore:
    """See `store.Store`."""

    def __init__(self, profile: BucketProfile, *, patience: Patience | None = None) -> None:
        self._profile = profile
        self._name = profile.bucket_name
        self._patience = patience or Patience()
        self._lines = Lines()
        self._is_there = False
        self.address = f"gs://{self._name}"

    @cached_property
    def _bucket(self) -> Bucket:
        return self._profile.bucket()

    def stat(self, key: str) -> StoredObject | None:
        """See `Store`."""
        from google.api_core.exceptions import NotFound

        def ask() -> StoredObject | None:
            blob = self._bucket.blob(key)
            try:
                blob.reload(retry=None, timeout=self._patience.timeouts)
            except NotFound as error:
                if NO_BUCKET in str(error.message):
                    raise  # `get_blob` would take a missing bucket for a missing object
                return None
            return _stored(blob)

        found = self._insist(ask, f"look at {self.uri(key)}")
        if found is None:
            self._demand_bucket()
        return found

    def _demand_bucket(self) -> None:
        """Demand that the bucket itself answers, where an object is said not to be there.

        A wrong address answers so for every object, in whatever words. Asked once.

        Raises:
            TargetError: there is no such bucket.
        """
        from google.api_core.exceptions import Forbidden

        def ask() -> None:
            try:
                next(iter(self._list(max_results=1)), None)
            except Forbidden:  # whoever may not list is told so by a bucket
                return

        if not self._is_there:
            self._insist(ask, f"look into {self.address}")
            self._is_there = True

    def _list(self, **narrowed: Any) -> Iterator[Blob]:
        return iter(
            self._bucket.client.list_blobs(
                self._bucket, retry=None, timeout=self._patience.timeouts, **narrowed
            )
        )

    def objects(self) -> Iterator[StoredObject]:
        """See `Store`."""
        blobs = self._insist(lambda: list(self._list()), f"list {self.address}")
        return (_stored(each) for each in blobs if not each.name.startswith(MANIFESTS))

    def unfinished(self) -> Iterator[StoredObject]:
        """See `Store`; the service itself forgets sessions after a week."""
        return iter(())

    def put(
        self,
        path: Path,
        key: str,
        *,
        crc32c: str,
        metadata: Mapping[str, str],
        if_generation: int,
        cancellation: Cancellation,
        progress: Progress,
    ) -> StoredObject:
        """See `Store`."""
        doing = f"upload to {self.uri(key)}"
        kind = "vnd.apache.parquet" if key.endswith(".parquet") else "octet-stream"
        described = {
            "name": key,
            "contentType": f"application/{kind}",
            "crc32c": crc32c,  # so the service itself refuses other bytes
            "metadata": dict(metadata),
        }
        sender = Sender(self._bucket, self._lines, self._patience)
        for _ in range(_SESSIONS):
            try:
                resource = sender.send(
                    path, described, doing,
                    if_generation=if_generation, cancellation=cancellation, progress=progress,
                )  # fmt: skip
                return self._checked(key, resource, crc32c, metadata)
            except (ChangedError, SessionGoneError) as reason:
                # Perhaps it was this very upload that put the object there, and its answer was
                # lost; its own name and the bytes' checksum tell.
                found = self.stat(key)
                if (
                    found is not None
                    and found.crc32c == crc32c
                    and found.metadata.get(_OWN_NAME) == metadata.get(_OWN_NAME)
                ):
                    return found
                if isinstance(reason, ChangedError):
                    raise
        raise TargetError(
            f"Cannot {doing}: the service forgot the upload {_SESSIONS} times.",
            hint="Nothing was replaced. Run again later.",
        )

    def _checked(
        self, key: str, resource: Mapping[str, Any], crc32c: str, metadata: Mapping[str, str]
    ) -> StoredObject:
        """What the service says it has, if that is what was sent; else it is taken away."""
        generation, arrived = int(resource["generation"]), str(resource.get("crc32c"))
        if arrived != crc32c:
            self.delete(key, generation)
            raise TargetError(
                f"{self.uri(key)} arrived with checksum {arrived} instead of {crc32c}; "
                "it was taken away again.",
                hint="Run again; if it stays so, something on the way changes the bytes.",
            )
        return StoredObject(key, generation, int(resource["size"]), crc32c, metadata)

    def read(self, found: StoredObject, start: int, size_bytes: int) -> bytes:
        """See `Store`."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        def ask() -> bytes:
            try:
                return bytes(
                    self._bucket.blob(found.key).download_as_bytes(
                        start=start,
                        end=start + size_bytes - 1,
                        if_generation_match=found.generation,
                        raw_download=True,
                        checksum=None,  # the service tells that of the whole object only
                        retry=None,
                        timeout=self._patience.timeouts,
                    )
                )
            except (NotFound, PreconditionFailed) as error:
                if NO_BUCKET in str(error.message):
                    raise
                raise replaced_meanwhile(self.uri(found.key)) from None

        return self._insist(ask, f"read {self.uri(found.key)}")

    def read_small(self, key: str) -> tuple[bytes, int] | None:
        """See `Store`."""
        for _ in range(_LOOKS):
            found = self.stat(key)
            if found is None:
                return None
            try:
                return self._small(key, found.generation), found.generation
            except ChangedError:  # replaced meanwhile: look again
                continue
        raise replaced_meanwhile(self.uri(key))

    def _small(self, key: str, generation: int) -> bytes:
        from google.api_core.exceptions import NotFound, PreconditionFailed

        def ask() -> bytes:
            try:
                return bytes(
                    self._bucket.blob(key).download_as_bytes(
                        if_generation_match=generation,
                        checksum="crc32c",
                        retry=None,
                        timeout=self._patience.timeouts,
                    )
                )
            except (NotFound, PreconditionFailed):
                raise ChangedError(key) from None

        return self._insist(ask, f"read {self.uri(key)}")

    def write_small(self, key: str, data: bytes, *, if_generation: int) -> None:
        """See `Store`."""
        from google.api_core.exceptions import PreconditionFailed

        def write() -> None:
            try:
                self._bucket.blob(key).upload_from_string(
                    data,
                    content_type="application/json",
                    if_generation_match=if_generation,
                    checksum="crc32c",
                    retry=None,
                    timeout=self._patience.timeouts,
                )
            except PreconditionFailed:
                raise ChangedError(key) from None

        self._insist(write, f"write {self.uri(key)}")

    def small_keys(self, prefix: str) -> list[str]:
        """See `Store`."""
        return self._insist(
            lambda: [str(each.name) for each in self._list(prefix=prefix)],
            f"list {self.uri(prefix)}",
        )

    def delete(self, key: str, generation: int) -> None:
        """See `Store`."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        def remove() -> None:
            try:
                self._bucket.blob(key).delete(
                    if_generation_match=generation, retry=None, timeout=self._patience.timeouts
                )
            except (NotFound, PreconditionFailed):
                return

        self._insist(remove, f"delete {self.uri(key)}")

    def permissions(self, asked: Sequence[str]) -> list[str]:
        """Those of the permissions that this account has in the bucket."""
        return self._insist(
            lambda: list(
                self._bucket.test_iam_permissions(
                    list(asked), retry=None, timeout=self._patience.timeouts
                )
            ),
            f"ask for permissions in {self.address}",
        )

    def uri(self, key: str) -> str:
        """See `Store`."""
        return f"{self.address}/{key}"

    def link(self, key: str) -> str | None:
        """See `Store`."""
        return (
            f"https://console.cloud.google.com/storage/browser/_details/{self._name}/{quote(key)}"
        )

    def _insist(self, work: Callable[[], R], doing: str, cancellation: Cancellation = NEVER) -> R:
        return insist(work, doing, patience=self._patience, cancellation=cancellation)


def _stored(blob: Blob) -> StoredObject:
    return StoredObject(
        str(blob.name), int(blob.generation), int(blob.size), blob.crc32c, blob.metadata or {}
    )
