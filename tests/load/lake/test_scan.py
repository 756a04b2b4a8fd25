"""Of a bucket's months no more is read than a query needs, and what it answers is the truth."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import lakes
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gcs import Gcs
from lakes import BucketLake, FolderLake, LakeOfATest
from loopback import Seen
from months import batch_of
from peaks import peak_mb
from punctual import check_in_time

from taxietl.errors import TargetError
from taxietl.load.lake.parquet import lake_schema, write_parquet
from taxietl.load.lake.query import queried
from taxietl.load.lake.ranges import Ahead
from taxietl.load.lake.scan import Months
from taxietl.load.lake.values import Form
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile

ROWS = 60_000
"""In each month, in three row groups; a column of doubles has 160 kB in each."""

MONTHS = (1, 2, 3)
KEY = "data/yellow/yellow_tripdata_2021-{:02d}.parquet"


def rows_of(month: int, rows: int = ROWS) -> pa.RecordBatch:
    """Doubles that no codec makes smaller, and some that are none."""
    rng = Random(month)
    fares: list[float | None] = [rng.random() for _ in range(rows)]
    fares[:4] = [math.nan, math.inf, -math.inf, None]
    return batch_of(
        "yellow",
        rows,
        VendorID=[each % 3 for each in range(rows)],
        store_and_fwd_flag=["Y" if each % 7 else None for each in range(rows)],
        tpep_pickup_datetime=[datetime(2021, month, 1 + each % 28) for each in range(rows)],
        trip_distance=[rng.random() for _ in range(rows)],
        fare_amount=fares,
        extra=[2.0] * rows,
        tip_amount=[rng.random() for _ in range(rows)],
        total_amount=[rng.random() for _ in range(rows)],
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """January to March."""
    folder = tmp_path_factory.mktemp("files")
    found = {month: folder / f"{month}.parquet" for month in MONTHS}
    for month, path in found.items():
        trip_file = TripFile("yellow", 2021, month)
        write_parquet([rows_of(month)], trip_file, path, row_group_rows=ROWS // 3)
    return found


def filled(lake: LakeOfATest, files: dict[int, Path]) -> None:
    for month, path in files.items():
        name = f"2021-{month:02d}"
        lake.put(path, form=Form.PARQUET, rows=ROWS, month=name, key=KEY.format(month))


@pytest.fixture
def bucket(bucket: BucketLake, files: dict[int, Path]) -> BucketLake:
    """A bucket with the three months, of which nothing was read yet."""
    filled(bucket, files)
    bucket.gcs.seen.clear()
    return bucket


@pytest.fixture(scope="module")
def kept_bucket(files: dict[int, Path]) -> Iterator[BucketLake]:
    """One for all who only look at the answers."""
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        kept = BucketLake(service)
        filled(kept, files)
        yield kept


@pytest.fixture(scope="module")
def folder(files: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> FolderLake:
    """The same on disk, where DuckDB reads the files itself."""
    lake = FolderLake(tmp_path_factory.mktemp("lake"))
    filled(lake, files)
    return lake


def asked(lake: LakeOfATest, statement: str) -> pa.Table:
    with queried(lake.lake, statement) as reader:
        return reader.read_all()


def read(gcs: Gcs) -> list[Seen]:
    """The requests for bytes of months."""
    return [
        each for each in gcs.seen if each.kind == "object.media" and "_taxietl" not in each.path
    ]


def read_bytes(gcs: Gcs) -> int:
    total = 0
    for each in read(gcs):
        first, last = (each.range or "").removeprefix("bytes=").split("-")
        total += int(last) - int(first) + 1
    return total


FOOTERS = len(MONTHS) * 128 * 1024


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {t} ORDER BY tip_amount LIMIT 300",
        "SELECT * EXCLUDE fare_amount FROM {t} WHERE source_month > '2021-01-01'"
        " ORDER BY tip_amount DESC LIMIT 300",
        "SELECT count(*) FROM {t}",
        "SELECT source_month, count(*), count(VendorID) FROM {t} GROUP BY ALL ORDER BY ALL",
        "SELECT count(*) FROM {t} WHERE year(source_month) = 2021 AND month(source_month) < 3",
        "SELECT count(*) FROM {t} WHERE source_month IN ('2021-02-01', '2022-01-01')",
        "SELECT count(*) FROM {t} WHERE source_month = '2021-02-01' OR VendorID = 1",
        "SELECT count(*) FROM {t} WHERE source_month <> '2021-02-01' AND VendorID = 1",
        "SELECT count(*) FROM {t} WHERE source_month IS NULL",
        "SELECT count(*) FROM {t} WHERE source_month = '2021-05-01'",
        "SELECT count(*) FROM {t} WHERE fare_amount > 0.5",
        "SELECT count(*) FROM {t} WHERE fare_amount >= 'NaN'",
        "SELECT count(*) FROM {t} WHERE fare_amount = 'NaN'",
        "SELECT count(*) FROM {t} WHERE fare_amount = 'inf'",
        "SELECT count(*) FROM {t} WHERE fare_amount IN ('inf', 0.25)",
        "SELECT count(*) FROM {t} WHERE fare_amount < 'NaN'",
        "SELECT count(*) FROM {t} WHERE fare_amount < 0.5",
        "SELECT count(*) FROM {t} WHERE fare_amount <> 0.5",
        "SELECT count(*) FROM {t} WHERE fare_amount BETWEEN 0.2 AND 'inf'",
        "SELECT count(*) FROM {t} WHERE fare_amount IS NULL OR fare_amount > 0.9",
        "SELECT count(*) FROM {t} WHERE NOT fare_amount < 0.5",
        "SELECT count(*) FROM {t} WHERE extra <> 2",
        "SELECT count(*) FROM {t} WHERE extra > 2 OR tip_amount < 0.1",
        "SELECT sum(VendorID) FROM {t} WHERE store_and_fwd_flag IS NULL",
        "SELECT sum(VendorID) FROM {t} WHERE store_and_fwd_flag = 'Y' AND tip_amount < 0.5",
        "SELECT sum(VendorID) FROM {t} WHERE store_and_fwd_flag <> 'fare_amount'",
        "SELECT sum(VendorID) FROM {t} WHERE store_and_fwd_flag LIKE 'Y%'",
        "SELECT count(*) FROM {t} WHERE tpep_pickup_datetime < '2021-01-15'",
        "SELECT count(*) FROM {t} WHERE VendorID IN (1, 2) AND total_amount IN (0.5, 0.25)",
        "SELECT fare_amount FROM {t} ORDER BY fare_amount DESC NULLS LAST LIMIT 5",
        "SELECT count(*) FROM {t} a JOIN {t} b USING (source_month, tip_amount)"
        " WHERE a.VendorID = 1",
        "SELECT count(cbd_congestion_fee), count(*) FROM {t}",
        "SELECT VendorID, VendorID AS again, source_month FROM {t} ORDER BY ALL LIMIT 9",
        "SELECT column_name, column_type, min, max, count FROM (SUMMARIZE FROM {t}"
        " WHERE fare_amount BETWEEN 0 AND 1)",
        "DESCRIBE {t}",
    ],
)
def test_a_bucket_answers_as_the_same_files_on_disk(
    kept_bucket: BucketLake, folder: FolderLake, statement: str
) -> None:
    statement = statement.replace("{t}", "yellow_trips")

    # As text, in which NaN is like NaN.
    assert str(asked(kept_bucket, statement).to_pylist()) == str(
        asked(folder, statement).to_pylist()
    )


def test_a_month_that_the_filter_excludes_is_not_touched(bucket: BucketLake) -> None:
    asked(bucket, "SELECT sum(tip_amount) FROM yellow_trips WHERE source_month >= '2021-03-01'")

    assert len(read(bucket.gcs)) > 1
    assert all("2021-03" in each.path for each in read(bucket.gcs))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM yellow_trips",
        "SELECT source_month, count(*) FROM yellow_trips GROUP BY ALL",
        "SELECT count(*) FROM yellow_trips WHERE source_month < '2021-04-01'",
    ],
)
def test_rows_are_counted_from_the_footers(bucket: BucketLake, statement: str) -> None:
    asked(bucket, statement)

    assert len(read(bucket.gcs)) == len(MONTHS)
    assert read_bytes(bucket.gcs) == FOOTERS


def test_only_the_columns_asked_for_are_read(bucket: BucketLake, files: dict[int, Path]) -> None:
    asked(bucket, "SELECT avg(total_amount) FROM yellow_trips")

    column = sum(
        group.column(pq.read_schema(path).get_field_index("total_amount")).total_compressed_size
        for path in files.values()
        for footer in [pq.read_metadata(path)]
        for group in [footer.row_group(each) for each in range(footer.num_row_groups)]
    )
    assert read_bytes(bucket.gcs) == FOOTERS + column
    assert len(read(bucket.gcs)) == len(MONTHS) * (1 + 3)  # footers, and each row group's column


def test_columns_side_by_side_are_one_request(bucket: BucketLake) -> None:
    asked(bucket, "SELECT max(fare_amount), max(tip_amount) FROM yellow_trips")

    assert len(read(bucket.gcs)) == len(MONTHS) * (1 + 3)


def test_what_a_footer_rules_out_is_not_read(bucket: BucketLake) -> None:
    found = asked(bucket, "SELECT sum(tip_amount) FROM yellow_trips WHERE VendorID > 5")

    assert found.to_pylist() == [{"sum(tip_amount)": None}]
    assert read_bytes(bucket.gcs) == FOOTERS


def test_who_wants_few_rows_does_not_wait_for_all(bucket: BucketLake) -> None:
    """Little is fetched ahead at first: here the first month's three row groups have 2 MB."""
    asked(bucket, "SELECT * FROM yellow_trips LIMIT 3")

    size = sum(len(each.data) for each in bucket.gcs.bucket().objects.values())
    assert read_bytes(bucket.gcs) < size + FOOTERS


