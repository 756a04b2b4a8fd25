"""The bucket of the tests refuses what the real one refuses, and answers as it does."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from gcs import Gcs
from gcs_bucket import QUANTUM, crc32c, md5
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

DATA = os.urandom(3 * QUANTUM + 17)


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        yield service


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def begin(gcs: Gcs, http: requests.Session, query: str = "", **resource: Any) -> str:
    """A session's address."""
    done = http.post(
        f"{gcs.url}/upload/storage/v1/b/lake/o?uploadType=resumable{query}",
        json={"name": "a", **resource},
    )
    assert done.status_code == 200, done.text
    return done.headers["Location"]


def put(
    http: requests.Session, url: str, start: int, end: int, total: object = len(DATA)
) -> requests.Response:
    """A chunk of the data, from start up to but without end."""
    return http.put(
        url,
        data=DATA[start:end],
        headers={"Content-Range": f"bytes {start}-{end - 1}/{total}"},
        allow_redirects=False,
    )


def ask(http: requests.Session, url: str, total: object = "*") -> requests.Response:
    return http.put(url, headers={"Content-Range": f"bytes */{total}"}, allow_redirects=False)


def test_chunks_are_taken_one_after_the_other(gcs: Gcs, http: requests.Session) -> None:
    url = begin(gcs, http)
    nothing = ask(http, url)
    some = put(http, url, 0, 2 * QUANTUM)
    again = ask(http, url)
    last = put(http, url, 2 * QUANTUM, len(DATA))

    assert (nothing.status_code, nothing.headers.get("Range")) == (308, None)
    assert (some.status_code, some.headers["Range"]) == (308, f"bytes=0-{2 * QUANTUM - 1}")
    assert again.headers["Range"] == some.headers["Range"]
    assert last.status_code == 200
    assert last.json()["size"] == str(len(DATA))
    assert (last.json()["crc32c"], last.json()["md5Hash"]) == (crc32c(DATA), md5(DATA))
    assert ask(http, url).json() == last.json()


@pytest.mark.parametrize(
    ("start", "end", "total"),
    [
        pytest.param(0, QUANTUM + 1, len(DATA), id="no multiple of 256 KiB"),
        pytest.param(QUANTUM, 2 * QUANTUM, len(DATA), id="a gap"),
        pytest.param(0, len(DATA), QUANTUM, id="beyond the total"),
    ],
)
def test_chunks_against_the_rules_are_refused(
    gcs: Gcs, http: requests.Session, start: int, end: int, total: int
) -> None:
    assert put(http, begin(gcs, http), start, end, total).status_code == 400
    assert gcs.bucket().objects == {}


def test_a_length_that_is_not_the_ranges_is_refused(gcs: Gcs, http: requests.Session) -> None:
    headers = {"Content-Range": f"bytes 0-{QUANTUM}/{len(DATA)}"}

    done = http.put(begin(gcs, http), data=DATA[:QUANTUM], headers=headers)

    assert done.status_code == 400


def test_a_total_that_changes_is_refused(gcs: Gcs, http: requests.Session) -> None:
    url = begin(gcs, http)
    put(http, url, 0, QUANTUM)

    assert put(http, url, QUANTUM, 2 * QUANTUM, len(DATA) + 1).status_code == 400


def test_bytes_that_overlap_are_taken_once(gcs: Gcs, http: requests.Session) -> None:
    url = begin(gcs, http)
    put(http, url, 0, 2 * QUANTUM)

    done = put(http, url, QUANTUM, len(DATA))

    assert done.status_code == 200
    assert gcs.bucket().objects["a"].data == DATA


@pytest.mark.parametrize("told", [{"crc32c": "AAAAAA=="}, {"md5Hash": "A" * 22 + "=="}])
def test_bytes_that_are_not_as_told_make_no_object(
    gcs: Gcs, http: requests.Session, told: dict[str, str]
) -> None:
    done = put(http, begin(gcs, http, **told), 0, len(DATA))

    assert done.status_code == 400
    assert "doesn't match" in done.json()["error"]["message"]
    assert gcs.bucket().objects == {}


