"""Casting one column: the result has the contract's type, whatever was published."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from taxietl.tlc.arrow import arrow_type
from taxietl.tlc.blanks import BLANKS
from taxietl.tlc.codes import FLAGS
from taxietl.tlc.datasets import DATASETS, Column
from taxietl.transform.casting import cast_column
from taxietl.transform.times import MIDNIGHT, NO_SECONDS

COLUMNS = {column.kind: column for column in DATASETS["yellow"].columns}
NAMED = {column.name: column for each in DATASETS.values() for column in each.columns}
PICKUP, PASSENGERS, FARE = "tpep_pickup_datetime", "passenger_count", "fare_amount"
FLAG, LICENCE = "store_and_fwd_flag", "dispatching_base_num"
MIN, MAX = -(2**63), 2**63 - 1


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda column: column.kind.name)
@pytest.mark.parametrize("rows", [0, 3])
def test_text_without_a_value_has_the_columns_type(column: Column, rows: int) -> None:
    cast = cast_column(pa.array([None] * rows, pa.string()), column)

    assert (cast.values.type, cast.values.null_count) == (arrow_type(column.kind), rows)
    assert not cast.lost


class TestFlags:
    @pytest.mark.parametrize("name", sorted(FLAGS))
    def test_what_stands_for_yes_or_no_is_y_or_n_and_all_else_null(self, name: str) -> None:
        yes = ["Y", "y", " Y ", "Yes", "true", "True", "T", "1", "1.0", "1.00", "Y\xa0"]
        no = ["N", "n", " N", "No", "FALSE", "false", "f", "0", "0.0", "-0", "\u200bN"]
        blank = ["", " ", "\u3000"]
        missing = ["nan", "NaN", "<NA>", "-", "None", "null", "N/A", "NA", "NaT"]
        unknown = ["store_and_fwd_flag", "2", "0.5", "1.0000000000000000001", "NN", "N\x00"]
        texts = [*yes, *no, *blank, *missing, *unknown]

        cast = cast_column(pa.array([*texts, None]), NAMED[name])

        meant = ["Y"] * len(yes) + ["N"] * len(no)
        assert cast.values.to_pylist() == meant + [None] * (len(texts) + 1 - len(meant))
        assert [texts[row] for row in cast.lost] == [*missing, *unknown]
        assert [texts[row] for row in cast.missing] == missing

    @pytest.mark.parametrize(
        "published",
        [
            pytest.param(pa.array([True, False, None]), id="boolean"),
            pytest.param(pa.array([True, False, None]).dictionary_encode(), id="boolean-encoded"),
            pytest.param(pa.array([1, 0, None], pa.int8()), id="int8"),
            pytest.param(pa.array([1, 0, None], pa.int64()), id="int64"),
            pytest.param(pa.array([1.0, 0.0, None], pa.float32()), id="float"),
            pytest.param(pa.array([1.0, 0.0, float("nan")]), id="double"),
            pytest.param(pa.array([Decimal("1.0"), Decimal("0.0"), None]), id="decimal"),
            pytest.param(pa.array(["true", "False", None]).dictionary_encode(), id="dictionary"),
            pytest.param(pa.array(["yes", "N", " "], pa.large_string()), id="large-string"),
            pytest.param(pa.array([b"y", b"n", None]), id="binary"),
        ],
    )
    @pytest.mark.parametrize("name", [FLAG, "wav_match_flag"])
    def test_they_come_in_any_type(self, published: pa.Array, name: str) -> None:
        cast = cast_column(published, NAMED[name])

        assert cast.values.to_pylist() == ["Y", "N", None]
        assert list(cast.lost) == list(cast.missing)

    @pytest.mark.parametrize("published", [["Y", "False", "1.0"], [True, False, True]])
    def test_sr_flag_is_the_number_of_them(self, published: list[Any]) -> None:
        assert cast_column(pa.array(published), NAMED["SR_Flag"]).values.to_pylist() == [1, 0, 1]

    def test_part_of_an_array_is_no_other(self) -> None:
        column = pa.array(["yes", "Y", "N", None, "maybe"])

        assert cast_column(column[1:4], NAMED[FLAG]).values.to_pylist() == ["Y", "N", None]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (LICENCE, "B00900", "B00900"),
        ("request_source", "a b", "a b"),
        (FLAG, "N", "N"),
        (PASSENGERS, "2", 2),
        ("payment_type", "CASH", 2),
        (FARE, "-2.5", -2.5),
        (PICKUP, "2021-01-31 10:00:00", datetime(2021, 1, 31, 10)),
    ],
)
def test_blanks_of_any_kind_around_a_cell_go(name: str, text: str, value: Any) -> None:
    texts = [form.format(text, blank) for blank in BLANKS for form in ("{0}{1}", "{1}{0} {1}")]

    cast = cast_column(pa.array([*texts, *BLANKS]), NAMED[name])

    assert cast.values.to_pylist() == [value] * len(texts) + [None] * len(BLANKS)
    assert not cast.lost


def test_blanks_within_a_licence_stay() -> None:
    assert cast_column(pa.array(["B\xa01"]), NAMED[LICENCE]).values.to_pylist() == ["B\xa01"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1.00000000000000000000000", 1),
            ("10e-1", 1),
            ("2147483647.0", 2**31 - 1),
            ("-2147483648", -(2**31)),
            ("0e-99999999999999999999", None),
            ("1.0000000000000000001", None),
            ("0.99999999999999999999", None),
            ("1e-400", None),
            ("2147483647.00000001", None),
            ("1e999999999", None),
        ],
    )
    def test_a_whole_one_is_whole_in_every_digit(self, text: str, value: int | None) -> None:
        cast = cast_column(pa.array([text]), NAMED[PASSENGERS])

        assert cast.values.to_pylist() == [value]
        assert list(cast.lost) == ([0] if value is None else [])

    @pytest.mark.parametrize("name", [PASSENGERS, FARE, FLAG])
    @pytest.mark.parametrize("kind", [pa.float32(), pa.float64()], ids=str)
    def test_nan_is_a_missing_value_and_infinity_is_none(self, name: str, kind: Any) -> None:
        cast = cast_column(pa.array([1.0, float("nan"), float("inf"), None], kind), NAMED[name])

        assert cast.values.null_count == 3
        assert (list(cast.lost), list(cast.missing)) == ([1, 2], [1])


def since_1970(unit: str, *values: int) -> pa.Array:
    return pa.array(values, pa.int64()).view(pa.timestamp(unit))


class TestTimes:
    @pytest.mark.parametrize(
        "published",
        [
            pytest.param(since_1970("s", -62_135_596_800, 253_402_300_799), id="s"),
            pytest.param(since_1970("ms", -62_135_596_800_000, 253_402_300_799_999), id="ms"),
            pytest.param(since_1970("us", -62_135_596_800 * 10**6, 253_402_300_800 * 10**6 - 1),
                         id="us"),
            pytest.param(since_1970("ns", 0, 10**18), id="ns"),
            pytest.param(pa.array([date.min, date.max]), id="date32"),
            pytest.param(pa.array([date.min, date.max], pa.date64()), id="date64"),
            pytest.param(pa.array(["0001-01-01", "9999-12-31 23:59:59.999999"]), id="text"),
        ],
    )  # fmt: skip
    def test_the_years_1_to_9999_are_kept(self, published: pa.Array) -> None:
        cast = cast_column(published, NAMED[PICKUP])

        assert cast.values.null_count == 0
        assert cast.values.type == pa.timestamp("us")
        assert cast.values.to_pylist()[1].year in (9999, 2001)

    @pytest.mark.parametrize(
        "published",
        [
            *(
                pytest.param(since_1970(unit, 0, MIN, MAX, first - 1, last * per), id=unit)
                for unit, per in (("s", 1), ("ms", 1000), ("us", 10**6))
                for first, last in [(-62_135_596_800 * per, 253_402_300_800)]
            ),
            pytest.param(since_1970("ns", 0, MIN, MAX, 1, -1), id="ns-that-are-no-us"),
            pytest.param(
                pa.array([0, 2**31 - 1, -(2**31), -719_163, 2_932_897], pa.int32()).view(
                    pa.date32()
                ),
                id="date32",
            ),
            pytest.param(
                pa.array([0, MIN, MAX, -62_135_596_800_001, 253_402_300_800_000]).view(pa.date64()),
                id="date64",
            ),
            pytest.param(
                pa.array(["1970-01-01 00:00:00", "0000-12-31 23:59:59", "10000-01-01 00:00:00",
                          "infinity", "0000-01-01"]),
                id="text",
            ),
        ],
    )  # fmt: skip
    def test_beyond_them_is_null_and_lost(self, published: pa.Array) -> None:
        cast = cast_column(published, NAMED[PICKUP])

        assert cast.values.to_pylist() == [datetime(1970, 1, 1), None, None, None, None]
        assert list(cast.lost) == [1, 2, 3, 4]

    @pytest.mark.parametrize(
        ("text", "micros"),
        [
            (".0000000", 0),
            (".000000000", 0),
            (".12", 120_000),
            (".123456000", 123_456),
            (".1234567", None),
            (".000000001", None),
            (".", None),
        ],
    )
    def test_parts_of_seconds_are_exact_or_nothing(self, text: str, micros: int | None) -> None:
        cast = cast_column(pa.array([f"2021-01-31 10:00:00{text}"]), NAMED[PICKUP])

        time = None if micros is None else datetime(2021, 1, 31, 10, 0, 0, micros)
        assert cast.values.to_pylist() == [time]
        assert not cast.completed

    def test_those_that_were_completed_are_counted(self) -> None:
        texts = ["2021-01-31 10:00:00", None, "2021-01-31", "2021-01-31 10:05", "2021-02-30",
                 "2021-01-31T10", "2021-01-31T10:00:00.5"]  # fmt: skip

        cast = cast_column(pa.array(texts), NAMED[PICKUP])

        assert cast.completed == {MIDNIGHT: (1, 2), NO_SECONDS: (2, 3)}
        assert list(cast.lost) == [4]

    def test_dates_are_midnight_and_counted(self) -> None:
        published = pa.array([None, date(2021, 1, 31), date(2021, 1, 30)])

        cast = cast_column(published, NAMED[PICKUP])

        assert pc.max(cast.values).as_py() == datetime(2021, 1, 31)
        assert cast.completed == {MIDNIGHT: (2, 1)}