def test_several_ranges_are_under_way_at_once(bucket: BucketLake) -> None:
    all_are = threading.Event()
    bucket.gcs.fail("object.media", until=all_are, after=len(MONTHS), times=3)  # no manifests

    def let_them_go() -> None:
        while len(read(bucket.gcs)) < len(MONTHS):
            time.sleep(0.005)
        all_are.set()

    with ThreadPoolExecutor() as pool:
        pool.submit(let_them_go)
        asked(bucket, "SELECT count(*) FROM yellow_trips")

    assert len(read(bucket.gcs)) == len(MONTHS)  # none was given up and asked for again


def test_a_request_that_failed_is_sent_again(bucket: BucketLake, folder: FolderLake) -> None:
    bucket.gcs.fail("object.media", status=503, after=4, times=2)
    bucket.gcs.fail("object.media", reset_after=1000, after=3, times=2)
    statement = "SELECT round(sum(tip_amount), 6) FROM yellow_trips"

    assert asked(bucket, statement) == asked(folder, statement)
    assert len(bucket.slept.seconds) >= 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"status": 403, "reason": "forbidden"}, ("not allowed (HTTP 403)", "Object Admin")),
        ({"status": 401}, ("credentials are not accepted", "profiles check")),
        ({"status": 503}, ("HTTP 503", "Run again later")),
        ({"lose_answer": True}, ("no answer", "Check the network")),
    ],
)
def test_a_bucket_that_refuses_is_told_in_the_lakes_own_words(
    bucket: BucketLake, how: dict[str, Any], words: tuple[str, str]
) -> None:
    bucket.gcs.fail("object.media", after=4, times=1000, **how)

    with pytest.raises(TargetError) as refused:
        asked(bucket, "SELECT sum(tip_amount) FROM yellow_trips")

    assert words[0] in refused.value.message
    assert "gs://lake/data/yellow/yellow_tripdata_2021-0" in refused.value.message
    assert words[1] in refused.value.hint


