"""`taxietl upload-gcs` and `taxietl lake` as a user types them, on a bucket and on a folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command import Done, Taxietl, check_refused
from documents import check
from gcs import Gcs

from taxietl.extract.synthetic import write
from taxietl.load.lake.parquet import lake_schema
from taxietl.tlc.datasets import DATASETS

KEY = "data/green/green_tripdata_2021-{:02d}.parquet"
MONTH = ("--color", "green", "--year", 2021)
PLANTED = "hunter2-planted"


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        yield service


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """January to March of green, under the TLC's names."""
    folder = tmp_path / "files"
    folder.mkdir()
    for month in (1, 2, 3):
        write(folder / f"green_tripdata_2021-{month:02d}.csv.gz", "green", 2021, month, rows=200)
    return folder


class Folder:
    """A lake on disk."""

    scheme = ""

    def __init__(self, root: Path) -> None:
        self.root = root
        Path("taxietl.toml").write_text(f"[profiles.lake]\ntype = 'folder'\npath = '{root}'\n")

    def get(self, key: str) -> bytes | None:
        path = self.root / key
        return path.read_bytes() if path.exists() else None

    def plant(self, key: str, data: bytes) -> None:
        (self.root / key).parent.mkdir(parents=True, exist_ok=True)
        (self.root / key).write_bytes(data)


class Bucket:
    """A lake in a bucket."""

    scheme = "gs://lake/"

    def __init__(self, gcs: Gcs) -> None:
        self.gcs = gcs
        Path("taxietl.toml").write_text(
            "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'nobody'\n"
            f"endpoint = '{gcs.url}'\n"
            "[profiles.nobody]\ntype = 'gcp-credentials'\nanonymous = true\n"
        )

    def get(self, key: str) -> bytes | None:
        found = self.gcs.bucket().objects.get(key)
        return found.data if found else None

    def plant(self, key: str, data: bytes) -> None:
        self.gcs.bucket().insert(key, data, {"name": key}, None)


@pytest.fixture(params=["bucket", "folder"])
def lake(request: pytest.FixtureRequest, home: Path, gcs: Gcs, tmp_path: Path) -> Bucket | Folder:
    """A configured lake of either kind."""
    return Bucket(gcs) if request.param == "bucket" else Folder(tmp_path / "lake")


@pytest.fixture
def bucket(home: Path, gcs: Gcs) -> Bucket:
    return Bucket(gcs)


@pytest.fixture
def upload(taxietl: Taxietl, files: Path) -> Callable[..., Done]:
    """Uploads green months of 2021."""

    def run(*arguments: object, month: object = 1) -> Done:
        return taxietl("upload-gcs", *MONTH, "--month", month, "--source", files, *arguments)

    return run


Upload = Callable[..., Done]


def test_a_month_goes_where_the_tutorial_puts_it(lake: Any, upload: Upload, tmp_path: Path) -> None:
    done = upload("-q")

    assert done.code == 0, done.err
    assert "green-2021-01  uploaded: 200 rows" in done.out
    assert KEY.format(1) in done.out
    (tmp_path / "a.parquet").write_bytes(lake.get(KEY.format(1)) or b"")
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.num_rows == 200
    assert table.schema.equals(lake_schema(DATASETS["green"]))


def test_the_addresses_are_printed_at_the_end(bucket: Bucket, upload: Upload) -> None:
    lines = upload("-q").out.splitlines()

    assert lines[-2:] == [
        "  gs://lake/data/green/green_tripdata_2021-01.parquet",
        "  https://console.cloud.google.com/storage/browser/_details/lake/"
        "data/green/green_tripdata_2021-01.parquet",
    ]


def test_a_second_run_uploads_nothing_and_says_so(lake: Any, upload: Upload) -> None:
    first = upload("--json")
    manifest = lake.get("_taxietl/green/2021-01.json")

    second = upload("--json")

    check(first.document, "upload_gcs")
    check(second.document, "upload_gcs")
    (before,), (after,) = first.document["months"], second.document["months"]
    assert (before["action"], after["action"]) == ("uploaded", "nothing to do")
    assert after["object"] == before["object"]
    assert "200 rows loaded by run" in after["reason"]
    assert lake.get("_taxietl/green/2021-01.json") == manifest


def test_nothing_is_asked_twice_of_a_bucket_that_has_the_month(
    bucket: Bucket, upload: Upload
) -> None:
    upload()
    bucket.gcs.seen.clear()

    upload()

    assert not [kind for kind in bucket.gcs.kinds() if kind.startswith(("upload", "session"))]


