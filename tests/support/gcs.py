"""A Google Cloud Storage of a test's own: real HTTP on loopback, strict, and faulty on order.

It speaks the part of the JSON API that the real client uses here, refuses what the real service
refuses, and lets a test plan what goes wrong with which request.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gcs_bucket import Bucket, Refused, Stored

_OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/(.+)")
_OBJECTS = re.compile(r"/storage/v1/b/([^/]+)/o")
_BUCKET = re.compile(r"/storage/v1/b/([^/]+)")
_PERMISSIONS = re.compile(r"/storage/v1/b/([^/]+)/iam/testPermissions")
_UPLOAD = re.compile(r"/upload/storage/v1/b/([^/]+)/o")
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


@dataclass
class Fault:
    """What goes wrong with some request, once or `times` times.

    One of: an answer of that `status`; the connection `reset` after so many bytes of the body;
    a `stall` (nothing is read or answered); the request is done and its `answer` lost; the
    session is `gone`; the answer names a wrong checksum (`lies`).
    """

    on: str
    status: int | None = None
    reason: str = "backendError"
    message: str = "planned"
    retry_after: int | None = None
    reset_after: int | None = None
    stall: bool = False
    lose_answer: bool = False
    gone: int | None = None
    lies: bool = False
    until: threading.Event | None = None
    """Nothing goes wrong, but it waits for that."""

    after: int = 0
    """How many such requests pass before."""

    times: int = 1


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    kind: str
    path: str
    authorization: str | None
    content_range: str | None
    size: int
    range: str | None = None
    """The bytes that were asked for: `bytes=0-9`."""


class Gcs:
    """The service: its buckets, what it saw, and what is to go wrong."""

    def __init__(self) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.token: str | None = None
        """What a request must carry; None lets everybody in."""

        self.denied: set[str] = set()
        """Permissions that nobody has here."""

        self.granted: str | None = None
        """What an account is given that asks for a token; None for the one that is needed."""

        self.connections = 0
        """That were made to it."""

        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.page_size = 1000
        self.most_uploads = 0
        """How many were under way at once."""

        self.url = ""

    def bucket(self, name: str = "lake") -> Bucket:
        """A bucket, made if need be."""
        return self.buckets.setdefault(name, Bucket(name))

    def fail(self, on: str, **how: Any) -> None:
        """Plan a fault."""
        self.faults.append(Fault(on, **how))

    def kinds(self) -> list[str]:
        """What was asked for, in order."""
        return [each.kind for each in self.seen]

    def fault(self, kind: str) -> Fault | None:
        """What goes wrong with this request."""
        with self.lock:
            for fault in self.faults:
                if fault.on != kind:
                    continue
                if fault.after:
                    fault.after -= 1
                    return None
                if fault.times:
                    fault.times -= 1
                    return fault
        return None

    @contextmanager
    def serving(self, *, certificate: tuple[Path, Path] | None = None) -> Iterator[Gcs]:
        """Answer on a free port while the block runs; over TLS with a certificate and its key."""
        server = _Server(("127.0.0.1", 0), _Handler)
        server.gcs = self
        self.url = f"http://127.0.0.1:{server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            self.url = f"https://localhost:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            server.shutdown()
            thread.join()
            server.close_all()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    gcs: Gcs

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.gcs.connections += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)

    def close_all(self) -> None:
        """End every connection, so that no thread outlives the test."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no matter."""


class _Cut(Exception):
    """The connection is to end here."""


