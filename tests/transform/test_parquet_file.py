"""Reading Parquet as its writers differ: types that drift, other spellings, damage."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from taxietl.errors import CorruptFileError, DataError, SchemaError
from taxietl.steps.values import Note
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.parquet_file import BATCH_ROWS, ParquetReader

MOMENT = datetime(2021, 1, 1, 0, 30, 10)


def times(unit: str, *since_1970: int) -> pa.Array:
    return pa.array(since_1970, pa.timestamp(unit))


class TestTypesThatDrift:
    @pytest.mark.parametrize(
        ("column", "published", "expected"),
        [
            pytest.param("airport_fee", pa.nulls(3), [None] * 3, id="null-typed"),
            pytest.param("VendorID", pa.array([1, 2, None], pa.int32()), [1, 2, None], id="int32"),
            pytest.param("VendorID", pa.array([1, 2, 6], pa.int64()), [1, 2, 6], id="int64"),
            pytest.param("RatecodeID", pa.array([1.0, 99.0, None]), [1, 99, None], id="double"),
            pytest.param("passenger_count", pa.array([0, 9, None]), [0, 9, None], id="back-to-int"),
            pytest.param("RatecodeID", pa.array(["1", "2.0", ""]), [1, 2, None], id="code-as-text"),
            pytest.param("extra", pa.array([1, 0, None]), [1.0, 0.0, None], id="money-as-int"),
            pytest.param("extra", pa.array(["1", ".5", " "]), [1.0, 0.5, None], id="money-as-text"),
            pytest.param(
                "extra",
                pa.array([Decimal("1.15"), Decimal("0.50"), None]),
                [1.15, 0.5, None],
                id="money-as-decimal",
            ),
            pytest.param(
                "RatecodeID",
                pa.array([Decimal("1.0"), Decimal("99.0"), None]),
                [1, 99, None],
                id="code-as-decimal",
            ),
            pytest.param(
                "store_and_fwd_flag",
                pa.array(["N", "Y", None], pa.large_string()),
                ["N", "Y", None],
                id="large-string",
            ),
            pytest.param(
                "store_and_fwd_flag",
                pa.array(["N", "Y", "N"]).dictionary_encode(),
                ["N", "Y", "N"],
                id="dictionary",
            ),
            pytest.param(
                "request_source", pa.array([b"N", b"\xe9", None]), ["N", "é", None], id="binary"
            ),
            pytest.param(
                "store_and_fwd_flag", pa.array([0.0, 1.0, None]), ["N", "Y", None], id="flag-double"
            ),
            pytest.param("payment_type", pa.array(["CSH", "Credit", "3"]), [2, 1, 3], id="words"),
            pytest.param(
                "VendorID",
                pa.array(["CMT", "DDS", None]).dictionary_encode(),
                [1, 3, None],
                id="words-in-a-dictionary",
            ),
        ],
    )
    def test_every_type_of_any_month_gives_the_contract_s(
        self, trips: Any, column: str, published: pa.Array, expected: list[Any]
    ) -> None:
        cleaned = trips.clean(trips.parquet(**{column: published}))

        cleaned.assert_adds_up()
        assert cleaned.column(column) == expected
        assert cleaned.tally.values_nulled == {}

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_times_of_any_unit_are_the_same(self, trips: Any, unit: str) -> None:
        published = pa.array([MOMENT] * 3, pa.timestamp(unit))

        cleaned = trips.clean(trips.parquet(tpep_pickup_datetime=published))

        assert cleaned.column("tpep_pickup_datetime") == [MOMENT] * 3
        assert cleaned.table.column("tpep_pickup_datetime").type == pa.timestamp("us")

    def test_times_may_be_text(self, trips: Any) -> None:
        published = pa.array(["2021-01-01 00:30:10", "2021-01-01 00:30:10.000000", None])

        cleaned = trips.clean(trips.parquet(tpep_pickup_datetime=published))

        assert cleaned.column("tpep_pickup_datetime") == [MOMENT, MOMENT, None]

    def test_times_may_be_of_96_bits_as_spark_writes_them(self, trips: Any) -> None:
        path = trips.parquet()
        pq.write_table(pq.read_table(path), path, use_deprecated_int96_timestamps=True)
        assert pq.ParquetFile(path).metadata.schema.column(1).physical_type == "INT96"

        cleaned = trips.clean(path)

        assert cleaned.column("tpep_pickup_datetime") == [MOMENT] * 3

    def test_a_time_of_96_bits_may_lie_far_away(self, trips: Any) -> None:
        """Counted in nanoseconds, as Arrow does if it is not told, 9999 becomes 1816."""
        far = [datetime(9999, 12, 31, 23, 59, 59), datetime(1600, 1, 1), MOMENT]
        path = trips.parquet(tpep_pickup_datetime=pa.array(far, pa.timestamp("us")))
        pq.write_table(pq.read_table(path), path, use_deprecated_int96_timestamps=True)

        cleaned = trips.clean(path)

        assert cleaned.column("tpep_pickup_datetime") == far

    def test_the_first_parquet_files_have_text_times_and_double_flags(self, trips: Any) -> None:
        path = trips.folder / "t.parquet"
        names = (
            "vendor_name Trip_Pickup_DateTime Trip_Dropoff_DateTime Passenger_Count Trip_Distance "
            "Start_Lon Start_Lat Rate_Code store_and_forward End_Lon End_Lat Payment_Type Fare_Amt "
            "surcharge mta_tax Tip_Amt Tolls_Amt Total_Amt"
        ).split()
        row = ["VTS", "2009-01-04 02:52:00", "2009-01-04 03:02:00", 1, 2.63, -73.99, 40.72, None]
        row += [0.0, -73.99, 40.69, "CASH", 8.9, 0.5, None, 0.0, 0.0, 9.4]
        columns = {name: pa.array([cell]) for name, cell in zip(names, row, strict=True)}
        pq.write_table(pa.table(columns), path)

        cleaned = trips.clean(path, TripFile("yellow", 2009, 1))

        assert cleaned.column("VendorID") == [2]
        assert cleaned.column("tpep_pickup_datetime") == [datetime(2009, 1, 4, 2, 52)]
        assert cleaned.column("RatecodeID") == [None]
        assert cleaned.column("store_and_fwd_flag") == ["N"]
        assert cleaned.column("pickup_longitude") == [-73.99]
        assert cleaned.column("total_amount") == [9.4]


class TestValuesThatDoNotFit:
    @pytest.mark.parametrize(
        ("column", "published", "raw"),
        [
            pytest.param(
                "tpep_pickup_datetime",
                times("ns", *[1_609_459_200_000_000_000] * 299, 1_609_459_200_000_000_001),
                "2021-01-01 00:00:00.000000001",
                id="nanoseconds",
            ),
            pytest.param(
                "tpep_pickup_datetime",
                times("ms", *[1_609_459_200_000] * 299, 2**60),
                str(2**60),
                id="beyond-the-calendar",
            ),
            pytest.param(
                "tpep_pickup_datetime", pa.array(["2021-01-01"] * 299 + ["new"]), "new", id="text"
            ),
            pytest.param("extra", pa.array([1.0] * 299 + [float("nan")]), "nan", id="nan"),
            pytest.param("extra", pa.array([1.0] * 299 + [float("-inf")]), "-inf", id="infinity"),
            pytest.param("extra", pa.array([1] * 299 + [2**60 + 1]), str(2**60 + 1), id="too-long"),
            pytest.param("RatecodeID", pa.array([1.0] * 299 + [1.5]), "1.5", id="half-a-code"),
            pytest.param("RatecodeID", pa.array([1.0] * 299 + [float("nan")]), "nan", id="no-code"),
            pytest.param("RatecodeID", pa.array([1] * 299 + [2**40]), str(2**40), id="too-large"),
            pytest.param("VendorID", pa.array(["CMT"] * 299 + ["Lyft"]), "Lyft", id="no-vendor"),
        ],
    )
    def test_one_is_null_counted_and_noted_and_never_rounded(
        self, trips: Any, column: str, published: pa.Array, raw: str
    ) -> None:
        path = trips.parquet()
        table = pa.concat_tables([pq.read_table(path)] * 100)
        place = table.schema.get_field_index(column)
        pq.write_table(table.set_column(place, column, published), path, coerce_timestamps=None)

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert cleaned.column(column)[299] is None
        assert None not in cleaned.column(column)[:299]
        assert cleaned.tally.values_nulled == {column: 1}
        (note,) = cleaned.tally.notes
        assert (note.kind, note.line, note.column, note.raw) == ("value", 300, column, raw)

    @pytest.mark.parametrize(
        ("column", "published"),
        [
            pytest.param("tpep_pickup_datetime", pa.array([1, 2, 3]), id="number-as-time"),
            pytest.param(
                "tpep_pickup_datetime",
                pa.array([MOMENT] * 3, pa.timestamp("us", "UTC")),
                id="time-with-a-zone",
            ),
            pytest.param("extra", times("us", 1, 2, 3), id="time-as-money"),
            pytest.param("VendorID", pa.array([True, False, None]), id="yes-and-no-as-a-code"),
            pytest.param("extra", pa.array([[1.0], [2.0], []]), id="list"),
        ],
    )
    def test_a_type_that_would_have_to_be_guessed_at_is_refused(
        self, trips: Any, column: str, published: pa.Array
    ) -> None:
        with pytest.raises(SchemaError, match=f"{column} is of type"):
            trips.clean(trips.parquet(**{column: published}))


class TestNoValues:
    def test_any_share_may_be_nan_as_pandas_writes_it(self, trips: Any) -> None:
        nan = float("nan")
        columns = {name: pa.array([nan, 1.0, nan]) for name in ("passenger_count", "extra")}

        cleaned = trips.clean(trips.parquet(**columns))

        cleaned.assert_adds_up()
        assert cleaned.column("passenger_count") == [None, 1, None]
        assert cleaned.column("extra") == [None, 1.0, None]
        assert cleaned.tally.values_nulled == {"passenger_count": 2, "extra": 2}
        assert [(each.line, each.raw) for each in cleaned.tally.notes] == [(1, "nan"), (1, "nan")]

    def test_they_excuse_no_other_cell(self, trips: Any) -> None:
        column = pa.array([float("nan"), float("inf"), 1.0])

        with pytest.raises(SchemaError, match=r"1 of 3 values of extra .* in line 2: 'inf'"):
            trips.clean(trips.parquet(extra=column))


class TestRowsThatAreNoTrips:
    def test_the_header_that_came_along_as_text_is_a_reject(self, trips: Any) -> None:
        table = pq.read_table(trips.parquet())
        columns = {
            name: pa.concat_arrays([pa.array([name]), pc.cast(each.combine_chunks(), pa.string())])
            for name, each in zip(table.column_names, table.columns, strict=True)
        }
        pq.write_table(pa.table(columns), trips.folder / "text.parquet")

        cleaned = trips.clean(trips.folder / "text.parquet")

        cleaned.assert_adds_up()
        assert cleaned.table.equals(trips.clean(trips.parquet()).table)
        header = ",".join(table.column_names)
        assert cleaned.tally.notes == (Note("row", 1, None, "repeats the header", header),)

    def test_a_row_without_a_number_or_time_is_a_reject(self, trips: Any) -> None:
        table = pq.read_table(trips.parquet())
        path = trips.folder / "nulls.parquet"
        pq.write_table(pa.concat_tables([table, pa.table({"VendorID": pa.nulls(1, pa.int64())})],
                                        promote_options="default"), path)  # fmt: skip

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert (cleaned.table.num_rows, cleaned.lines("row")) == (3, [4])


class TestColumns:
    def test_any_spelling_of_a_name_will_do(self, trips: Any) -> None:
        fee = pa.array([0.0, 1.75, None])
        path = trips.parquet(without=["airport_fee"], Airport_fee=fee)

        cleaned = trips.clean(path, TripFile("yellow", 2023, 2))

        assert cleaned.column("airport_fee") == [0.0, 1.75, None]
        assert cleaned.tally.new_columns == {}
        assert cleaned.tally.absent_columns == ()

    def test_an_index_that_pandas_wrote_is_left_out(self, trips: Any) -> None:
        cleaned = trips.clean(trips.parquet(__index_level_0__=pa.array([0, 1, 2])))

        assert cleaned.tally.new_columns == {}
        assert "__index_level_0__" not in cleaned.table.column_names

    @pytest.mark.parametrize(
        ("published", "expected"),
        [
            pytest.param(pa.array(["a", "", None]), ["a", "", None], id="text"),
            pytest.param(pa.array([1, 2, None]), ["1", "2", None], id="integers"),
            pytest.param(pa.array([0.5, 1e20, None]), ["0.5", "1e+20", None], id="doubles"),
            pytest.param(pa.array([True, False, None]), ["true", "false", None], id="booleans"),
            pytest.param(
                times("us", 0, 1, None),
                ["1970-01-01 00:00:00.000000", "1970-01-01 00:00:00.000001", None],
                id="times",
            ),
        ],
    )
    def test_one_that_nobody_knows_is_kept_as_text_and_told(
        self, trips: Any, published: pa.Array, expected: list[Any]
    ) -> None:
        cleaned = trips.clean(trips.parquet(mood=published))

        assert cleaned.column("mood") == expected
        assert cleaned.tally.new_columns == {"mood": "TEXT"}

    def test_one_that_is_missing_is_named_as_the_contract_spells_it(self, trips: Any) -> None:
        with pytest.raises(SchemaError, match=r"is no yellow-2021-01: it has no PULocationID\."):
            trips.clean(trips.parquet(without=["PULocationID"]))

    def test_one_that_others_of_that_month_have_is_told(self, trips: Any) -> None:
        cleaned = trips.clean(trips.parquet(), TripFile("yellow", 2025, 1))

        assert cleaned.tally.absent_columns == ("cbd_congestion_fee",)
        assert cleaned.column("cbd_congestion_fee") == [None] * 3

    def test_one_that_stands_there_twice_is_refused(self, trips: Any) -> None:
        with pytest.raises(SchemaError, match="one column twice: VendorID, vendorid"):
            trips.clean(trips.parquet(vendorid=pa.array([1, 2, 3])))


class TestReading:
    def test_the_footer_says_how_many_rows_there_are(self, trips: Any) -> None:
        path = trips.parquet()
        rows = BATCH_ROWS + 3
        pq.write_table(pa.concat_tables([pq.read_table(path)] * (rows // 3 + 1))[:rows], path)

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert cleaned.tally.rows_read == rows
        assert len(cleaned.batches) == 2

    def test_lines_of_later_batches_go_on_counting(self, trips: Any) -> None:
        path = trips.parquet()
        table = pa.concat_tables([pq.read_table(path)] * (BATCH_ROWS // 3 + 2))
        bad = pa.array([1.0] * (table.num_rows - 1) + [float("nan")])
        place = table.schema.get_field_index("extra")
        pq.write_table(table.set_column(place, "extra", bad), path)

        cleaned = trips.clean(path)

        reason = "not a value of DOUBLE PRECISION"
        assert cleaned.tally.notes == (Note("value", table.num_rows, "extra", reason, "nan"),)

    def test_a_file_without_rows_is_refused(self, trips: Any) -> None:
        path = trips.parquet()
        pq.write_table(pq.read_table(path)[:0], path)

        with pytest.raises(DataError, match="has no rows"):
            trips.clean(path)

    @pytest.mark.parametrize("kept", [4, 11, 1000, -1])
    def test_a_file_that_was_cut_is_refused(self, trips: Any, kept: int) -> None:
        path = trips.parquet()
        path.write_bytes(path.read_bytes()[:kept])

        with pytest.raises(CorruptFileError, match="cut short"):
            trips.clean(path)

    def test_a_file_whose_footer_is_damaged_is_refused(self, trips: Any) -> None:
        path = trips.parquet()
        content = bytearray(path.read_bytes())
        content[-60:-12] = b"\xff" * 48
        path.write_bytes(content)

        with pytest.raises(CorruptFileError, match="cannot be read as Parquet"):
            trips.clean(path)

    def test_a_file_whose_pages_are_damaged_is_refused(self, trips: Any) -> None:
        path = trips.parquet()
        content = bytearray(path.read_bytes())
        content[4:400] = b"\xff" * 396
        path.write_bytes(content)

        with pytest.raises(CorruptFileError, match="cannot be read as Parquet"):
            trips.clean(path)

    def test_closing_early_closes_the_file(self, trips: Any) -> None:
        path = trips.parquet()
        pq.write_table(pq.read_table(path), path, row_group_size=1)
        reader = ParquetReader(path, TripFile("yellow", 2021, 1))
        blocks = reader.blocks()
        next(blocks)

        blocks.close()

        with pytest.raises((ValueError, CorruptFileError)):
            next(reader.blocks())
