"""The lake's Parquet: the same columns every month, row groups of a size, whole or not at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from months import GREEN_JANUARY, JANUARY, batch_of

from taxietl.errors import TargetError
from taxietl.load.lake.parquet import lake_schema, schema_digest, write_parquet
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.trip_file import TripFile


def test_rows_come_back_in_their_order(tmp_path: Path) -> None:
    batches = [batch_of("yellow", 3, VendorID=[1, 2, None]), batch_of("yellow", 2)]

    rows = write_parquet(batches, JANUARY, tmp_path / "a.parquet")

    table = pq.read_table(tmp_path / "a.parquet")
    assert rows == table.num_rows == 5
    assert table.drop(["source_month"]).equals(pa.Table.from_batches(batches))
    assert set(table["source_month"].to_pylist()) == {date(2021, 1, 1)}


@pytest.mark.parametrize("color", DATASETS)
def test_the_columns_are_those_of_the_contract_whatever_the_month(
    tmp_path: Path, color: str
) -> None:
    dataset = DATASETS[color]
    for month in (3, 4):
        path = tmp_path / f"{month}.parquet"
        empty = arrow_schema(dataset)
        rows = pa.RecordBatch.from_arrays([pa.nulls(2, each.type) for each in empty], schema=empty)
        write_parquet([rows], TripFile(color, 2021, month), path)

        schema = pq.read_schema(path)
        assert schema.names == [*dataset.column_names, "source_month"]
        assert schema.equals(lake_schema(dataset), check_metadata=True)
        assert schema_digest(schema) == schema_digest(lake_schema(dataset))


def test_times_have_no_zone_in_the_format_itself(tmp_path: Path) -> None:
    write_parquet([batch_of("green", 2)], GREEN_JANUARY, tmp_path / "a.parquet")

    column = pq.ParquetFile(tmp_path / "a.parquet").schema.column(1)

    assert "isAdjustedToUTC=false" in str(column.logical_type)
    assert "timeUnit=microseconds" in str(column.logical_type)


def test_row_groups_are_of_one_size_however_the_rows_come(tmp_path: Path) -> None:
    batches = [batch_of("yellow", rows) for rows in (1, 250, 3, 6, 90)]

    write_parquet(batches, JANUARY, tmp_path / "a.parquet", row_group_rows=100)

    metadata = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [
        100, 100, 100, 50,
    ]  # fmt: skip


def test_it_is_compressed_indexed_and_checked_by_page(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_parquet([batch_of("yellow", 1000)], JANUARY, path)

    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert column.compression == "ZSTD"
    assert column.has_column_index
    assert column.has_offset_index
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + 40] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_parquet([batch_of("yellow", 1000)], JANUARY, tmp_path / name)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_rows_that_stop_coming_leave_no_file(tmp_path: Path) -> None:
    def batches() -> object:
        yield batch_of("yellow", 3)
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        write_parquet(batches(), JANUARY, tmp_path / "a.parquet")  # type: ignore[arg-type]

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(TargetError, match="cannot be written"):
        write_parquet([batch_of("yellow", 3)], JANUARY, tmp_path / "file" / "a.parquet")
