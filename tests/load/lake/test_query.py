"""A lake is asked as a warehouse is: reading only, and nothing beside the months."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from lakes import KEY, FolderLake, LakeOfATest
from months import JANUARY, batch_of

from taxietl.errors import ConfigError, TargetError
from taxietl.load.lake.parquet import lake_schema, write_parquet
from taxietl.load.lake.query import queried
from taxietl.load.lake.values import Form
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile

THEIRS = "data/yellow/theirs.parquet"


@pytest.fixture
def asked_lake(lake: LakeOfATest, tmp_path: Path) -> LakeOfATest:
    """January of 100 rows, the same as published, and a file of somebody else's."""
    path = tmp_path / "january.parquet"
    rows = write_parquet([batch_of("yellow", 100)], JANUARY, path)
    lake.put(path, form=Form.PARQUET, rows=rows)
    lake.put(path, form=Form.RAW, key="raw/yellow.parquet")
    lake.plant(THEIRS, path.read_bytes())
    return lake


def asked(lake: LakeOfATest, statement: str) -> list[dict[str, Any]]:
    with queried(lake.lake, statement) as reader:
        rows: list[dict[str, Any]] = reader.read_all().to_pylist()
    return rows


def generation(lake: LakeOfATest) -> int:
    """Of January's object."""
    found = lake.store.stat(KEY)
    assert found is not None
    return found.generation


def test_a_colours_months_are_one_table(asked_lake: LakeOfATest) -> None:
    statement = "SELECT count(*) AS n, min(source_month)::TEXT AS m FROM yellow_trips"

    assert asked(asked_lake, statement) == [{"n": 100, "m": "2021-01-01"}]


def test_the_columns_are_those_of_a_warehouse_in_their_order(asked_lake: LakeOfATest) -> None:
    (row,) = asked(asked_lake, "FROM Yellow_Trips LIMIT 1")

    assert list(row)[:2] == ["VendorID", "tpep_pickup_datetime"]
    assert list(row)[-1] == "source_month"


@pytest.mark.parametrize("old_month", [1, 2])
def test_a_month_of_an_earlier_contract_has_nulls_for_what_it_lacks(
    lake: LakeOfATest, tmp_path: Path, old_month: int
) -> None:
    for month in (1, 2):
        path = tmp_path / f"{month}.parquet"
        rows = write_parquet([batch_of("yellow", 100)], TripFile("yellow", 2021, month), path)
        if month == old_month:
            old = pq.read_table(path).drop_columns(["fare_amount", "pickup_longitude"])
            pq.write_table(old, path)
        key = f"data/yellow/{month}.parquet"
        lake.put(path, form=Form.PARQUET, rows=rows, key=key, month=f"2021-{month:02d}")

    (row,) = asked(lake, "SELECT count(*) AS n, count(fare_amount) AS known FROM yellow_trips")
    (one,) = asked(lake, "FROM yellow_trips LIMIT 1")

    assert row == {"n": 200, "known": 100}
    assert list(one) == lake_schema(dataset("yellow")).names


def test_tables_are_listed(asked_lake: LakeOfATest) -> None:
    assert asked(asked_lake, "SHOW TABLES") == [{"name": "yellow_trips"}]


def test_a_month_that_was_replaced_is_read_anew(asked_lake: LakeOfATest, tmp_path: Path) -> None:
    path = tmp_path / "restated.parquet"
    rows = write_parquet([batch_of("yellow", 90)], JANUARY, path)
    asked_lake.put(path, form=Form.PARQUET, rows=rows, if_generation=generation(asked_lake))

    assert asked(asked_lake, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 90}]


