"""The bucket: what arrives, what is asked again, and what is said when it is refused."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate_for
from gcs import Gcs
from gcs_bucket import QUANTUM
from google.auth.credentials import Credentials
from google.cloud.storage import Client
from lakes import KEY, BucketLake, facts

from taxietl.errors import Cancelled, ConfigError, TargetError, TaxietlError, TryLaterError
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.gcs import GcsStore
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.line import Lines
from taxietl.load.lake.values import facts_of
from taxietl.load.lake.whole import WholeFile
from taxietl.orchestrator import Cancellation
from taxietl.steps.protocols import untold

CHUNKS = 4
"""Of the fixture `file`."""


def sent_bytes(gcs: Gcs) -> int:
    """Of the object, in all chunks that were begun."""
    return sum(each.size for each in gcs.seen if each.kind == "session.put")


def test_a_file_arrives_with_its_facts(bucket: BucketLake, gcs: Gcs, file: Path) -> None:
    version = bucket.upload(file, source_etag='"é"')

    stored = gcs.bucket().objects[KEY]
    assert stored.data == file.read_bytes()
    assert stored.generation == version.generation
    assert facts_of(stored.resource["metadata"]) == version.facts
    assert stored.resource["contentType"] == "application/vnd.apache.parquet"
    assert gcs.kinds().count("session.put") == CHUNKS


WHOLE = 4 * QUANTUM
"""A chunk in which the fixture `file` has room."""


def test_a_file_of_one_chunk_is_one_request(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=file.stat().st_size)

    version = lake.upload(file, source_etag='"é"')

    stored = gcs.bucket().objects[KEY]
    assert gcs.kinds() == ["upload.multipart"]
    assert stored.data == file.read_bytes()
    assert stored.generation == version.generation
    assert facts_of(stored.resource["metadata"]) == version.facts
    assert stored.resource["crc32c"] == version.facts.crc32c
    assert stored.resource["contentType"] == "application/vnd.apache.parquet"


def test_one_connection_serves_many_uploads(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)

    for number in range(3):
        lake.upload(file, key=f"data/{number}")

    assert gcs.connections == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 503}, id="503"),
        pytest.param({"status": 429, "reason": "rateLimitExceeded"}, id="429"),
        pytest.param({"reset_after": 300_000}, id="reset"),
    ],
)
def test_a_small_file_is_sent_again_whole(gcs: Gcs, file: Path, fault: dict[str, Any]) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    gcs.fail("upload.multipart", **fault)

    lake.upload(file)

    assert lake.bytes_at(KEY) == file.read_bytes()
    assert gcs.kinds() == ["upload.multipart"] * 2
    assert len(lake.slept.seconds) == 1


@pytest.mark.parametrize("replaced", [False, True], ids=["the first", "a restated one"])
def test_a_small_file_whose_answer_was_lost_is_known_again(
    gcs: Gcs, file: Path, replaced: bool
) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    before = lake.upload(file).generation if replaced else 0
    file.write_bytes(file.read_bytes() + b"restated")
    gcs.seen.clear()
    gcs.fail("upload.multipart", lose_answer=True)

    version = lake.upload(file, if_generation=before)

    assert gcs.bucket().objects[KEY].generation == version.generation
    assert gcs.kinds() == ["upload.multipart", "upload.multipart", "object.get"]


def test_a_small_file_that_another_was_before_replaces_nothing(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    lake.plant(KEY, b"theirs")

    with pytest.raises(TryLaterError, match="Another upload put"):
        lake.upload(file, if_generation=0)

    assert lake.bytes_at(KEY) == b"theirs"


def test_of_two_small_uploads_at_once_one_wins(gcs: Gcs, file: Path) -> None:
    ended: list[str] = []
    lake = BucketLake(gcs, chunk_bytes=WHOLE)

    def upload() -> None:
        try:
            lake.upload(file)
            ended.append("won")
        except TryLaterError:
            ended.append("lost")

    threads = [threading.Thread(target=upload) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(ended) == ["lost"] * 5 + ["won"]


def test_a_small_file_that_arrived_otherwise_is_taken_away_again(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    gcs.fail("upload.multipart", lies=True)

    with pytest.raises(TargetError, match=r"arrived with checksum AAAAAA== instead of"):
        lake.upload(file)

    assert lake.keys() == []


def test_a_small_file_under_way_has_a_deadline(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE, chunk_seconds=-1.0)

    with pytest.raises(TargetError, match=r"no answer \(OverdueError\)"):
        lake.upload(file)

    assert lake.keys() == []


def test_a_small_file_under_way_can_be_stopped(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    gcs.fail("upload.multipart", stall=True)
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.request, ("Stopped.",)).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        lake.upload(file, cancellation=cancellation)

    assert time.monotonic() - began < 10  # a silent service is waited for 30 s
    assert lake.keys() == []


def test_after_one_that_was_stopped_the_next_arrives(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=WHOLE)
    gcs.fail("upload.multipart", stall=True, after=1)
    cancellation = Cancellation()

    lake.upload(file, key="first", cancellation=cancellation)
    threading.Timer(0.2, cancellation.request, ("Stopped.",)).start()
    with pytest.raises(Cancelled):
        lake.upload(file, key="second", cancellation=cancellation)
    lake.upload(file, key="third")

    assert lake.keys() == ["first", "third"]


def test_a_small_files_progress_is_told_up_to_the_end(gcs: Gcs, file: Path) -> None:
    told: list[int] = []
    lake = BucketLake(gcs, chunk_bytes=WHOLE)

    lake.lake.put(
        file,
        facts(file),
        if_generation=0,
        cancellation=Cancellation(),
        progress=lambda done, total: told.append(done),
    )

    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, file.stat().st_size)
    assert len(told) > 2


@pytest.mark.parametrize("chunk_bytes", [WHOLE, QUANTUM], ids=["in one", "in chunks"])
def test_an_upload_goes_by_the_environments_proxy(
    gcs: Gcs, file: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setenv("http_proxy", gcs.url)
    monkeypatch.delenv("no_proxy", raising=False)
    lake = BucketLake(gcs, chunk_bytes=chunk_bytes)
    nobody = GcpCredentialsProfile(anonymous=True)
    profile = GcsProfile(bucket="lake", endpoint="http://storage.example").referring(
        "credentials", nobody
    )
    store = GcsStore(profile, patience=lake.patience)

    told = facts(file)
    Lake(profile, store).put(
        file, told, if_generation=0, cancellation=Cancellation(), progress=untold
    )

    assert lake.bytes_at(KEY) == file.read_bytes()
    assert any(each.path.startswith("http://storage.example/upload/") for each in gcs.seen)


class Renewable(Credentials):
    """Credentials whose token is another after each renewal."""

    def __init__(self, *tokens: str) -> None:
        super().__init__()
        self.tokens = list(tokens)
        self.token = self.tokens.pop(0)

    def refresh(self, request: object) -> None:
        self.token = self.tokens.pop(0)


@pytest.mark.parametrize(
    ("tokens", "arrives"), [(("old", "new"), True), (("old", "older"), False)], ids=["yes", "no"]
)
def test_a_token_that_is_accepted_no_more_is_renewed_once(
    gcs: Gcs, file: Path, tokens: tuple[str, ...], arrives: bool
) -> None:
    gcs.token = "new"
    client = Client(
        project="p", credentials=Renewable(*tokens), client_options={"api_endpoint": gcs.url}
    )
    sending = WholeFile(
        client.bucket("lake"),
        {"name": KEY, "contentType": "text/plain"},
        file,
        file.stat().st_size,
        "upload it",
        if_generation=0,
        patience=BucketLake(gcs).patience,
        cancellation=Cancellation(),
        progress=untold,
    )

    if arrives:
        assert sending.run(Lines())["name"] == KEY
    else:
        with pytest.raises(TargetError, match="not accepted"):
            sending.run(Lines())

    assert [each.authorization for each in gcs.seen] == [f"Bearer {each}" for each in tokens]


def test_an_empty_file_arrives(bucket: BucketLake, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")

    bucket.upload(empty)

    assert bucket.bytes_at(KEY) == b""


def test_progress_is_told_up_to_the_end(bucket: BucketLake, file: Path) -> None:
    told: list[tuple[int, int | None]] = []

    bucket.lake.put(
        file,
        facts(file),
        if_generation=0,
        cancellation=Cancellation(),
        progress=lambda done, total: told.append((done, total)),
    )

    size = file.stat().st_size
    assert told[-1] == (size, size)
    assert len(told) > CHUNKS
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize(
    ("fault", "sent_again"),
    [
        pytest.param({"on": "session.put", "status": 503, "after": 1}, QUANTUM, id="503"),
        pytest.param({"on": "session.put", "status": 500}, QUANTUM, id="500"),
        pytest.param({"on": "session.put", "status": 502}, QUANTUM, id="502"),
        pytest.param({"on": "session.put", "status": 408}, QUANTUM, id="408"),
        pytest.param(
            {"on": "session.put", "status": 429, "reason": "rateLimitExceeded"}, QUANTUM, id="429"
        ),
        pytest.param({"on": "session.put", "reset_after": 70_000, "after": 2}, QUANTUM, id="reset"),
        pytest.param({"on": "session.put", "lose_answer": True, "after": 1}, 0, id="answer lost"),
        pytest.param(
            {"on": "session.put", "lose_answer": True, "after": 3}, 0, id="last answer lost"
        ),
        pytest.param({"on": "upload.resumable", "status": 503}, 0, id="503 at the start"),
        pytest.param({"on": "upload.resumable", "lose_answer": True}, 0, id="start lost"),
    ],
)
def test_an_upload_goes_on_where_it_stopped(
    bucket: BucketLake, gcs: Gcs, file: Path, fault: dict[str, Any], sent_again: int
) -> None:
    gcs.fail(**fault)

    version = bucket.upload(file)

    assert bucket.bytes_at(KEY) == file.read_bytes()
    assert gcs.bucket().objects[KEY].generation == version.generation
    assert len(bucket.slept.seconds) == 1
    assert sent_bytes(gcs) == file.stat().st_size + sent_again


def test_what_arrived_of_a_cut_chunk_is_not_sent_again(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=3 * QUANTUM)
    gcs.fail("session.put", reset_after=2 * QUANTUM + 5)

    lake.upload(file)

    second = [each for each in gcs.seen if each.kind == "session.put"][1]
    assert second.content_range == f"bytes {2 * QUANTUM}-{file.stat().st_size - 1}/878500"
    assert lake.bytes_at(KEY) == file.read_bytes()


def test_a_chunk_that_stalls_is_given_up_and_sent_again(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, silence_seconds=0.3)
    gcs.fail("session.put", stall=True, after=1)

    lake.upload(file)

    assert lake.bytes_at(KEY) == file.read_bytes()


def test_a_chunk_has_a_deadline_as_a_whole(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_seconds=-1.0)

    with pytest.raises(TargetError, match=r"no answer \(OverdueError\)"):
        lake.upload(file)

    assert lake.keys() == []


def test_cuts_that_let_something_through_are_no_reason_to_give_up(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, chunk_bytes=3 * QUANTUM, attempts=2)
    gcs.fail("session.put", reset_after=QUANTUM + 5, times=3)

    lake.upload(file)

    assert lake.bytes_at(KEY) == file.read_bytes()
    assert len(lake.slept.seconds) == 3


def test_how_long_to_wait_is_the_services_word(bucket: BucketLake, gcs: Gcs, file: Path) -> None:
    gcs.fail("session.put", status=429, retry_after=17)

    bucket.upload(file)

    assert bucket.slept.seconds == [17.0]


def test_waits_grow(bucket: BucketLake, gcs: Gcs, file: Path) -> None:
    gcs.fail("session.put", status=503, times=1)
    gcs.fail("session.status", status=503, times=2)

    bucket.upload(file)

    waits = bucket.slept.seconds
    assert len(waits) == 3
    assert 0.25 <= waits[0] <= 0.75 < waits[2] <= 3.0


def test_a_chunk_that_arrived_begins_the_count_anew(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    failures = bucket.patience.attempts - 1
    gcs.fail("session.status", status=503, times=failures - 1)
    gcs.fail("session.status", after=1, status=503, times=failures - 1)
    gcs.fail("session.put", status=503)
    gcs.fail("session.put", status=503, after=1)

    bucket.upload(file)

    assert bucket.bytes_at(KEY) == file.read_bytes()
    assert len(bucket.slept.seconds) == 2 * failures


@pytest.mark.parametrize("status", [404, 410])
def test_a_forgotten_session_is_begun_anew(
    bucket: BucketLake, gcs: Gcs, file: Path, status: int
) -> None:
    gcs.fail("session.put", gone=status, after=2)

    bucket.upload(file)

    assert bucket.bytes_at(KEY) == file.read_bytes()
    assert gcs.kinds().count("upload.resumable") == 2


def test_a_session_that_is_forgotten_each_time_is_given_up(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    gcs.fail("session.put", gone=410, times=99)

    with pytest.raises(TargetError, match="forgot the upload 3 times"):
        bucket.upload(file)

    assert bucket.keys() == []


def test_an_object_that_is_there_with_its_session_forgotten_is_known_again(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    gcs.fail("session.put", lose_answer=True, after=CHUNKS - 1)
    gcs.fail("session.status", gone=404)

    version = bucket.upload(file)

    assert gcs.bucket().objects[KEY].generation == version.generation
    assert gcs.kinds().count("upload.resumable") == 1


def test_another_upload_that_was_first_is_not_replaced(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    first = bucket.upload(file)

    with pytest.raises(TryLaterError, match="Another upload put"):
        bucket.upload(file, if_generation=0)

    assert gcs.bucket().objects[KEY].generation == first.generation


def test_another_upload_that_ends_first_is_not_replaced(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    """The condition holds when the upload begins, and no more when it ends."""
    planted: list[int] = []

    def plant(done: int, total: int | None) -> None:
        if done and not planted:
            bucket.plant(KEY, b"theirs")
            planted.append(done)

    with pytest.raises(TryLaterError, match="Another upload put"):
        bucket.lake.put(
            file, facts(file), if_generation=0, cancellation=Cancellation(), progress=plant
        )

    assert bucket.bytes_at(KEY) == b"theirs"


def test_of_two_uploads_at_once_one_wins(gcs: Gcs, file: Path) -> None:
    ended: list[str] = []

    def upload() -> None:
        try:
            BucketLake(gcs).upload(file)
            ended.append("won")
        except TryLaterError:
            ended.append("lost")

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(ended) == ["lost", "lost", "lost", "won"]


def test_a_checksum_that_is_not_ours_takes_the_object_away_again(
    bucket: BucketLake, gcs: Gcs, file: Path
) -> None:
    gcs.fail("session.put", lies=True, after=CHUNKS - 1)

    with pytest.raises(TargetError, match=r"arrived with checksum AAAAAA== instead of"):
        bucket.upload(file)

    assert bucket.keys() == []


def test_bytes_that_change_on_the_way_are_refused_by_the_service(
    bucket: BucketLake, file: Path
) -> None:
    with pytest.raises(TargetError, match="CRC32C"):
        bucket.store.put(
            file,
            KEY,
            crc32c="AAAAAA==",
            metadata={},
            if_generation=0,
            cancellation=Cancellation(),
            progress=untold,
        )

    assert bucket.keys() == []


def test_a_run_asked_to_stop_leaves_no_object(bucket: BucketLake, file: Path) -> None:
    cancellation = Cancellation()

    def stop(done: int, total: int | None) -> None:
        if done > QUANTUM:
            cancellation.request("Stopped by SIGINT.", signal_number=signal.SIGINT)

    with pytest.raises(Cancelled):
        bucket.lake.put(
            file, facts(file), if_generation=0, cancellation=cancellation, progress=stop
        )

    assert bucket.keys() == []


def test_a_request_to_stop_ends_a_wait(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs, sleep=None, attempts=99)
    gcs.fail("session.put", status=503, retry_after=60, times=99)
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.request, ("Stopped.",)).start()

    with pytest.raises(Cancelled):
        lake.upload(file, cancellation=cancellation)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        pytest.param(
            {"status": 401, "reason": "authError"}, TargetError,
            ("HTTP 401", "gcloud auth application-default login"), id="401",
        ),
        pytest.param(
            {"status": 403, "reason": "forbidden",
             "message": "etl@p.iam does not have storage.objects.create access"},
            TargetError, ("storage.objects.create", "roles/storage.objectAdmin"), id="403",
        ),
        pytest.param(
            {"status": 403, "reason": "accountDisabled",
             "message": "The billing account is disabled."},
            TargetError, ("Switch billing on",), id="billing",
        ),
        pytest.param(
            {"status": 403, "reason": "retentionPolicyNotMet",
             "message": "Object 'lake/a' is subject to bucket's retention policy and cannot be "
             "deleted or overwritten until 2026-12-01T00:00:00Z"},
            TargetError, ("until 2026-12-01", "--clear-retention-period"), id="retention",
        ),
        pytest.param(
            {"status": 403, "reason": "forbidden",
             "message": "Object 'lake/a' is under active Temporary hold and cannot be deleted, "
             "overwritten or archived until hold is removed."},
            TargetError, ("release the hold",), id="hold",
        ),
        pytest.param(
            {"status": 403, "reason": "forbidden",
             "message": "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage "
             "service account has been authorized to use this key."},
            TargetError, ("--authorize-cmek",), id="CMEK",
        ),
        pytest.param(
            {"status": 400, "reason": "required",
             "message": "Bucket is a requester pays bucket but no user project provided."},
            TargetError, ("--no-requester-pays",), id="requester pays",
        ),
        pytest.param(
            {"status": 403, "reason": "quotaExceeded", "times": 99}, TargetError,
            ("quota", "HTTP 429"), id="quota",
        ),
        pytest.param({"status": 429, "times": 99}, TargetError, ("too many requests",), id="429"),
        pytest.param({"status": 503, "times": 99}, TargetError, ("HTTP 503", "later"), id="503"),
        pytest.param(
            {"lose_answer": True, "times": 99}, TargetError, ("no answer", "`endpoint`"), id="cut"
        ),
        pytest.param({"status": 400, "message": "Odd."}, TargetError, ("Odd.",), id="400"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["resumable", "multipart"])
def test_a_refusal_says_what_to_mend(
    gcs: Gcs,
    file: Path,
    way: str,
    fault: dict[str, Any],
    kind: type[TaxietlError],
    words: tuple[str, ...],
) -> None:
    bucket = BucketLake(gcs, chunk_bytes=WHOLE if way == "multipart" else QUANTUM)
    gcs.fail(f"upload.{way}", **fault)

    with pytest.raises(kind) as caught:
        bucket.upload(file)

    assert f"Cannot upload to gs://lake/{KEY}" in caught.value.message
    for word in words:
        assert word in caught.value.message + caught.value.hint
    # Where every answer is lost, a request that needs no second one was done all the same.
    is_done = way == "multipart" and "lose_answer" in fault
    assert bucket.keys() == ([KEY] if is_done else [])


def test_a_certificate_that_is_not_trusted_is_told_at_once(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("localhost", tmp_path / "tls")
    service = Gcs()
    service.bucket("lake")
    with service.serving(certificate=(certificate.certificate, certificate.key)):
        lake = BucketLake(service)
        for work in (lambda: lake.store.stat(KEY), lambda: lake.upload(file)):
            with pytest.raises(TargetError, match="certificate is not trusted: self") as caught:
                work()
            assert "REQUESTS_CA_BUNDLE" in caught.value.hint
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
        with pytest.raises(ConfigError, match="no certificates where REQUESTS_CA_BUNDLE"):
            lake.store.stat(KEY)

    assert lake.slept.seconds == []


@pytest.mark.parametrize("proxy", ["nonsense://proxy", "http://proxy:port"])
def test_a_proxy_that_cannot_be_used_is_told_at_once(
    bucket: BucketLake, file: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")

    for work in (lambda: bucket.store.stat(KEY), lambda: bucket.upload(file)):
        with pytest.raises(ConfigError, match=r"the address .* cannot be used") as caught:
            work()
        assert "HTTP_PROXY" in caught.value.hint

    assert bucket.slept.seconds == []


def test_a_missing_bucket_is_not_taken_for_a_missing_object(gcs: Gcs, file: Path) -> None:
    lake = BucketLake(gcs)
    del gcs.buckets["lake"]

    for work in (
        lambda: lake.store.stat(KEY),
        lambda: lake.upload(file),
        lambda: list(lake.store.objects()),
        lambda: lake.store.read_small("a"),
    ):
        with pytest.raises(TargetError, match="there is no such bucket"):
            work()


@pytest.mark.parametrize("path", ["/elsewhere", "/elsewhere/"])
def test_a_wrong_address_is_not_taken_for_a_missing_object(gcs: Gcs, file: Path, path: str) -> None:
    profile = GcsProfile(bucket="lake", endpoint=gcs.url + path)
    store = GcsStore(profile.referring("credentials", GcpCredentialsProfile(anonymous=True)))

    for work in (lambda: store.stat(KEY), lambda: store.read_small("a"), store.objects):
        with pytest.raises(TargetError, match="there is no such bucket") as refused:
            work()
        assert "`endpoint`" in refused.value.hint
        assert refused.value.exit_code == 5


@pytest.mark.parametrize("message", ["Not Found", "kein Eimer", ""])
def test_a_missing_bucket_is_told_whatever_words_say_so(gcs: Gcs, message: str) -> None:
    lake = BucketLake(gcs)
    for kind in ("object.get", "objects.list"):
        gcs.fail(kind, status=404, reason="notFound", message=message, times=2)

    for _ in range(2):
        with pytest.raises(TargetError, match="there is no such bucket at the address asked"):
            lake.store.stat(KEY)


def test_the_bucket_is_asked_once_whether_it_is_there(bucket: BucketLake, gcs: Gcs) -> None:
    for _ in range(3):
        assert bucket.store.stat(KEY) is None

    assert gcs.kinds().count("objects.list") == 1


def test_an_account_that_may_not_list_learns_that_an_object_is_missing(
    bucket: BucketLake, gcs: Gcs
) -> None:
    gcs.fail("objects.list", status=403, reason="forbidden", message="no")

    assert bucket.store.stat(KEY) is None


def test_a_missing_object_is_not_taken_for_a_missing_bucket(gcs: Gcs) -> None:
    gcs.bucket("my-bucket")
    profile = GcsProfile(bucket="my-bucket", endpoint=gcs.url)
    store = GcsStore(profile.referring("credentials", GcpCredentialsProfile(anonymous=True)))

    assert store.stat("bucket") is None


def test_the_address_of_an_upload_is_shown_nowhere(
    bucket: BucketLake, gcs: Gcs, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gcs.fail("session.put", lose_answer=True, times=99)
    gcs.fail("session.status", lose_answer=True, times=99)

    with pytest.raises(TargetError) as caught:
        bucket.upload(file)

    error: BaseException | None = caught.value
    while error is not None:
        assert "session-" not in str(error) + repr(error)
        error = error.__cause__ or error.__context__
    assert "session-" not in caplog.text


def test_a_token_that_is_not_accepted_is_told(gcs: Gcs) -> None:
    gcs.token = "planted"
    lake = BucketLake(gcs)

    with pytest.raises(TargetError, match="not accepted"):
        lake.store.stat(KEY)


@pytest.mark.parametrize(
    "fault",
    [{"reset_after": 100_000}, {"status": 503}, {"lose_answer": True}],
    ids=["cut", "503", "answer lost"],
)
def test_a_part_that_did_not_come_whole_is_asked_for_again(
    bucket: BucketLake, gcs: Gcs, file: Path, fault: dict[str, Any]
) -> None:
    bucket.upload(file)
    found = bucket.store.stat(KEY)
    assert found is not None
    gcs.fail("object.media", **fault)

    assert bucket.store.read(found, 5, 500_000) == file.read_bytes()[5:500_005]
    assert len(bucket.slept.seconds) == 1


def test_a_part_of_an_object_that_was_replaced_is_refused(bucket: BucketLake, file: Path) -> None:
    bucket.upload(file)
    found = bucket.store.stat(KEY)
    assert found is not None

    bucket.plant(KEY, b"another")
    with pytest.raises(TargetError, match=f"{KEY} was replaced or taken away"):
        bucket.store.read(found, 0, 5)
    bucket.plant(KEY, None)
    with pytest.raises(TargetError, match=f"{KEY} was replaced or taken away"):
        bucket.store.read(found, 0, 5)


def test_small_objects_are_written_and_read_once(bucket: BucketLake) -> None:
    bucket.store.write_small("a.json", b"1", if_generation=0)

    found = bucket.store.read_small("a.json")

    assert found is not None
    assert found[0] == b"1"
    assert bucket.store.read_small("b.json") is None
    assert bucket.store.small_keys("a") == ["a.json"]


def test_lists_of_many_pages_are_whole(bucket: BucketLake, gcs: Gcs) -> None:
    gcs.page_size = 3
    for number in range(10):
        bucket.plant(f"data/{number}", b"x")
    bucket.plant("_taxietl/yellow/2021-01.json", b"{}")

    assert [each.key for each in bucket.store.objects()] == [f"data/{n}" for n in range(10)]


def test_only_the_generation_that_is_meant_is_deleted(bucket: BucketLake) -> None:
    bucket.plant("a", b"1")
    before = bucket.store.stat("a")
    bucket.plant("a", b"2")
    assert before is not None

    bucket.store.delete("a", before.generation)
    assert bucket.bytes_at("a") == b"2"
    after = bucket.store.stat("a")
    assert after is not None
    bucket.store.delete("a", after.generation)
    bucket.store.delete("a", after.generation)

    assert bucket.bytes_at("a") is None


def test_an_upload_over_tls_arrives_and_can_be_stopped(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = certificate_for("localhost", tmp_path / "tls")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.certificate))
    service = Gcs()
    service.bucket("lake")
    with service.serving(certificate=(made.certificate, made.key)):
        lake = BucketLake(service)
        service.fail("session.put", status=503)
        version = lake.upload(file)
        assert lake.bytes_at(KEY) == file.read_bytes()

        service.fail("session.put", stall=True, after=1)
        cancellation = Cancellation()
        threading.Timer(0.3, cancellation.request, ("Stopped.",)).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            lake.upload(file, if_generation=version.generation, cancellation=cancellation)

        assert time.monotonic() - began < 10  # a silent service is waited for 30 s
        assert service.bucket().objects[KEY].generation == version.generation


def test_the_emulator_of_the_environment_needs_no_credentials(
    gcs: Gcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.url)
    store = GcsStore(GcsProfile(bucket="lake"))

    assert store.stat("nothing") is None


def test_without_credentials_it_is_said_how_to_get_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)

    with pytest.raises(ConfigError, match="no Google Cloud credentials") as caught:
        GcsStore(GcsProfile(bucket="lake")).stat("a")

    assert "gcloud auth application-default login" in caught.value.hint


def test_an_object_has_its_address_and_its_page(bucket: BucketLake) -> None:
    assert bucket.store.uri("a b/c") == "gs://lake/a b/c"
    assert bucket.store.link("a b/c") == (
        "https://console.cloud.google.com/storage/browser/_details/lake/a%20b/c"
    )
