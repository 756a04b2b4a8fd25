"""What a Google Cloud Storage bucket holds, and the rules by which it takes and refuses bytes.

Source: Google Cloud, "Cloud Storage JSON API: Objects", "Resumable uploads", "Request
preconditions", "Object metadata" (custom metadata: 8 KiB).
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import google_crc32c
from loopback import Refused

QUANTUM = 256 * 1024
"""A chunk that is not the last is a multiple of this, and so is what is kept of a cut one."""

_METADATA_BYTES = 8 * 1024


def crc32c(data: bytes) -> str:
    """As the service writes it."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def md5(data: bytes) -> str:
    """As the service writes it."""
    return base64.b64encode(hashlib.md5(data).digest()).decode()


@dataclass
class Stored:
    """One generation of an object."""

    name: str
    data: bytes
    generation: int
    resource: dict[str, Any]
    metageneration: int = 1
    crc32c: str = ""
    md5: str = ""
    made_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def __post_init__(self) -> None:
        self.crc32c, self.md5 = crc32c(self.data), md5(self.data)

    def described(self, bucket: str) -> dict[str, Any]:
        """The object resource."""
        return {
            "kind": "storage#object",
            "id": f"{bucket}/{self.name}/{self.generation}",
            "name": self.name,
            "bucket": bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "contentType": self.resource.get("contentType", "application/octet-stream"),
            "size": str(len(self.data)),
            "crc32c": self.crc32c,
            "md5Hash": self.md5,
            "metadata": self.resource.get("metadata", {}),
            "timeCreated": self.made_at,
            "updated": self.made_at,
            "storageClass": "STANDARD",
        }


@dataclass
class Session:
    """A resumable upload under way."""

    name: str
    resource: dict[str, Any]
    if_generation: int | None
    data: bytearray = field(default_factory=bytearray)
    total: int | None = None
    done: Stored | None = None


class Bucket:
    """Objects by name, and the uploads under way."""

    _generations = itertools.count(1_700_000_000_000_000)
    _sessions = itertools.count(1)

    def __init__(self, name: str, location: str = "US") -> None:
        self.name = name
        self.location = location
        self.objects: dict[str, Stored] = {}
        self.sessions: dict[str, Session] = {}
        self.lock = threading.RLock()
        self.resource: dict[str, Any] = {"name": name}
        """What was asked for when it was made."""

    def get(self, name: str) -> Stored:
        """The object's live generation."""
        found = self.objects.get(name)
        if found is None:
            raise Refused(404, f"No such object: {self.name}/{name}", "notFound")
        return found

    def check(self, name: str, if_generation: int | None) -> None:
        """Refuse what was to hold for another generation; 0 means that there is none."""
        found = self.objects.get(name)
        if if_generation is not None and if_generation != (found.generation if found else 0):
            raise Refused(
                412, "At least one of the pre-conditions you specified did not hold.",
                "conditionNotMet",
            )  # fmt: skip

    def insert(
        self, name: str, data: bytes, resource: dict[str, Any], if_generation: int | None
    ) -> Stored:
        """Make a new generation, if all that was said of it is true."""
        check_resource(name, resource)
        stored = Stored(name, bytes(data), 0, resource)
        for key, told, is_so in (
            ("CRC32C", resource.get("crc32c"), stored.crc32c),
            ("MD5", resource.get("md5Hash"), stored.md5),
        ):
            if told is not None and told != is_so:
                raise Refused(
                    400, f"Provided {key} hash {told!r} doesn't match calculated {key} {is_so!r}."
                )
        with self.lock:
            self.check(name, if_generation)
            stored.generation = next(self._generations)
            self.objects[name] = stored
        return stored

    def start(self, resource: dict[str, Any], if_generation: int | None) -> str:
        """Begin a resumable upload; its id."""
        name = resource.get("name", "")
        check_resource(name, resource)
        with self.lock:
            self.check(name, if_generation)
            upload_id = f"session-{next(self._sessions)}-secret"
            self.sessions[upload_id] = Session(name, resource, if_generation)
        return upload_id

    def session(self, upload_id: str) -> Session:
        """The upload of that id."""
        if upload_id not in self.sessions:
            raise Refused(404, "Upload session not found.", "notFound")
        return self.sessions[upload_id]

    def append(
        self, session: Session, start: int, data: bytes, total: int | None, *, is_whole: bool = True
    ) -> Stored | None:
        """Take a chunk; the object once it is complete.

        Args:
            is_whole: False where the connection broke: then what is kept ends on a border.
        """
        have = len(session.data)
        if session.total is not None and total not in (None, session.total):
            raise Refused(400, "The total size changed.")
        if start > have:
            raise Refused(
                400, f"The upload offset is {start} bytes, which exceeds already uploaded size "
                f"of {have} bytes.",
            )  # fmt: skip
        if session.data[start : start + len(data)] != data[: have - start]:
            raise Refused(400, "The bytes sent again differ.")
        is_last = total is not None and start + len(data) == total
        if is_whole and not is_last and len(data) % QUANTUM:
            raise Refused(400, "A chunk that is not the last must be a multiple of 256 KiB.")
        session.total = total if total is not None else session.total
        kept = data if is_whole else data[: len(data) // QUANTUM * QUANTUM]
        session.data[start:] = kept if start + len(kept) > have else session.data[start:]
        if is_last and is_whole:
            session.done = self.insert(
                session.name, bytes(session.data), session.resource, session.if_generation
            )
        return session.done


def check_resource(name: str, resource: dict[str, Any]) -> None:
    """Refuse names and metadata that the service does not take."""
    if not name or len(name.encode()) > 1024 or "\r" in name or "\n" in name:
        raise Refused(400, "Invalid object name.")
    metadata = resource.get("metadata") or {}
    if not all(isinstance(value, str) for value in metadata.values()):
        raise Refused(400, "Custom metadata must be text.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in metadata.items()) > (
        _METADATA_BYTES
    ):
        raise Refused(400, "Metadata exceeds 8 KiB.")