def test_a_folder_whose_name_has_quotes_and_patterns_in_it_is_asked_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("o'brien [a]*?", "o'brien aXX"):  # the second fits the first one's pattern
        path = tmp_path / "january.parquet"
        rows = write_parquet([batch_of("yellow", len(name))], JANUARY, path)
        FolderLake(tmp_path / name).put(path, form=Form.PARQUET, rows=rows)
    laid_aside = tmp_path / "it's"
    laid_aside.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(laid_aside))

    named = FolderLake(tmp_path / "o'brien [a]*?")

    assert asked(named, "SELECT count(*) AS n FROM yellow_trips") == [{"n": len("o'brien [a]*?")}]


def test_a_month_on_disk_that_is_replaced_meanwhile_is_told(tmp_path: Path) -> None:
    folder, path = FolderLake(tmp_path / "lake"), tmp_path / "january.parquet"
    rows = write_parquet([batch_of("yellow", 100)], JANUARY, path)
    first = folder.put(path, form=Form.PARQUET, rows=rows)

    with queried(folder.lake, "SELECT * FROM yellow_trips") as reader:
        folder.put(path, form=Form.PARQUET, rows=rows, if_generation=first.generation)
        with pytest.raises(TargetError, match="was replaced or taken away while it was read"):
            reader.read_all()


def test_what_somebody_put_in_a_months_place_is_not_read(
    asked_lake: LakeOfATest, tmp_path: Path
) -> None:
    path = tmp_path / "theirs.parquet"
    write_parquet([batch_of("yellow", 90)], JANUARY, path)
    key = asked_lake.lake.key(JANUARY, Form.PARQUET, "")
    asked_lake.plant(key, path.read_bytes())

    with pytest.raises(TargetError, match="not what run 'amber-fox' put there"):
        asked(asked_lake, "SELECT count(*) AS n FROM yellow_trips")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP VIEW yellow_trips",
        "COPY yellow_trips TO '{outside}/out.csv'",
        "FROM query('COPY (SELECT 1) TO ''{outside}/out.csv''')",
        "SELECT * FROM read_text('{lake}/_taxietl/yellow/2021-01.json')",
        "SELECT * FROM '{lake}/data/yellow/theirs.parquet'",
        "SELECT * FROM read_parquet('{outside}/secret.parquet')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('{outside}/*')",
        "SELECT * FROM lake",
        "ATTACH '{outside}/new.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM green_trips, yellow_trips",
    ],
)
def test_nothing_else_can_be_read_and_nothing_written(
    asked_lake: LakeOfATest, tmp_path: Path, statement: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write_parquet([batch_of("yellow", 1)], JANUARY, outside / "secret.parquet")
    given = statement.replace("{outside}", str(outside))

    with pytest.raises((ConfigError, TargetError)):
        asked(asked_lake, given.replace("{lake}", asked_lake.store.address))

    assert [each.name for each in outside.iterdir()] == ["secret.parquet"]


def test_a_statement_that_is_wrong_is_the_users_fault(asked_lake: LakeOfATest) -> None:
    with pytest.raises(ConfigError, match="fare") as refused:
        asked(asked_lake, "SELECT fare FROM yellow_trips")

    assert "fare_amount" in refused.value.hint


FEBRUARY = "data/yellow/yellow_tripdata_2021-02.parquet"


def _february(lake: LakeOfATest, tmp_path: Path, how: str) -> None:
    """Leave February in a state in which nobody may read it."""
    path = tmp_path / "february.parquet"
    rows = write_parquet([batch_of("yellow", 7)], TripFile("yellow", 2021, 2), path)
    told: dict[str, Any] = {"rows": rows, "key": FEBRUARY, "month": "2021-02"}
    if how == "never recorded":
        lake.upload(path, **told)
        return
    if how == "never uploaded":
        lake.plant(FEBRUARY, path.read_bytes())
        return
    first = lake.put(path, **told)
    assert asked(lake, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 107}]
    if how == "gone":
        lake.plant(FEBRUARY, None)
    elif how == "other bytes of that size":
        lake.plant(FEBRUARY, b"x" * path.stat().st_size)
    else:
        write_parquet([batch_of("yellow", 9)], TripFile("yellow", 2021, 2), path)
        lake.upload(path, if_generation=first.generation, **{**told, "rows": 9})


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("gone", "is not there, though its manifest has it"),
        ("other bytes of that size", "is not what run 'amber-fox' put there"),
        ("restated, and not recorded", "is not in its manifest, as after a crash"),
        ("never recorded", "is not in its manifest, as after a crash"),
        ("never uploaded", "was not put there by taxietl"),
    ],
)
def test_no_rows_are_told_of_a_table_that_has_a_month_that_is_not_whole(
    asked_lake: LakeOfATest, tmp_path: Path, how: str, said: str
) -> None:
    _february(asked_lake, tmp_path, how)

    for condition in ("true", "source_month = '2021-01-01'"):
        with pytest.raises(TargetError) as refused:
            asked(asked_lake, f"SELECT count(*) FROM yellow_trips WHERE {condition}")
        assert f"{asked_lake.store.uri(FEBRUARY)} {said}" in refused.value.message
        assert "--year 2021 --month 2" in refused.value.hint


