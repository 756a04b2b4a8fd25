"""A Google Cloud Storage of a test's own: real HTTP on loopback, strict, and faulty on order.

It speaks the part of the JSON API that the real client uses here, refuses what the real service
refuses, and lets a test plan what goes wrong with which request.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gcs_bucket import Bucket, Stored
from loopback import Cut, Handler, Refused, Service

_OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/(.+)")
_OBJECTS = re.compile(r"/storage/v1/b/([^/]+)/o")
_BUCKET = re.compile(r"/storage/v1/b/([^/]+)")
_PERMISSIONS = re.compile(r"/storage/v1/b/([^/]+)/iam/testPermissions")
_UPLOAD = re.compile(r"/upload/storage/v1/b/([^/]+)/o")
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class Gcs(Service):
    """The service and its buckets."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets: dict[str, Bucket] = {}
        self.page_size = 1000
        self.sending = 0
        """Requests under way that bring bytes of an object."""

        self.most_uploads = 0
        """How many of those there were at once."""

    def handler(self) -> type[Handler]:
        """What answers."""
        return _Handler

    def bucket(self, name: str = "lake") -> Bucket:
        """A bucket, made if need be."""
        return self.buckets.setdefault(name, Bucket(name))


class _Handler(Handler):
    @property
    def gcs(self) -> Gcs:
        assert isinstance(self.server.service, Gcs)
        return self.server.service

    def is_open(self, kind: str) -> bool:
        """A session's address is its key."""
        return super().is_open(kind) or kind.startswith("session.")

    def kind(self, path: str) -> tuple[str, tuple[str, ...]]:
        """What is asked for, and of what."""
        verb = self.command.lower()
        if path == "/token":
            return "token", ()
        if match := _UPLOAD.fullmatch(path):
            if "upload_id" in self.query:
                is_status = self._unread == 0 and self.headers.get("Content-Range", "").startswith(
                    "bytes */"
                )
                return ("session.status" if is_status else f"session.{verb}"), (match[1],)
            return f"upload.{self.query.get('uploadType')}", (match[1],)
        if match := _OBJECT.fullmatch(path):
            name = "media" if self.query.get("alt") == "media" else verb
            return f"object.{name}", (match[1], unquote(match[2]))
        if match := _OBJECTS.fullmatch(path):
            return "objects.list", (match[1],)
        if match := _PERMISSIONS.fullmatch(path):
            return "bucket.permissions", (match[1],)
        if match := _BUCKET.fullmatch(path):
            return f"bucket.{verb}", (match[1],)
        return ("buckets." + verb if path == "/storage/v1/b" else "nothing"), ()

    def allowed(self, kind: str, arguments: tuple[str, ...]) -> None:
        """Do what is asked for, counting what brings bytes."""
        self.is_counted = kind in ("session.put", "upload.multipart")
        if self.is_counted:
            with self.gcs.lock:
                self.gcs.sending += 1
                self.gcs.most_uploads = max(self.gcs.most_uploads, self.gcs.sending)
        try:
            super().allowed(kind, arguments)
        finally:
            self._uncount()

    def _send(self, *answer: Any, **how: Any) -> None:
        self._uncount()  # before: whoever has the answer may go on at once
        super()._send(*answer, **how)

    def _uncount(self) -> None:
        if self.is_counted:
            self.is_counted = False
            with self.gcs.lock:
                self.gcs.sending -= 1

    def before(self, kind: str, arguments: tuple[str, ...]) -> None:
        """What goes wrong before the request is looked at."""
        super().before(kind, arguments)
        if self.fault and self.fault.gone:
            self._body()
            self.gcs.buckets[arguments[0]].sessions.pop(self.query["upload_id"], None)
            raise Refused(self.fault.gone, "The session is gone.", "notFound")

    # What can be asked for

    def _bucket_get(self, name: str) -> None:
        found = self._bucket(name)
        if "storage.buckets.get" in self.gcs.denied:
            raise Refused(
                403, "etl@p does not have storage.buckets.get access to the Google Cloud Storage "
                "bucket.", "forbidden",
            )  # fmt: skip
        self._answer(
            200, {"kind": "storage#bucket", "name": found.name, "location": found.location.upper()}
        )

    def _nothing(self) -> None:
        """What any server answers at an address that it does not know."""
        self._body()
        self._send(404, {"Content-Type": "text/html"}, b"<html>Not Found</html>")

    def _bucket_permissions(self, name: str) -> None:
        self._bucket(name)
        asked = parse_qs(urlsplit(self.path).query).get("permissions", [])
        held = [each for each in asked if each not in self.gcs.denied]
        self._answer(200, {"kind": "storage#testIamPermissionsResponse", "permissions": held})

    def _buckets_post(self) -> None:
        asked = json.loads(self._body())
        name = asked["name"]
        if name in self.gcs.buckets:
            raise Refused(409, "The requested bucket name is not available.", "conflict")
        self.gcs.bucket(name).resource = asked
        self._answer(200, {"kind": "storage#bucket", **asked})

    def _objects_list(self, bucket: str) -> None:
        found = self._bucket(bucket)
        names = sorted(each for each in found.objects if each.startswith(self._asked("prefix")))
        size = min(int(self.query.get("maxResults") or 1000), self.gcs.page_size)
        first = int(self.query.get("pageToken") or 0)
        page = {
            "kind": "storage#objects",
            "items": [found.objects[each].described(bucket) for each in names[first:][:size]],
        }
        if first + size < len(names):
            page["nextPageToken"] = str(first + size)
        self._answer(200, page)

    def _object_get(self, bucket: str, name: str) -> None:
        self._described(bucket, self._found(bucket, name))

    def _object_media(self, bucket: str, name: str) -> None:
        stored = self._found(bucket, name)
        data, status = stored.data, 200
        headers = {
            "X-Goog-Hash": f"crc32c={stored.crc32c},md5={stored.md5}",
            "X-Goog-Generation": str(stored.generation),
            "Content-Type": "application/octet-stream",
        }
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(match[1]), int(match[2] or len(data) - 1)
            if first >= len(data):
                raise Refused(416, "Requested range not satisfiable")
            headers["Content-Range"] = f"bytes {first}-{min(last, len(data) - 1)}/{len(data)}"
            data, status = data[first : last + 1], 206
        if self.fault and self.fault.reset_after is not None:
            self._send(status, headers, data, cut_after=self.fault.reset_after)
        self._send(status, headers, data)

    def _object_patch(self, bucket: str, name: str) -> None:
        with self._bucket(bucket).lock:
            stored = self._found(bucket, name)
            stored.resource = {**stored.resource, **json.loads(self._body())}
            stored.metageneration += 1
        self._described(bucket, stored)

    def _object_delete(self, bucket: str, name: str) -> None:
        found = self._bucket(bucket)
        with found.lock:
            self._found(bucket, name)
            del found.objects[name]
        self._send(204, {}, b"")

    def _upload_multipart(self, bucket: str) -> None:
        found = self._bucket(bucket)
        if self.fault and self.fault.reset_after is not None:
            self._body(self.fault.reset_after)
            raise Cut
        body = self._body()
        boundary = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        if boundary is None:
            raise Refused(400, "no boundary")
        border = b"--" + boundary[1].encode()
        end = b"\r\n" if body.startswith(border + b"\r\n") else b"\n"  # gcsfs ends lines so
        _, described, content, _ = body.split(border)
        resource = json.loads(described.split(end * 2, 1)[1])
        data = content.split(end * 2, 1)[1].removesuffix(end)
        stored = found.insert(resource["name"], data, resource, self._if_generation())
        self._described(bucket, stored)

    def _upload_resumable(self, bucket: str) -> None:
        found = self._bucket(bucket)
        resource = json.loads(self._body() or b"{}")
        resource.setdefault("name", self._asked("name"))
        resource.setdefault("contentType", self.headers.get("X-Upload-Content-Type"))
        upload_id = found.start(resource, self._if_generation())
        address = (
            f"{self.gcs.url}/upload/storage/v1/b/{bucket}/o"
            f"?uploadType=resumable&upload_id={upload_id}"
        )
        self._send(200, {"Location": address, "X-GUploader-UploadID": upload_id}, b"")

    def _session_status(self, bucket: str) -> None:
        found = self._bucket(bucket)
        session = found.session(self.query["upload_id"])
        if self.headers["Content-Range"] == "bytes */0" and not session.done:
            found.append(session, 0, b"", 0)
        if session.done:
            self._described(bucket, session.done)
        self._go_on(len(session.data))

    def _session_put(self, bucket: str) -> None:
        found = self._bucket(bucket)
        session = found.session(self.query["upload_id"])
        match = _RANGE.fullmatch(self.headers.get("Content-Range", ""))
        if match is None or match[1] is None:
            self._body()
            raise Refused(400, "Invalid Content-Range.")
        start, end = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
        if end - start + 1 != self._unread or (total is not None and end >= total):
            self._body()
            raise Refused(400, "Content-Range and Content-Length do not agree.")
        if self.fault and self.fault.reset_after is not None:
            data = self._body(self.fault.reset_after)
            with found.lock:
                found.append(session, start, data, total, is_whole=False)
            raise Cut
        data = self._body()
        with found.lock:
            stored = session.done or found.append(session, start, data, total)
        if stored:
            self._described(bucket, stored)
        self._go_on(len(session.data))

    _session_post = _session_put  # gcsfs says it so

    def _session_delete(self, bucket: str) -> None:
        self._bucket(bucket).sessions.pop(self.query["upload_id"], None)
        raise Refused(499, "Upload cancelled.")

    # What they have in common

    def _bucket(self, name: str) -> Bucket:
        if name not in self.gcs.buckets:
            self._body()
            raise Refused(404, "The specified bucket does not exist.", "notFound")
        return self.gcs.buckets[name]

    def _found(self, bucket: str, name: str) -> Stored:
        stored = self._bucket(bucket).get(name)
        if self.query.get("generation", str(stored.generation)) != str(stored.generation):
            raise Refused(404, f"No such object: {bucket}/{name}", "notFound")
        self._bucket(bucket).check(name, self._if_generation())
        return stored

    def _if_generation(self) -> int | None:
        asked = self.query.get("ifGenerationMatch")
        return None if asked is None else int(asked)

    def _asked(self, name: str) -> str:
        return self.query.get(name, "")

    def _described(self, bucket: str, stored: Stored) -> None:
        resource = stored.described(bucket)
        if self.fault and self.fault.lies:
            resource["crc32c"] = "AAAAAA=="
        self._answer(200, resource)

    def _go_on(self, have: int) -> None:
        self._send(308, {"Range": f"bytes=0-{have - 1}"} if have else {}, b"")