def test_conditions_hold_when_an_upload_begins_and_when_it_ends(
    gcs: Gcs, http: requests.Session
) -> None:
    url = begin(gcs, http, "&ifGenerationMatch=0")
    gcs.bucket().insert("a", b"theirs", {"name": "a"}, None)
    begun = http.post(
        f"{gcs.url}/upload/storage/v1/b/lake/o?uploadType=resumable&ifGenerationMatch=0",
        json={"name": "a"},
    )

    ended = put(http, url, 0, len(DATA))

    assert (begun.status_code, ended.status_code) == (412, 412)
    assert gcs.bucket().objects["a"].data == b"theirs"


@pytest.mark.parametrize(
    ("resource", "why"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 1025}, "name"),
        ({"metadata": {"a": "b" * 8192}}, "8 KiB"),
        ({"metadata": {"a": 1}}, "text"),
    ],
)
def test_names_and_metadata_beyond_the_rules_are_refused(
    gcs: Gcs, http: requests.Session, resource: dict[str, Any], why: str
) -> None:
    done = http.post(
        f"{gcs.url}/upload/storage/v1/b/lake/o?uploadType=resumable",
        json={"name": "a", **resource},
    )

    assert done.status_code == 400
    assert why in done.json()["error"]["message"]


def test_a_cancelled_session_is_gone(gcs: Gcs, http: requests.Session) -> None:
    url = begin(gcs, http)

    assert http.delete(url).status_code == 499
    assert ask(http, url).status_code == 404


def test_parts_are_read_with_the_checksum_of_all(gcs: Gcs, http: requests.Session) -> None:
    gcs.bucket().insert("a/b", DATA, {"name": "a/b"}, None)
    url = f"{gcs.url}/download/storage/v1/b/lake/o/a%2Fb?alt=media"

    part = http.get(url, headers={"Range": "bytes=5-9"})

    assert (part.status_code, part.content) == (206, DATA[5:10])
    assert part.headers["Content-Range"] == f"bytes 5-9/{len(DATA)}"
    assert f"crc32c={crc32c(DATA)}" in part.headers["X-Goog-Hash"]
    assert http.get(url, headers={"Range": f"bytes={len(DATA)}-"}).status_code == 416


def test_a_patch_makes_a_metageneration_and_no_generation(gcs: Gcs, http: requests.Session) -> None:
    stored = gcs.bucket().insert("a", b"1", {"name": "a"}, None)

    done = http.patch(f"{gcs.url}/storage/v1/b/lake/o/a", json={"metadata": {"k": "v"}}).json()

    assert (done["generation"], done["metageneration"]) == (str(stored.generation), "2")
    assert done["metadata"] == {"k": "v"}


def test_the_real_client_makes_buckets_and_objects(gcs: Gcs, tmp_path: Path) -> None:
    """Its own upload of over 8 MiB is a resumable one."""
    client = storage.Client(
        project="p",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": gcs.url},
    )
    bucket = client.create_bucket("other")
    data = os.urandom(9 * 1024 * 1024)
    (tmp_path / "file").write_bytes(data)

    bucket.blob("a").upload_from_filename(str(tmp_path / "file"), if_generation_match=0)
    bucket.blob("b").upload_from_string("small", checksum="md5")

    assert client.bucket("other").exists()
    assert bucket.blob("a").download_as_bytes() == data
    assert [each.name for each in client.list_blobs("other")] == ["a", "b"]
    assert "upload.resumable" in gcs.kinds()
    assert "upload.multipart" in gcs.kinds()
    client.close()


def test_checksums_are_written_as_the_service_writes_them() -> None:
    """Source: Google Cloud, "Hashes and ETags"; the check value of CRC-32C (RFC 3720, B.4)."""
    assert base64.b64decode(crc32c(b"123456789")).hex() == "e3069283"
    assert json.dumps(md5(b"")) == '"1B2M2Y8AsgTpgAmY7PhCfg=="'