def test_another_colours_month_that_is_not_whole_is_no_matter(
    asked_lake: LakeOfATest, tmp_path: Path
) -> None:
    path = tmp_path / "green.parquet"
    path.write_bytes(b"green")
    version = asked_lake.upload(path, color="green", key="green/1", rows=100)
    asked_lake.lake.record(version)
    asked_lake.plant("green/1", None)

    assert asked(asked_lake, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 100}]


def test_months_of_an_older_contract_are_read_with_a_warning(
    asked_lake: LakeOfATest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "february.parquet"
    rows = write_parquet([batch_of("yellow", 7)], TripFile("yellow", 2021, 2), path)
    asked_lake.put(path, rows=rows, key=FEBRUARY, month="2021-02", contract_version="0")

    assert asked(asked_lake, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 107}]
    (told,) = caplog.messages
    assert told == "Uploaded under an older contract, and to be uploaded again: yellow-2021-02."


def test_a_month_that_was_only_copied_is_read(asked_lake: LakeOfATest) -> None:
    asked_lake.plant(KEY, asked_lake.bytes_at(KEY))

    assert asked(asked_lake, "SELECT count(*) AS n FROM yellow_trips") == [{"n": 100}]


def test_an_empty_lake_says_so(lake: LakeOfATest) -> None:
    with pytest.raises(TargetError, match="nothing of any table in"):
        asked(lake, "SELECT 1")


def test_a_colour_that_the_lake_lacks_is_told(asked_lake: LakeOfATest) -> None:
    with pytest.raises(TargetError, match="nothing of green_trips in") as refused:
        asked(asked_lake, "SELECT 1 FROM green_trips")

    assert "upload-gcs" in refused.value.hint


def test_a_file_that_is_no_parquet_is_told(asked_lake: LakeOfATest) -> None:
    key = asked_lake.lake.key(JANUARY, Form.PARQUET, "")
    asked_lake.plant(key, b"no Parquet at all")

    with pytest.raises(TargetError) as refused:
        asked(asked_lake, "SELECT * FROM yellow_trips")

    assert asked_lake.store.uri(key) in refused.value.message
    assert "lake verify" in refused.value.hint


@pytest.mark.parametrize("lake", ["folder"], indirect=True)
def test_what_needs_more_memory_is_laid_aside_on_disk_and_taken_away(
    asked_lake: LakeOfATest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spilt"))
    (tmp_path / "spilt").mkdir()
    before = set(tmp_path.iterdir())
    numbered = "FROM yellow_trips, range(50000) r(i)"

    with queried(
        asked_lake.lake, f"SELECT md5(i::TEXT) AS m, repeat('x', 100) {numbered} ORDER BY m"
    ) as reader:
        assert sum(batch.num_rows for batch in reader) == 5_000_000

    assert set(tmp_path.iterdir()) == before
    assert list((tmp_path / "spilt").iterdir()) == []