def test_a_restated_month_is_a_new_generation_and_the_old_stays_in_the_manifest(
    lake: Any, upload: Upload, files: Path, taxietl: Taxietl
) -> None:
    first = upload("--json").document["months"][0]
    write(files / "green_tripdata_2021-01.csv.gz", "green", 2021, 1, rows=210, seed=7)

    second = upload("--json").document["months"][0]

    assert second["action"] == "replaced"
    assert second["reason"].startswith("restated")
    assert second["replaced_generation"] == first["object"]["generation"]
    shown = taxietl("lake", "show", *MONTH, "--month", 1, "--json").document
    check(shown, "lake_show")
    assert [each["rows"] for each in shown["versions"]] == [200, 210]


@pytest.mark.parametrize("form", [(), ("--raw",)], ids=["parquet", "raw"])
def test_bytes_that_the_lake_has_as_another_month_are_refused(
    lake: Any, upload: Upload, files: Path, form: tuple[str, ...]
) -> None:
    upload()
    january = files / "green_tripdata_2021-01.csv.gz"
    (files / "green_tripdata_2021-02.csv.gz").write_bytes(january.read_bytes())

    check_refused(
        upload("-q", *form, month=2), 4, "in the lake as green-2021-01 already", "--force"
    )
    planned = upload("--dry-run", "--json", *form, month=2)

    assert (planned.code, planned.document["plans"][0]["action"]) == (4, "refuse")
    assert lake.get(KEY.format(2)) is None
    assert upload("-q", "--force", *form, month=2).code == 0
    assert upload("-q", *form, month=2).out.startswith("green-2021-02  nothing to do")


def test_several_months_are_child_runs_and_one_failure_stops_no_other(
    lake: Any, upload: Upload, files: Path
) -> None:
    february = files / "green_tripdata_2021-02.csv.gz"
    february.write_bytes(february.read_bytes()[:-100])

    done = upload("--json", month="1-3")

    check(done.document, "upload_gcs")
    assert done.code == 3
    assert [each["action"] for each in done.document["months"]] == [
        "uploaded", "failed", "uploaded",
    ]  # fmt: skip
    assert lake.get(KEY.format(2)) is None
    assert lake.get(KEY.format(3)) is not None


def test_no_rule_drops_rows_unless_asked(lake: Any, upload: Upload) -> None:
    kept = upload("--json").document["months"][0]["object"]

    asked = upload("--json", "--transform", "drop-zero-passengers").document["months"][0]

    assert (kept["rows"], kept["rows_dropped"]) == (200, {})
    assert asked["action"] == "replaced"
    dropped = asked["object"]["rows_dropped"]["drop-zero-passengers"]
    assert dropped > 0
    assert asked["object"]["rows"] == 200 - dropped


def test_published_bytes_are_copied_as_they_are(lake: Any, upload: Upload, files: Path) -> None:
    upload()

    done = upload("--raw", "-q")

    assert done.code == 0
    raw = lake.get("raw/data/green/green_tripdata_2021-01.csv.gz")
    assert raw == (files / "green_tripdata_2021-01.csv.gz").read_bytes()
    assert lake.get(KEY.format(1)) is not None
    assert "nothing to do" in upload("--raw", "-q").out


def test_what_was_uploaded_is_kept_where_it_was_asked_for(
    lake: Any, upload: Upload, tmp_path: Path, home: Path
) -> None:
    done = upload("--keep-local", tmp_path / "kept", "-q")

    kept = tmp_path / "kept" / KEY.format(1)
    assert str(kept) in done.out
    assert kept.read_bytes() == lake.get(KEY.format(1))
    assert list((home / "cache").glob("lake/*")) == []