class _Done(Exception):
    """The request was answered."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _unread = 0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _handle(self) -> None:
        gcs = self.server.gcs
        split = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self._unread = int(self.headers.get("Content-Length") or 0)
        kind, arguments = self._kind(split.path)
        gcs.seen.append(
            Seen(
                kind, self.path, self.headers.get("Authorization"),
                self.headers.get("Content-Range"), self._unread, self.headers.get("Range"),
            )
        )  # fmt: skip
        self.fault = gcs.fault(kind)
        try:
            self._allowed(kind, arguments)
        except _Done:
            pass
        except _Cut:
            self._cut()

    def _allowed(self, kind: str, arguments: tuple[str, ...]) -> None:
        """Do what is asked for; what is refused is said."""
        try:
            self._before(kind, arguments)
            getattr(self, "_" + kind.replace(".", "_"))(*arguments)
        except Refused as refused:
            self._refuse(refused)

    def _kind(self, path: str) -> tuple[str, tuple[str, ...]]:
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
        return ("buckets." + verb), ()

    def _before(self, kind: str, arguments: tuple[str, ...]) -> None:
        """What goes wrong before the request is looked at, and who is not let in."""
        gcs, fault = self.server.gcs, self.fault
        if fault and fault.stall:
            gcs.closing.wait()
            raise _Cut
        if fault and fault.until:
            fault.until.wait(60)
        if fault and fault.status:
            self._body()
            raise Refused(fault.status, fault.message, fault.reason, retry_after=fault.retry_after)
        is_open = kind == "token" or kind.startswith("session.")  # its address is its key
        if gcs.token and not is_open and self.headers.get("Authorization") != f"Bearer {gcs.token}":
            self._body()
            raise Refused(401, "Invalid Credentials", "authError")
        if fault and fault.gone:
            self._body()
            self.server.gcs.buckets[arguments[0]].sessions.pop(self.query["upload_id"], None)
            raise Refused(fault.gone, "The session is gone.", "notFound")

    # What can be asked for

    def _token(self) -> None:
        asked = parse_qs(self._body().decode())
        if not asked.get("assertion"):
            raise Refused(400, "no assertion")
        gcs = self.server.gcs
        self._answer(200, {"access_token": gcs.granted or gcs.token, "expires_in": 3600})

    def _bucket_get(self, name: str) -> None:
        self._answer(200, {"kind": "storage#bucket", "name": self._bucket(name).name})

    def _bucket_permissions(self, name: str) -> None:
        self._bucket(name)
        asked = parse_qs(urlsplit(self.path).query).get("permissions", [])
        held = [each for each in asked if each not in self.server.gcs.denied]
        self._answer(200, {"kind": "storage#testIamPermissionsResponse", "permissions": held})

    def _buckets_post(self) -> None:
        asked = json.loads(self._body())
        name = asked["name"]
        if name in self.server.gcs.buckets:
            raise Refused(409, "The requested bucket name is not available.", "conflict")
        self.server.gcs.bucket(name).resource = asked
        self._answer(200, {"kind": "storage#bucket", **asked})

    def _objects_list(self, bucket: str) -> None:
        found = self._bucket(bucket)
        names = sorted(each for each in found.objects if each.startswith(self._asked("prefix")))
        size = min(int(self.query.get("maxResults") or 1000), self.server.gcs.page_size)
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
            raise _Cut
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
        gcs = self.server.gcs
        with gcs.lock:
            under_way = sum(each.done is None for each in list(found.sessions.values()))
            gcs.most_uploads = max(gcs.most_uploads, under_way)
        address = (
            f"{self.server.gcs.url}/upload/storage/v1/b/{bucket}/o"
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
            raise _Cut
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
        if name not in self.server.gcs.buckets:
            self._body()
            raise Refused(404, "The specified bucket does not exist.", "notFound")
        return self.server.gcs.buckets[name]

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

    def _body(self, size: int | None = None) -> bytes:
        size = self._unread if size is None else min(size, self._unread)
        data = self.rfile.read(size)
        self._unread -= len(data)
        if len(data) < size:
            raise _Cut
        return data

    def _described(self, bucket: str, stored: Stored) -> None:
        resource = stored.described(bucket)
        if self.fault and self.fault.lies:
            resource["crc32c"] = "AAAAAA=="
        self._answer(200, resource)

    def _go_on(self, have: int) -> None:
        self._send(308, {"Range": f"bytes=0-{have - 1}"} if have else {}, b"")

    def _refuse(self, refused: Refused) -> None:
        error = {"reason": refused.reason, "domain": "global", "message": refused.message}
        document = {
            "error": {"code": refused.status, "message": refused.message, "errors": [error]}
        }
        if self.path == "/token":
            document = {"error": refused.reason, "error_description": refused.message}  # type: ignore[dict-item]
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        if refused.retry_after is not None:
            headers["Retry-After"] = str(refused.retry_after)
        with suppress(_Done):
            self._body()  # else what is left of it would be taken for the next request
            self._send(refused.status, headers, json.dumps(document).encode())

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        self._send(status, headers, json.dumps(document).encode())

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, *, cut_after: int | None = None
    ) -> None:
        """Answer, and be done with the request."""
        if self.fault and self.fault.lose_answer:
            raise _Cut
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut_after])
        if cut_after is not None:
            raise _Cut
        raise _Done

    def _cut(self) -> None:
        """End the connection without an answer, as a broken line does."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
