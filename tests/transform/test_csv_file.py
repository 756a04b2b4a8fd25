"""Reading CSV as it comes: dialects, dirt, damage, and what is counted and noted of it."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from taxietl.errors import CorruptFileError, DataError, SchemaError
from taxietl.steps.values import Note, Remark
from taxietl.tlc.trip_file import TripFile
from taxietl.transform.csv_file import CsvReader
from taxietl.transform.times import MIDNIGHT, NO_SECONDS

GREEN_2013 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,"
    "Pickup_longitude,Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,"
    "Trip_distance,Fare_amount,Extra,MTA_tax,Tip_amount,Tolls_amount,Ehail_fee,Total_amount,"
    "Payment_type,Trip_type "
)
GREEN_LINE = (
    "2,2013-09-01 00:02:00,2013-09-01 00:54:51,N,1,-73.952407836914062,40.810726165771484,"
    "-73.983940124511719,40.676284790039063,5,14.35,50.5,0.5,0.5,10.3,0,,61.8,1,,,"
)
YELLOW_2014 = (
    "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance, "
    "pickup_longitude, pickup_latitude, rate_code, store_and_fwd_flag, dropoff_longitude, "
    "dropoff_latitude, payment_type, fare_amount, surcharge, mta_tax, tip_amount, tolls_amount, "
    "total_amount"
)
INCOMPLETE = {
    "VendorID": "",
    "passenger_count": "",
    "RatecodeID": "",
    "store_and_fwd_flag": "",
    "payment_type": "",
    "congestion_surcharge": "",
}


def is_text(block_column: pa.Array) -> bool:
    """Whether a number is still text: its block was taken apart line by line."""
    return bool(pa.types.is_string(block_column.type))


class TestDialects:
    def test_more_fields_than_names_shift_nothing(self, trips: Any) -> None:
        path = trips.csv("\r", *[GREEN_LINE + "\r"] * 3, header=GREEN_2013)

        cleaned = trips.clean(path, TripFile("green", 2013, 9))

        cleaned.assert_adds_up()
        assert cleaned.column("VendorID") == [2] * 3
        assert cleaned.column("total_amount") == [61.8] * 3
        assert cleaned.column("payment_type") == [1] * 3
        assert cleaned.column("trip_type") == [None] * 3

    def test_more_fields_than_names_do_not_make_it_slow(self, trips: Any) -> None:
        path = trips.csv("", *[GREEN_LINE] * 3, header=GREEN_2013)

        (block,) = CsvReader(path, "csv", TripFile("green", 2013, 9)).blocks()

        assert not is_text(block.batch.column("Fare_amount"))

    def test_names_may_have_spaces_and_any_case(self, trips: Any) -> None:
        line = "CMT,2014-05-01 10:00:00,2014-05-01 10:10:00,1,2.5,-73.9,40.7,1,N,-73.8,40.6,"
        path = trips.csv(line + "CRD,9,0.5,0.5,2,0,12", header=YELLOW_2014.upper())

        cleaned = trips.clean(path, TripFile("yellow", 2014, 5))

        assert cleaned.column("VendorID") == [1]
        assert cleaned.column("extra") == [0.5]
        assert cleaned.column("total_amount") == [12.0]

    @pytest.mark.parametrize(
        ("between", "end"),
        [
            pytest.param(b"\n", b"\n", id="lf"),
            pytest.param(b"\r\n", b"\r\n", id="crlf"),
            pytest.param(b"\n\r\n", b"\r\n", id="lf-then-blank-crlf"),
            pytest.param(b"\n\n\r\n", b"\r\n", id="two-blank-lines"),
            pytest.param(b"\r\n\r\r\n", b"\r\r\n", id="cr-twice"),
            pytest.param(b"\n   \n", b"\n \t\n", id="lines-of-blanks"),
            pytest.param(b"\r\n  \r\n", b"\r\n\xc2\xa0\r\n", id="lines-of-blanks-crlf"),
        ],
    )
    def test_line_ends_and_blank_lines_do_not_matter(
        self, trips: Any, between: bytes, end: bytes
    ) -> None:
        rows = [trips.line(PULocationID=str(zone)).encode() for zone in range(1, 6)]
        path = trips.write(trips.header.encode() + between + end.join(rows) + end + end)

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert cleaned.column("PULocationID") == [1, 2, 3, 4, 5]
        assert cleaned.tally.notes == ()

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
    def test_a_last_line_without_its_end_is_loaded_and_told(
        self, trips: Any, end: str, name: str
    ) -> None:
        whole = end.join([trips.header, trips.line(), "", trips.line()])

        cut = trips.clean(trips.write(whole[:-1].encode(), name=name), block_bytes=200)
        ended = trips.clean(trips.write(f"{whole}{end}".encode(), name=name))
        blank = trips.clean(trips.write(f"{whole}{end} ".encode(), name=name))

        cut.assert_adds_up()
        assert cut.column("congestion_surcharge") == [2.5, 2.0]
        (remark,) = cut.tally.remarks
        assert (remark.line, remark.column, remark.raw) == (4, None, trips.line()[:-1])
        (warning,) = cut.tally.warnings(name)
        assert "it may be cut (line 4: " in warning
        assert ended.tally.remarks == blank.tally.remarks == ()

    def test_a_byte_order_mark_is_not_part_of_the_first_name(self, trips: Any) -> None:
        path = trips.csv(trips.line(), header="\ufeff" + trips.header)

        assert trips.clean(path).column("VendorID") == [2]

    def test_fields_may_be_quoted(self, trips: Any) -> None:
        header = ",".join(f'"{name}"' for name in trips.header.split(","))
        line = ",".join(f'"{cell}"' for cell in trips.line(store_and_fwd_flag="").split(","))
        path = trips.csv(line, line, header=header)

        (block,) = CsvReader(path, "csv", TripFile("yellow", 2021, 1)).blocks()
        cleaned = trips.clean(path)

        assert not is_text(block.batch.column("fare_amount"))
        assert cleaned.column("fare_amount") == [8.0, 8.0]
        assert cleaned.column("store_and_fwd_flag") == [None, None]

    def test_an_index_that_pandas_wrote_is_left_out(self, trips: Any) -> None:
        path = trips.csv("0," + trips.line(), "1," + trips.line(), header="," + trips.header)

        cleaned = trips.clean(path)

        assert cleaned.tally.new_columns == {}
        assert cleaned.column("VendorID") == [2, 2]

    def test_codes_may_be_written_as_pandas_does(self, trips: Any) -> None:
        whole = {"VendorID": "2.0", "passenger_count": "1.0", "PULocationID": "265.0"}
        path = trips.csv(trips.line(**whole), trips.line(**INCOMPLETE), trips.line())

        (block,) = CsvReader(path, "csv", TripFile("yellow", 2021, 1)).blocks()
        cleaned = trips.clean(path)

        assert not is_text(block.batch.column("fare_amount"))
        assert cleaned.column("VendorID") == [2, None, 2]
        assert cleaned.column("PULocationID") == [265, 142, 142]
        assert cleaned.tally.values_nulled == {}

    def test_times_may_have_parts_of_seconds_that_are_none(self, trips: Any) -> None:
        times = ("2021-01-01 00:30:10.000000000", "9999-12-31T00:30:10.0000000")
        path = trips.csv(*[trips.line(tpep_pickup_datetime=time) for time in times])

        (block,) = CsvReader(path, "csv", TripFile("yellow", 2021, 1)).blocks()
        cleaned = trips.clean(path)

        assert not is_text(block.batch.column("fare_amount"))
        assert cleaned.column("tpep_pickup_datetime") == [
            datetime(2021, 1, 1, 0, 30, 10), datetime(9999, 12, 31, 0, 30, 10),
        ]  # fmt: skip
        assert cleaned.tally.remarks == ()

    @pytest.mark.parametrize("dirt", [(), ("dirt",)], ids=["clean", "dirty"])
    @pytest.mark.parametrize("header", ["", ",note"])
    def test_times_that_were_completed_are_told_wherever_they_stand(
        self, trips: Any, header: str, dirt: tuple[str, ...]
    ) -> None:
        more = header and ",at 10:30"
        lines = [trips.line() + more] * 300
        lines[50] = trips.line(tpep_pickup_datetime="2021-01-01") + more
        lines[250] = trips.line(tpep_pickup_datetime="2021-01-02") + more
        lines[251] = trips.line(tpep_dropoff_datetime="2021-01-01T00:54") + more
        path = trips.csv(*lines, *dirt, header=trips.header + header)

        cleaned = trips.clean(path, block_bytes=5_000)

        assert set(cleaned.tally.remarks) == {
            Remark(52, "tpep_pickup_datetime", MIDNIGHT, "2021-01-01", 2),
            Remark(253, "tpep_dropoff_datetime", NO_SECONDS, "2021-01-01T00:54", 1),
        }
        assert any(
            "has dates without a time of day, loaded as midnight, in tpep_pickup_datetime: 2 "
            "(the first in line 52: '2021-01-01')" in each
            for each in cleaned.tally.warnings("t.csv")
        )

    def test_latin_1_is_read_where_it_is_no_utf_8(self, trips: Any) -> None:
        header = trips.header + ",driver"
        lines = [trips.line().encode() + name for name in (b",Jos\xe9", b",Zo\xc3\xab")]

        cleaned = trips.clean(trips.csv(*lines, header=header))

        assert cleaned.column("driver") == ["José", "Zoë"]

    def test_a_null_of_mysql_is_no_value(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(trips.line(RatecodeID=r"\N", store_and_fwd_flag=r"\N")))

        assert cleaned.column("RatecodeID") == [None]
        assert cleaned.column("store_and_fwd_flag") == [None]
        assert cleaned.tally.values_nulled == {}

    def test_columns_may_come_in_any_order(self, trips: Any) -> None:
        header = ",".join(reversed(trips.header.split(",")))
        line = ",".join(reversed(trips.line().split(",")))

        cleaned = trips.clean(trips.csv(line, header=header))

        assert cleaned.table.equals(trips.clean(trips.csv(trips.line())).table)

    def test_a_new_column_is_kept_as_text_and_told(self, trips: Any) -> None:
        path = trips.csv(trips.line() + ",007", trips.line() + ",", header=f"{trips.header}, mood ")

        cleaned = trips.clean(path)

        assert cleaned.column("mood") == ["007", None]
        assert cleaned.tally.new_columns == {"mood": "TEXT"}


class TestIncompleteRows:
    """From 2020-03 on, files end in one block of rows without vendor, passengers and payment."""

    @pytest.mark.parametrize("incomplete_first", [False, True], ids=["last", "first"])
    def test_types_do_not_hang_on_which_rows_come_first(
        self, trips: Any, incomplete_first: bool
    ) -> None:
        parts = [[trips.line()] * 40_000, [trips.line(**INCOMPLETE)] * 36_000]
        if incomplete_first:
            parts.reverse()
        path = trips.csv(*parts[0], *parts[1])

        blocks = list(
            CsvReader(path, "csv", TripFile("yellow", 2021, 1), block_bytes=1 << 20).blocks()
        )
        cleaned = trips.clean(path)

        assert not any(is_text(block.batch.column("fare_amount")) for block in blocks)
        cleaned.assert_adds_up()
        assert cleaned.table.num_rows == 76_000
        assert cleaned.table.column("passenger_count").null_count == 36_000
        assert cleaned.table.column("VendorID").type == pa.int32()
        assert cleaned.tally.values_nulled == {}


class TestCellsThatCannotBeRead:
    def test_one_is_null_counted_and_noted_with_its_place_and_text(self, trips: Any) -> None:
        bad = trips.line(fare_amount="8,00".replace(",", "·"), PULocationID="JFK")
        path = trips.csv("", *[trips.line()] * 150, bad, *[trips.line()] * 150)

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert cleaned.tally.rows_rejected == 0
        assert cleaned.table.num_rows == 301
        assert cleaned.tally.values_nulled == {"PULocationID": 1, "fare_amount": 1}
        assert cleaned.tally.notes == (
            Note("value", 153, "PULocationID", "not a value of INTEGER", "JFK"),
            Note("value", 153, "fare_amount", "not a value of DOUBLE PRECISION", "8·00"),
        )
        assert cleaned.column("fare_amount")[150] is None
        assert cleaned.column("tip_amount")[150] == 0.0

    @pytest.mark.parametrize(
        ("column", "text"),
        [
            ("fare_amount", "NaN"),
            ("fare_amount", "inf"),
            ("fare_amount", "1e400"),
            ("fare_amount", "$8"),
            ("fare_amount", "0x10"),
            ("PULocationID", "0x10"),
            ("PULocationID", "1.5"),
            ("PULocationID", "1.0000000000000000001"),
            ("store_and_fwd_flag", "maybe"),
            ("store_and_fwd_flag", "<NA>"),
            ("tpep_pickup_datetime", "0000-01-01 00:00:00"),
            ("tpep_pickup_datetime", "10000-01-01 00:00:00"),
            ("PULocationID", "NaN"),
            ("PULocationID", "2147483648"),
            ("PULocationID", "3e9"),
            ("VendorID", "Uber"),
            ("tpep_pickup_datetime", "11/12/2020 23:59"),
            ("tpep_pickup_datetime", "2021-02-30 00:00:00"),
            ("tpep_pickup_datetime", "2021-01-01 24:00:00"),
            ("tpep_pickup_datetime", "2021-01-01 00:00:00Z"),
            ("tpep_pickup_datetime", "2021-01-01 00:00:00+00:00"),
            ("tpep_pickup_datetime", "2021-01-01 00:00:00.1234567"),
            ("tpep_pickup_datetime", "1609459200"),
        ],
    )
    def test_nothing_is_guessed(self, trips: Any, column: str, text: str) -> None:
        path = trips.csv(*[trips.line()] * 150, trips.line(**{column: text}))

        cleaned = trips.clean(path)

        assert cleaned.column(column)[150] is None
        assert cleaned.tally.values_nulled == {column: 1}
        (note,) = cleaned.tally.notes
        assert (note.line, note.column, note.raw) == (152, column, text)

    @pytest.mark.parametrize(
        ("column", "text", "value"),
        [
            ("trip_distance", ".50", 0.5),
            ("trip_distance", "2.6299999999999999", 2.63),
            ("trip_distance", " 3 ", 3.0),
            ("trip_distance", "+1.5", 1.5),
            ("fare_amount", "-52", -52.0),
            ("PULocationID", "007", 7),
            ("PULocationID", "1e2", 100),
            ("payment_type", "Cash", 2),
            ("payment_type", "NA ", 5),
            ("VendorID", "DDS", 3),
            ("store_and_fwd_flag", "1", "Y"),
            ("store_and_fwd_flag", " No\u202f", "N"),
            ("fare_amount", "\ufeff8\xa0", 8.0),
            ("store_and_fwd_flag", "0.0", "N"),
        ],
    )
    def test_what_has_one_meaning_is_taken(
        self, trips: Any, column: str, text: str, value: object
    ) -> None:
        cleaned = trips.clean(trips.csv(trips.line(), trips.line(**{column: text})))

        assert cleaned.column(column)[1] == value
        assert cleaned.tally.values_nulled == {}

    def test_blanks_are_no_value_and_not_lost(self, trips: Any) -> None:
        cells = {"fare_amount": "  ", "PULocationID": " ", "tpep_pickup_datetime": " "}
        cleaned = trips.clean(trips.csv(trips.line(**cells)))

        assert [cleaned.column(name) for name in cells] == [[None]] * 3
        assert cleaned.tally.values_nulled == {}

    def test_nul_in_text_is_no_text(self, trips: Any) -> None:
        lines = [trips.line(store_and_fwd_flag="N\x00"), *[trips.line()] * 150]
        cleaned = trips.clean(trips.csv(*reversed(lines)))

        assert cleaned.column("store_and_fwd_flag")[-1] is None
        assert cleaned.tally.notes[0].raw == "N\N{REPLACEMENT CHARACTER}"

    def test_one_in_a_hundred_is_dirt(self, trips: Any) -> None:
        bad = trips.line(fare_amount="free")
        cleaned = trips.clean(trips.csv(bad, *[trips.line()] * 99))

        assert cleaned.tally.values_nulled == {"fare_amount": 1}

    @pytest.mark.parametrize("column", ["fare_amount", "passenger_count", "store_and_fwd_flag"])
    def test_any_share_may_say_that_there_is_no_value(self, trips: Any, column: str) -> None:
        words = ["NaN", "<NA>", "null", "-"]

        cleaned = trips.clean(trips.csv(*[trips.line(**{column: word}) for word in words]))

        assert cleaned.column(column) == [None] * 4
        assert cleaned.tally.values_nulled == {column: 4}
        assert [note.raw for note in cleaned.tally.notes] == words

    def test_more_than_one_in_a_hundred_is_another_format(self, trips: Any) -> None:
        bad = trips.line(fare_amount="free")

        with pytest.raises(SchemaError, match=r"1 of 99 values of fare_amount.*line 3: 'free'"):
            trips.clean(trips.csv(trips.line(), bad, *[trips.line()] * 97))


class TestLinesThatCannotBeTakenApart:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("2,2021-01-01 00:30:10", "2 fields instead of 18"),
            ('2,"2021-01-01', "cannot be taken apart: unexpected end of data"),
            ('2,"2021-01-01"x,', "cannot be taken apart: ',' expected after '\"'"),
        ],
    )
    def test_it_is_a_reject_with_its_line(self, trips: Any, line: str, reason: str) -> None:
        cleaned = trips.clean(trips.csv(trips.line(), "", line, trips.line()))

        cleaned.assert_adds_up()
        assert cleaned.table.num_rows == 2
        assert cleaned.tally.rows_rejected == 1
        assert cleaned.tally.notes == (Note("row", 4, None, reason, line),)

    def test_a_line_that_no_trip_has_is_one_and_is_not_taken_apart(self, trips: Any) -> None:
        endless, many = "," * ((1 << 20) + 1), trips.line() + "," * 101

        cleaned = trips.clean(trips.csv(endless, trips.line(), trips.line(), "x" + endless, many))

        cleaned.assert_adds_up()
        assert [(note.line, note.reason) for note in cleaned.tally.notes] == [
            (2, "1,048,577 bytes long: no trip is"),
            (5, "1,048,578 bytes long: no trip is"),
            (6, "119 fields instead of 18"),
        ]

    def test_a_long_row_is_one(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(trips.line(), trips.line() + ",1,", trips.line()))

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [3]
        assert cleaned.tally.notes[0].reason == "20 fields instead of 18"

    def test_further_fields_that_are_empty_make_it_none(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(trips.line(), trips.line() + r",, ,\N", trips.line()))

        assert cleaned.tally.rows_rejected == 0
        assert cleaned.table.num_rows == 3

    def test_what_is_kept_of_it_is_cut(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(trips.line(), "é" * 5000))

        assert cleaned.tally.notes[0].raw == "é" * 4096

    def test_a_hole_of_zero_bytes_is_kept_as_any_database_can_hold_it(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(*[trips.line()] * 10, b"\x00" * 10))

        assert cleaned.tally.notes[0].raw == "\N{REPLACEMENT CHARACTER}" * 10

    def test_a_quote_left_open_spoils_no_other_line(self, trips: Any) -> None:
        names = [*[trips.line() + ",Zoe"] * 3, trips.line() + ',Zoe"']
        names.insert(1, trips.line() + ',"Zoe')
        cleaned = trips.clean(trips.csv(*names, header=f"{trips.header},driver"))

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [3]
        assert cleaned.column("driver") == ["Zoe", "Zoe", "Zoe", 'Zoe"']

    def test_quotes_that_would_join_two_lines_to_one_row_do_not(self, trips: Any) -> None:
        # Were the quotes to count across lines, these two would be one row of the right length,
        # and the lone CR would make up for the missing one.
        cells = trips.line().split(",")
        halves = ",".join([*cells[:6], '"N']), ",".join(['N"', *cells[7:]])
        split = trips.line() + "\r" + trips.line()

        cleaned = trips.clean(trips.csv(trips.line(), *halves, split))

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [3, 4, 5]

    def test_a_last_line_that_was_cut_is_one(self, trips: Any) -> None:
        whole = f"{trips.header}\n{trips.line()}\n{trips.line()}"

        cleaned = trips.clean(trips.write(whole[:-30].encode()))

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [3]

    def test_a_first_line_that_is_dirty_does_not_decide_for_the_rest(self, trips: Any) -> None:
        path = trips.csv('"', "1,2", *[trips.line()] * 3, GREEN_LINE)

        cleaned = trips.clean(path)

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [2, 3, 7]


class TestLinesThatAreNoTrips:
    @pytest.mark.parametrize(
        "written",
        [
            pytest.param(str, id="as-it-is"),
            pytest.param(str.upper, id="other-case"),
            pytest.param(lambda header: header.replace(",", " , "), id="blanks"),
            pytest.param(lambda header: f'"{header}"'.replace(",", '","'), id="quoted"),
            pytest.param(lambda header: ",".join(reversed(header.split(","))), id="other-order"),
            pytest.param(lambda header: f"\ufeff{header}", id="byte-order-mark"),
            pytest.param(lambda header: f"{header},,", id="further-fields"),
        ],
    )
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("dirt", [(), ("dirt",)], ids=["clean", "dirty"])
    def test_the_header_again_is_a_reject(
        self, trips: Any, written: Callable[[str], str], end: str, dirt: tuple[str, ...]
    ) -> None:
        header = written(trips.header)
        lines = [trips.line(), header, "", trips.line(), *dirt, header]

        cleaned = trips.clean(trips.csv(*lines, end=end))

        cleaned.assert_adds_up()
        assert cleaned.table.equals(trips.clean(trips.csv(trips.line(), trips.line())).table)
        assert cleaned.tally.values_nulled == {}
        again = [note for note in cleaned.tally.notes if note.raw != "dirt"]
        assert again == [
            Note("row", line, None, "repeats the header", header) for line in (3, len(lines) + 1)
        ]

    def test_each_member_of_a_gzip_may_have_brought_its_own_header(self, trips: Any) -> None:
        path = trips.folder / "t.csv.gz"
        path.write_bytes(gzip.compress(f"{trips.header}\n{trips.line()}\n".encode()) * 3)

        cleaned = trips.clean(path, block_bytes=256)

        cleaned.assert_adds_up()
        assert (cleaned.table.num_rows, cleaned.lines("row")) == (2 + 1, [3, 5])

    @pytest.mark.parametrize("cell", ["", " ", "?", r"\N"], ids=["empty", "blank", "word", "null"])
    @pytest.mark.parametrize("dirt", [(), ("dirt",)], ids=["clean", "dirty"])
    def test_a_line_without_a_number_or_time_is_a_reject(
        self, trips: Any, cell: str, dirt: tuple[str, ...]
    ) -> None:
        line = trips.line(
            **dict.fromkeys(trips.header.split(","), cell) | {"store_and_fwd_flag": "N"}
        )

        cleaned = trips.clean(trips.csv(trips.line(), line, *dirt))

        cleaned.assert_adds_up()
        assert cleaned.table.num_rows == 1
        assert cleaned.tally.values_nulled == {}
        reason = "holds no number and no time that can be read"
        assert cleaned.tally.notes[0] == Note("row", 3, None, reason, line)

    def test_a_line_with_one_number_is_a_trip(self, trips: Any) -> None:
        line = trips.line(**dict.fromkeys(trips.header.split(","), "") | {"mta_tax": "0.5"})

        cleaned = trips.clean(trips.csv(trips.line(), line))

        assert cleaned.column("mta_tax") == [0.5, 0.5]
        assert cleaned.tally.notes == ()


class TestDamage:
    def test_a_header_without_rows_is_refused(self, trips: Any) -> None:
        with pytest.raises(DataError, match="has no rows"):
            trips.clean(trips.csv())

    def test_a_header_that_cannot_be_taken_apart_is_refused(self, trips: Any) -> None:
        with pytest.raises(SchemaError, match=r"first line of .* cannot be taken apart"):
            trips.clean(trips.csv(trips.line(), header='"VendorID,"x'))

    def test_text_of_any_other_kind_is_refused_in_few_words(self, trips: Any) -> None:
        with pytest.raises(SchemaError, match="is no yellow-2021-01") as error:
            trips.clean(trips.write("".join(f"word {n}, " for n in range(50_000)).encode()))
        assert len(error.value.message) < 2000

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(b"", "is empty", id="nothing"),
            pytest.param(b"\r\n\n", "is empty", id="blank-lines"),
            pytest.param(b"\nVendorID\n1\n", "begins with a blank line", id="a-blank-line-first"),
        ],
    )
    def test_a_file_that_names_no_columns_is_refused_as_that(
        self, trips: Any, content: bytes, told: str
    ) -> None:
        path = trips.folder / "t.csv.gz"
        path.write_bytes(gzip.compress(content))

        with pytest.raises(CorruptFileError, match=told):
            trips.clean(path)

    @pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
    def test_a_gzip_that_was_cut_is_refused(self, trips: Any, share: float) -> None:
        packed = gzip.compress(big_csv(trips))
        path = trips.folder / "t.csv.gz"
        path.write_bytes(packed[: int(len(packed) * share)])

        with pytest.raises(CorruptFileError, match="cannot be unpacked to its end"):
            trips.clean(path)

    @pytest.mark.parametrize(
        "place",
        [pytest.param(-8, id="crc"), pytest.param(-4, id="length"), pytest.param(3000, id="body")],
    )
    def test_a_gzip_with_a_wrong_byte_is_refused(self, trips: Any, place: int) -> None:
        packed = bytearray(gzip.compress(big_csv(trips)))
        packed[place] ^= 0xFF
        path = trips.folder / "t.csv.gz"
        path.write_bytes(packed)

        with pytest.raises(CorruptFileError, match="cannot be unpacked to its end"):
            trips.clean(path)

    def test_a_gzip_of_several_members_is_read_to_the_end(self, trips: Any) -> None:
        path = trips.folder / "t.csv.gz"
        parts = [f"{trips.header}\n{trips.line()}\n", f"{trips.line()}\n"]
        path.write_bytes(b"".join(gzip.compress(part.encode()) for part in parts))

        assert trips.clean(path).table.num_rows == 2


def big_csv(trips: Any) -> bytes:
    lines = (trips.line(PULocationID=str(place * 7919 % 265)) for place in range(20_000))
    return "\n".join([trips.header, *lines, ""]).encode()


class TestBlocks:
    def test_dirt_slows_only_its_own_block(self, trips: Any) -> None:
        lines = [trips.line()] * 1000
        lines[500] = trips.line(fare_amount="?")
        path = trips.csv(*lines)

        blocks = list(
            CsvReader(path, "csv", TripFile("yellow", 2021, 1), block_bytes=10_000).blocks()
        )

        slow = [place for place, each in enumerate(blocks) if is_text(each.batch["fare_amount"])]
        first_lines = [block.first_line for block in blocks]
        assert len(blocks) > 5
        assert len(slow) == 1
        assert first_lines[slow[0]] <= 502 < first_lines[slow[0] + 1]

    def test_a_line_may_be_longer_than_a_block(self, trips: Any) -> None:
        path = trips.csv(trips.line(), "x" * 10_000, trips.line())

        cleaned = trips.clean(path, block_bytes=64)

        cleaned.assert_adds_up()
        assert cleaned.lines("row") == [3]

    def test_closing_early_closes_the_file(self, trips: Any) -> None:
        path = trips.csv(*[trips.line()] * 1000)
        reader = CsvReader(path, "csv", TripFile("yellow", 2021, 1), block_bytes=1000)
        blocks = reader.blocks()
        next(blocks)

        blocks.close()

        with pytest.raises(ValueError, match="closed file"):
            list(reader.blocks())


LINES = st.one_of(
    st.just("good"),
    st.sampled_from(["", "\r", " ", "1,2", '"', "a,b\rc", "\x00", "é"]),
    st.sampled_from(["fare_amount", "PULocationID", "tpep_pickup_datetime"]).map(
        lambda column: f"bad {column}"
    ),
)


of_any_lines = given(
    lines=st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n"])), min_size=1, max_size=20),
    last_end=st.booleans(),
    block_bytes=st.integers(200, 5000),
    packed=st.booleans(),
)


def check_every_line(
    trips: Any, lines: list[tuple[str, str]], last_end: bool, block_bytes: int, packed: bool
) -> None:
    good = [("good", "\n")] * 200  # so that no column is over 1 % of dirt
    content, kept, rejected, nulled = trips.header + "\n", [], [], []
    for number, (kind, end) in enumerate([*good, *lines], 2):
        if kind == "good":
            text = trips.line(DOLocationID=str(number % 265))
            kept.append(number % 265)
        elif kind.startswith("bad "):
            text = trips.line(**{kind[4:]: "?", "DOLocationID": str(number % 265)})
            kept.append(number % 265)
            nulled.append((number, kind[4:]))
        else:
            text = kind
            if text.strip():
                rejected.append(number)
        content += text + end
    if not last_end:
        content = content.removesuffix("\n")
    assume(len(nulled) <= 2)
    path = trips.write(content.encode(), name="t.csv.gz" if packed else "t.csv")

    cleaned = trips.clean(path, block_bytes=block_bytes)

    cleaned.assert_adds_up()
    assert cleaned.column("DOLocationID") == kept
    assert cleaned.lines("row") == rejected
    assert cleaned.tally.rows_rejected == len(rejected)
    assert [note.line for note in cleaned.tally.notes] == sorted(
        rejected + [line for line, _ in nulled]
    )
    assert Counter(column for _, column in nulled) == cleaned.tally.values_nulled


@settings(max_examples=40)
@of_any_lines
def test_every_line_is_a_row_a_reject_or_blank_wherever_blocks_end(trips: Any, **case: Any) -> None:
    check_every_line(trips, **case)


@pytest.mark.torture
@settings(max_examples=1000)
@of_any_lines
def test_every_line_of_many_files_is_a_row_a_reject_or_blank(trips: Any, **case: Any) -> None:
    check_every_line(trips, **case)


NUMBER_LIKE = st.one_of(
    st.integers(-(2**40), 2**40).map(str),
    st.floats().map(repr),
    st.text("0123456789+-.eExX _nNaAiIfF\\\"'", max_size=8),
    st.sampled_from(["CMT", "CASH", "NA ", "NULL", "1,5", '"1"', '""', '"1""', "１", "\t1"]),
)
TIME_LIKE = st.one_of(
    st.datetimes().map(str),
    st.dates().map(str),
    st.text("0123456789-: T.Z", max_size=26),
    st.from_regex(r"20[0-9]{2}-[01][0-9]-[0-3][0-9][ T][0-9:.Z+]{0,15}", fullmatch=True),
)


@given(
    cells=st.fixed_dictionaries(
        {},
        optional={
            "VendorID": NUMBER_LIKE,
            "passenger_count": NUMBER_LIKE,
            "fare_amount": NUMBER_LIKE,
            "store_and_fwd_flag": st.text("NYesnoa01. \"'\\\r\xa0", max_size=4),
            "tpep_pickup_datetime": TIME_LIKE,
        },
    )
)
def test_a_line_means_the_same_beside_a_clean_one_and_a_dirty_one(
    trips: Any, cells: dict[str, str]
) -> None:
    line = trips.line(**cells)
    good = [trips.line()] * 200

    alone = trips.clean(trips.csv(*good, line))
    beside = trips.clean(trips.csv(*good, line, "dirt"))

    assert beside.tally.rows_rejected == alone.tally.rows_rejected + 1
    assert alone.table.equals(beside.table)
    assert alone.tally.values_nulled == beside.tally.values_nulled
    assert alone.tally.notes == beside.tally.notes[:-1]
    assert alone.tally.remarks == beside.tally.remarks