def test_a_file_where_they_are_to_be_kept_is_told(
    lake: Any, upload: Upload, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("no folder")

    done = upload("--keep-local", tmp_path / "kept", "-q")

    assert (done.code, lake.get(KEY.format(1))) == (5, None)
    assert f"{tmp_path / 'kept' / KEY.format(1)} cannot be written: Not a directory" in done.err


def test_files_cannot_be_kept_in_the_lake_itself(
    home: Path, taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "lake")
    (tmp_path / "link").symlink_to(tmp_path / "lake")
    months = (*MONTH, "--month", 1, "--source", files)

    done = taxietl("upload-gcs", *months, "--keep-local", tmp_path / "link")

    check_refused(done, 2, "the lake's own folder", "Leave --keep-local out")
    assert folder.get(KEY.format(1)) is None


def test_what_was_kept_stays_when_the_next_file_cannot_be_read(
    lake: Any, upload: Upload, files: Path, tmp_path: Path
) -> None:
    assert upload("--keep-local", tmp_path / "kept", "-q").code == 0
    kept = tmp_path / "kept" / KEY.format(1)
    before = kept.read_bytes()
    whole = (files / "green_tripdata_2021-01.csv.gz").read_bytes()
    (files / "green_tripdata_2021-01.csv.gz").write_bytes(whole[: len(whole) // 2])

    done = upload("--keep-local", tmp_path / "kept", "-q")

    assert done.code != 0
    assert kept.read_bytes() == before


def test_nothing_is_left_on_this_machine(lake: Any, upload: Upload, home: Path) -> None:
    upload()

    assert list((home / "cache").glob("lake/*")) == []


def test_what_a_killed_upload_left_on_this_machine_goes_after_a_day(
    lake: Any, upload: Upload, home: Path
) -> None:
    folder = home / "cache" / "lake"
    folder.mkdir(parents=True)
    yesterday = time.time() - 25 * 3600
    for name in (".left.part", "left.parquet", "under-way.parquet"):
        (folder / name).write_bytes(b"half")
        if "left" in name:
            os.utime(folder / name, (yesterday, yesterday))

    upload()

    assert [each.name for each in folder.iterdir()] == ["under-way.parquet"]


def test_a_dry_run_tells_what_would_fail_and_what_helps(lake: Any, upload: Upload) -> None:
    done = upload("--dry-run", month="3-4")

    assert done.code == 3
    would, fails, hint, _ = done.out.splitlines()
    assert would.startswith("green-2021-03  upload: ")
    assert fails.startswith("green-2021-04  failed: ")
    assert "green_tripdata_2021-04.csv.gz" in hint


def test_a_dry_run_changes_nothing(lake: Any, upload: Upload) -> None:
    before = upload("--dry-run", "--json")
    assert lake.get(KEY.format(1)) is None
    upload()
    after = upload("--dry-run", "--json")

    check(before.document, "upload_plans")
    check(after.document, "upload_plans")
    assert before.document["plans"][0]["action"] == "upload"
    assert after.document["plans"][0]["action"] == "nothing to do"


def test_what_somebody_else_put_there_is_left_without_force(lake: Any, upload: Upload) -> None:
    lake.plant(KEY.format(1), b"theirs")

    check_refused(upload("-q"), 5, "was not put there by taxietl", "--force")
    assert lake.get(KEY.format(1)) == b"theirs"

    assert upload("-q", "--force").code == 0
    assert (lake.get(KEY.format(1)) or b"")[:4] == b"PAR1"


def test_a_crash_between_object_and_manifest_is_healed(bucket: Bucket, upload: Upload) -> None:
    refused = {"status": 403, "reason": "forbidden", "message": "no"}
    bucket.gcs.fail("upload.multipart", after=1, **refused)  # the object itself is let through
    crashed = upload("-q")
    assert crashed.code == 5
    assert bucket.get(KEY.format(1)) is not None
    assert bucket.get("_taxietl/green/2021-01.json") is None

    healed = upload("--json").document["months"][0]

    assert (healed["action"], healed["is_healed"]) == ("nothing to do", True)
    assert bucket.get("_taxietl/green/2021-01.json") is not None


def test_without_a_lake_the_lines_to_paste_are_told(
    taxietl: Taxietl, files: Path, home: Path
) -> None:
    done = taxietl("upload-gcs", *MONTH, "--month", 1, "--source", files)

    check_refused(done, 2, "no profile named 'lake'")
    lines = done.err.split("\n\n", 1)[1]
    assert 'type = "gcs"' in lines
    Path("taxietl.toml").write_text(lines.split("or, for the same lake on disk:")[1])
    assert taxietl("upload-gcs", *MONTH, "--month", 1, "--source", files).code == 0


def test_a_lake_that_is_misspelt_is_guessed(lake: Any, upload: Upload) -> None:
    check_refused(upload("--to", "lak"), 2, "Did you mean 'lake'?")


def test_a_profile_that_is_no_lake_is_refused(taxietl: Taxietl, files: Path) -> None:
    done = taxietl("upload-gcs", *MONTH, "--month", 1, "--source", files, "--to", "warehouse")

    check_refused(done, 2, "folder or gcs")


def test_hive_folders_are_one_line_away(
    home: Path, taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    Path("taxietl.toml").write_text(
        f"[profiles.lake]\ntype = 'folder'\npath = '{tmp_path / 'lake'}'\n"
        "key = 'color={color}/year={year}/month={month:02d}/trips.parquet'\n"
    )

    taxietl("upload-gcs", *MONTH, "--month", 1, "--source", files)

    assert (tmp_path / "lake/color=green/year=2021/month=01/trips.parquet").exists()


def test_the_lake_is_listed_verified_and_cleaned(
    lake: Any, upload: Upload, taxietl: Taxietl
) -> None:
    upload(month="1-2")

    listed = taxietl("lake", "ls", "--json")
    check(listed.document, "lake_ls")
    assert [each["rows"] for each in listed.document["months"]] == [200, 200]
    assert "green-2021-02" in taxietl("lake", "ls").out
    assert "nothing in" in taxietl("lake", "ls", "--color", "yellow").out
    assert "SHA-256" in taxietl("lake", "show", *MONTH, "--month", 1).out
    verified = taxietl("lake", "verify", "--json")
    check(verified.document, "lake_verify")
    assert verified.code == 0
    cleaned = taxietl("lake", "gc", "--dry-run", "--json")
    check(cleaned.document, "lake_gc")
    assert cleaned.document["removed"] == []

    data = bytearray(lake.get(KEY.format(1)) or b"")
    data[100] ^= 1
    lake.plant(KEY.format(1), bytes(data))
    damaged = taxietl("lake", "verify")
    assert damaged.code == 5
    assert "damaged: checksum" in damaged.out
    assert "ok: 200 rows" in damaged.out

    assert "replaced" in upload("-q").out
    assert taxietl("lake", "verify").code == 0


def test_months_beside_a_broken_manifest_are_listed_and_cleaned(
    lake: Any, upload: Upload, taxietl: Taxietl
) -> None:
    upload(month="1-2")
    lake.plant("_taxietl/green/2021-02.json", b"{}")

    listed = taxietl("lake", "ls", "--json")
    cleaned = taxietl("lake", "gc", "--json")

    check(listed.document, "lake_ls")
    check(cleaned.document, "lake_gc")
    for done in (listed, cleaned):
        assert done.code == done.document["exit_code"] == 5
        (broken,) = done.document["broken"]
        assert broken["uri"].endswith("_taxietl/green/2021-02.json")
        assert broken["problem"] == "it lacks 'format'"
    assert [each["month"] for each in listed.document["months"]] == ["green-2021-01"]
    assert lake.get(KEY.format(2)) is not None
    assert "Move it away, and run again" in taxietl("lake", "ls").out


def test_a_month_that_is_not_there_cannot_be_shown(lake: Any, taxietl: Taxietl) -> None:
    done = taxietl("lake", "show", *MONTH, "--month", 1)

    check_refused(done, 2, "is not in", "taxietl upload-gcs --color green")


def test_a_month_is_its_last_upload_for_every_command_whatever_the_key_is_by_now(
    home: Path, taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    Folder(tmp_path / "lake")
    toml, first = Path("taxietl.toml"), Path("taxietl.toml").read_text()
    upload = ("upload-gcs", *MONTH, "--month", 1, "--source", files)
    ingest = ("ingest", *MONTH, "--month", 1, "--source", "lake", "--json")
    taxietl(*upload)
    toml.write_text(first + "key = '{color}/{year}-{month}.parquet'\n")
    moved = taxietl(*upload, "--json").document["months"][0]
    toml.write_text(first)

    listed = taxietl("lake", "ls", "--json").document["months"]
    loaded = taxietl(*ingest).document["months"][0]
    planned = taxietl(*upload, "--dry-run", "--json").document["plans"][0]
    Path(moved["uri"]).unlink()
    asked = ("sql", "--on", "lake", "SELECT count(*) FROM green_trips", "-q")
    refused = [
        taxietl(*ingest[:-1], "-q"),
        taxietl(*asked),
        taxietl("lake", "show", *MONTH, "--month", 1),
        taxietl("lake", "ls"),
        taxietl("lake", "gc"),
        taxietl("lake", "verify"),
    ]
    again = taxietl(*upload, "--json").document["months"][0]

    assert moved["uri"].endswith("green/2021-1.parquet")
    assert [each["uri"] for each in listed] == [moved["uri"]]
    assert loaded["source_url"] == moved["uri"]
    assert (planned["action"], planned["key"]) == ("replace", KEY.format(1))
    assert "`key` puts it here now" in planned["reason"]
    for done in refused:
        assert done.code == 5
        assert moved["uri"] in done.out + done.err
    assert (again["action"], again["uri"]) == ("replaced", str(tmp_path / "lake" / KEY.format(1)))
    assert taxietl(*asked[:-1], "--json").document["rows"] == [[200]]
    assert taxietl("lake", "verify").code == 0


def test_after_the_key_changed_the_old_objects_can_go(
    home: Path, taxietl: Taxietl, files: Path, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "lake")
    arguments = ("upload-gcs", *MONTH, "--month", 1, "--source", files)
    taxietl(*arguments)
    toml = Path("taxietl.toml")
    toml.write_text(toml.read_text() + "key = '{color}/{year}-{month}.parquet'\n")
    taxietl(*arguments)

    done = taxietl("lake", "gc")

    assert "removed 1 objects" in done.out
    assert folder.get(KEY.format(1)) is None
    assert folder.get("green/2021-1.parquet") is not None
    assert taxietl("lake", "verify").code == 0


def test_a_profile_is_checked_by_asking_the_bucket(bucket: Bucket, taxietl: Taxietl) -> None:
    good = taxietl("profiles", "check", "lake")
    bucket.gcs.denied.add("storage.objects.delete")
    lacking = taxietl("profiles", "check", "lake")
    del bucket.gcs.buckets["lake"]
    gone = taxietl("profiles", "check", "lake")

    assert (good.code, lacking.code, gone.code) == (0, 5, 5)
    assert "objects can be read, written and replaced; no months yet" in good.out
    assert "lacks storage.objects.delete" in lacking.out
    assert "no such bucket" in gone.out


def test_a_bucket_is_made_once(bucket: Bucket, taxietl: Taxietl, upload: Upload) -> None:
    del bucket.gcs.buckets["lake"]
    check_refused(upload("-q"), 5, "no such bucket", "taxietl lake create-bucket")

    made = taxietl("lake", "create-bucket", "--project", "p", "--location", "EU", "--json")
    again = taxietl("lake", "create-bucket", "--project", "p", "--json")

    check(made.document, "lake_create_bucket")
    assert (made.document["action"], again.document["action"]) == ("made", "nothing to do")
    assert upload("-q").code == 0


def test_a_bucket_of_somebody_else_is_told(bucket: Bucket, taxietl: Taxietl) -> None:
    bucket.gcs.fail("bucket.get", status=403, reason="forbidden")

    done = taxietl("lake", "create-bucket", "--project", "p")

    check_refused(done, 5, "Somebody else has a bucket named 'lake'")


@pytest.fixture
def account(gcs: Gcs, home: Path) -> Iterator[dict[str, str]]:
    """A service account that the bucket knows; its key is made here, and nobody's."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    gcs.token = f"ya29.{PLANTED}"
    key = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": PLANTED,
        "private_key": pem.decode(),
        "client_email": "etl@p.iam.gserviceaccount.com",
        "token_uri": f"{gcs.url}/token",
    }
    Path("key.json").write_text(json.dumps(key))
    Path("taxietl.toml").write_text(
        "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'gcp'\n"
        f"endpoint = '{gcs.url}'\n"
        "[profiles.gcp]\ntype = 'gcp-credentials'\nservice_account_file = 'key.json'\n"
    )
    return key


def told_anywhere(home: Path, gcs: Gcs, *done: Done) -> str:
    """All that a run leaves: output, history, files, the bucket."""
    texts = [text for each in done for text in (each.out, each.err)]
    texts += [path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file()]
    texts += [str(each.resource) for each in gcs.bucket().objects.values()]
    texts += [each.data.decode("latin-1") for each in gcs.bucket().objects.values()]
    return "\n".join(texts)


def test_key_and_token_are_told_nowhere(
    account: dict[str, str],
    gcs: Gcs,
    home: Path,
    upload: Upload,
    taxietl: Taxietl,
    files: Path,
) -> None:
    good = upload("-v", "--json")
    assert good.code == 0, good.err
    gcs.fail("upload.multipart", status=403, reason="forbidden")
    refused = upload("--debug", "--force")
    assert refused.code == 5
    (files / "green_tripdata_2021-04.csv").write_bytes(os.urandom(9 * 1024 * 1024))
    gcs.fail("session.put", status=403, reason="forbidden", after=1)
    in_chunks = upload("--debug", "--raw", month=4)
    assert in_chunks.code == 5
    gcs.granted, gcs.token = gcs.token, "another"
    rejected = upload("--debug", "--force", "--json")
    assert rejected.code == 5
    gcs.fail("token", status=400, reason="invalid_grant", message="Invalid JWT Signature.", times=9)
    denied = upload("--debug")
    shown = taxietl("profiles", "show", "gcp", "--json")

    told = told_anywhere(home, gcs, good, refused, in_chunks, rejected, denied, shown)

    secrets = [PLANTED, "ya29.", *account["private_key"].splitlines()[1:-1], "upload_id="]
    assert any(each.authorization == f"Bearer ya29.{PLANTED}" for each in gcs.seen)
    for secret in secrets:
        assert secret not in told


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
            "timeframe. Check your iat and exp values in the JWT claim.",
            ("does not accept this machine's time", "timedatectl"),
        ),
        ("Invalid JWT Signature.", ("no token", "the key may have been deleted")),
    ],
    ids=["clock", "key"],
)
def test_a_token_that_is_not_given_says_why(
    account: dict[str, str], gcs: Gcs, upload: Upload, said: str, words: tuple[str, ...]
) -> None:
    gcs.fail("token", status=400, reason="invalid_grant", message=said, times=9)

    done = upload("-q")

    assert done.code in (2, 5)
    for word in words:
        assert word in done.err


def test_a_key_given_as_text_opens_the_bucket(
    account: dict[str, str], upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCP_KEY", json.dumps(account))
    toml = Path("taxietl.toml")
    toml.write_text(
        toml.read_text().replace(
            "service_account_file = 'key.json'", "service_account_info = { env = 'GCP_KEY' }"
        )
    )
    os.remove("key.json")  # noqa: PTH107

    assert upload("-q").code == 0


def test_a_flow_of_the_users_own_gets_the_bucket(
    bucket: Bucket, taxietl: Taxietl, upload: Upload
) -> None:
    upload()
    Path("flows.py").write_text(
        "from taxietl import flow, profile\n\n\n"
        "@flow\ndef sizes() -> int:\n"
        "    lake = profile('lake')\n"
        "    key = lake.object_key(color='green', year=2021, month=1)\n"
        "    return lake.bucket().get_blob(key).size\n"
    )

    done = taxietl("run", "flows.py:sizes", "--json")

    assert done.code == 0, done.err
    assert done.document["result"] == len(bucket.get(KEY.format(1)) or b"")


def test_an_upload_that_failed_is_resumed(
    bucket: Bucket, upload: Upload, taxietl: Taxietl, tmp_path: Path
) -> None:
    bucket.gcs.fail("upload.multipart", status=403, reason="forbidden")
    failed = upload("--keep-local", tmp_path / "kept")
    assert failed.code == 5

    resumed = taxietl("runs", "resume", "green-2021-01", "--json")

    assert resumed.code == 0, resumed.err
    assert resumed.document["run"]["state"] == "Completed"
    assert bucket.get(KEY.format(1)) == (tmp_path / "kept" / KEY.format(1)).read_bytes()


def test_the_months_of_a_run_share_their_connections(
    bucket: Bucket, upload: Upload, files: Path
) -> None:
    for month in range(4, 13):
        write(files / f"green_tripdata_2021-{month:02d}.csv.gz", "green", 2021, month, rows=9)

    assert upload("-q", month="1-12").code == 0

    # Four months at a time: the client's and ours for each, and one that it asks by itself.
    assert bucket.gcs.connections <= 9


def test_a_lake_answers_sql(lake: Any, taxietl: Taxietl, upload: Upload) -> None:
    upload(month="1-2")

    done = taxietl("sql", "--on", "lake", "SELECT count(*) AS n FROM green_trips", "--json")

    assert done.document["rows"] == [[400]]


def test_uploads_hold_a_slot_of_the_tag_gcs(lake: Any, upload: Upload) -> None:
    toml = Path("taxietl.toml")
    toml.write_text("[limits]\ngcs = 0\n" + toml.read_text())

    done = upload("-q")

    assert done.code == 2
    assert "gcs" in done.err