def test_a_month_that_is_replaced_meanwhile_is_not_mixed_with_the_new(
    bucket: BucketLake, files: dict[int, Path]
) -> None:
    found = {
        date(2021, month, 1): each
        for month in MONTHS
        if (each := bucket.store.stat(KEY.format(month)))
    }
    ahead = Ahead(bucket.store)
    months = Months(dataset("yellow"), found, ahead)
    bucket.plant(KEY.format(2), files[2].read_bytes())

    with pytest.raises(TargetError):
        months.scanner(columns=["tip_amount"]).to_reader().read_all()

    assert isinstance(ahead.failure, TargetError)
    assert "yellow_tripdata_2021-02.parquet was replaced or taken away" in ahead.failure.message
    ahead.stop()


def test_a_month_that_is_taken_away_meanwhile_is_named(bucket: BucketLake) -> None:
    bucket.gcs.fail("object.media", status=404, message="No such object", after=3, times=1000)

    with pytest.raises(TargetError, match=r"2021-0\d\.parquet was replaced or taken away"):
        asked(bucket, "SELECT sum(tip_amount) FROM yellow_trips")


def test_a_bit_that_flipped_on_the_way_is_found(bucket: BucketLake) -> None:
    data = bytearray(bucket.bytes_at(KEY.format(3)) or b"")
    data[len(data) // 2] ^= 1
    bucket.gcs.bucket().objects[KEY.format(3)].data = bytes(data)  # whose checksum stays

    with pytest.raises(TargetError, match=r"2021-03\.parquet cannot be read as a month's Parquet"):
        asked(bucket, "SELECT * FROM yellow_trips")


def test_a_column_that_a_file_lacks_is_null(bucket: BucketLake, tmp_path: Path) -> None:
    schema = lake_schema(dataset("yellow"))
    old = pq.read_table(pa.BufferReader(bucket.bytes_at(KEY.format(1)))).drop_columns(["extra"])
    narrow = old.set_column(0, "VendorID", old["VendorID"].cast(pa.int16()))
    pq.write_table(narrow, tmp_path / "old.parquet")
    there = bucket.store.stat(KEY.format(1))
    assert there is not None
    bucket.put(
        tmp_path / "old.parquet",
        form=Form.PARQUET,
        rows=old.num_rows,
        key=KEY.format(1),
        if_generation=there.generation,
    )

    found = asked(
        bucket,
        "SELECT source_month AS m, count(extra) AS n, sum(VendorID)::INT AS v FROM yellow_trips "
        "WHERE VendorID > 0 GROUP BY ALL ORDER BY ALL",
    ).to_pylist()

    assert [each["n"] for each in found] == [0, 40_000, 40_000]
    assert [each["v"] for each in found] == [60_000, 60_000, 60_000]
    assert schema.field("VendorID").type == pa.int32()


def test_a_month_without_rows_is_a_month(bucket: BucketLake, tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    write_parquet([], TripFile("yellow", 2021, 4), path)
    bucket.put(path, form=Form.PARQUET, rows=0, month="2021-04", key=KEY.format(4))

    (found,) = asked(bucket, "SELECT count(*) AS n, sum(VendorID) FROM yellow_trips").to_pylist()

    assert found["n"] == len(MONTHS) * ROWS


def test_manifests_of_other_colours_are_not_waited_for(bucket: BucketLake, tmp_path: Path) -> None:
    path = tmp_path / "green.parquet"
    write_parquet([batch_of("green", 10)], TripFile("green", 2021, 1), path)
    bucket.put(path, form=Form.PARQUET, rows=10, color="green", key="data/green.parquet")
    bucket.gcs.seen.clear()

    asked(bucket, "SELECT count(*) FROM green_trips")
    only = len(bucket.gcs.seen)
    both = asked(bucket, "SELECT table_name FROM information_schema.tables ORDER BY ALL")

    assert not any("yellow" in each.path for each in bucket.gcs.seen[:only])
    assert both.to_pylist() == [{"table_name": "green_trips"}, {"table_name": "yellow_trips"}]


def test_an_answer_that_is_left_half_read_fetches_no_more(bucket: BucketLake) -> None:
    with queried(bucket.lake, "SELECT * FROM yellow_trips") as reader:
        assert next(iter(reader)).num_rows
    asked_for = len(bucket.gcs.seen)

    bucket.lake.store.stat(KEY.format(1))

    assert bucket.gcs.kinds()[asked_for:] == ["object.get"]


SCRIPT = """
import sys
from gcs import Gcs
from lakes import BucketLake
from taxietl.load.lake.query import queried

gcs = Gcs()
gcs.url = sys.argv[1]
print("asking", flush=True)
try:
    with queried(BucketLake(gcs, silence_seconds=60).lake, sys.argv[2]) as rows:
        print(sum(batch.num_rows for batch in rows))
except KeyboardInterrupt:
    print("stopped")
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(lakes.__file__).parent)}


@pytest.mark.parametrize("after", [0, 3, 5], ids=["a manifest", "a footer", "a row group"])
def test_ctrl_c_does_not_wait_for_the_bucket(bucket: BucketLake, after: int) -> None:
    statement = "SELECT sum(tip_amount) FROM yellow_trips"

    def attempt(_: int) -> float:
        bucket.gcs.seen.clear()
        bucket.gcs.faults.clear()
        bucket.gcs.fail("object.media", stall=True, after=after, times=1000)
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, bucket.gcs.url, statement],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                end = time.monotonic() + 60
                while bucket.gcs.kinds().count("object.media") <= after:
                    assert time.monotonic() < end
                    time.sleep(0.01)
                begun = time.monotonic()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=30)
                seconds = time.monotonic() - begun
            finally:
                process.kill()
        assert out == "asking\nstopped\n", err
        return seconds

    check_in_time(2, attempt)


def test_a_month_is_never_held_in_memory_as_a_whole(bucket: BucketLake, tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    rows = write_parquet([rows_of(1)] * 70, TripFile("yellow", 2021, 5), path)
    bucket.put(path, form=Form.PARQUET, rows=rows, month="2021-05", key=KEY.format(5))
    statement = "SELECT * FROM yellow_trips WHERE source_month = '2021-05-01'"

    out, peak = peak_mb([sys.executable, "-c", SCRIPT, bucket.gcs.url, statement], env=ENVIRONMENT)

    assert out.split() == ["asking", str(rows)]
    assert peak < 500, "MB; all of it are 800, and 200 are libraries"
