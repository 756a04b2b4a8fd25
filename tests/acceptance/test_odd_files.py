"""Files as people have them: each loads exactly or is refused for what it is, by the command."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxietl.cli.main import main
from taxietl.config import activate

YELLOW = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,"
    "tip_amount,tolls_amount,improvement_surcharge,total_amount"
)
GREEN = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,"
    "PULocationID,DOLocationID,passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,"
    "tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,trip_type,"
    "congestion_surcharge"
)
FHV = (
    "dispatching_base_num,pickup_datetime,dropOff_datetime,PUlocationID,DOlocationID,SR_Flag,"
    "Affiliated_base_number"
)
FHV_2015 = "Dispatching_base_num,Pickup_date,locationID"
TIMES = [datetime(2017, 4, day, 23, 5, 9) for day in range(1, 29)]


def yellow(time: datetime, write: Callable[[datetime], str] = str) -> str:
    return f"1,{write(time)},{write(time)},1,1.10,1,N,100,200,1,8.0,0.5,0.5,1.25,0,0.3,10.55"


def csv(header: str, *lines: str, end: str = "\n", encoding: str = "utf-8") -> bytes:
    return "".join(line + end for line in (header, *lines)).encode(encoding)


def half(time: datetime) -> str:
    return f"{time:%m/%d/%Y %I:%M:%S %p}"


PLAIN = csv(YELLOW, *map(yellow, TIMES))
HALVES = csv(YELLOW, *(yellow(each, half) for each in TIMES))


def parquet(**columns: pa.Array) -> bytes:
    """A green file of February 2021 of 300 rows, these columns in place of others."""
    rows = 300
    times = pa.array([datetime(2021, 2, 3, 4, 5, 6)] * rows, pa.timestamp("us"))
    table = {name: pa.array([1.0] * rows) for name in GREEN.split(",")}
    table |= {"lpep_pickup_datetime": times, "lpep_dropoff_datetime": times}
    table |= {"store_and_fwd_flag": pa.array(["N"] * rows), "ehail_fee": pa.nulls(rows)}
    written = io.BytesIO()
    pq.write_table(pa.table(table | columns), written)
    return written.getvalue()


REFUSED = {
    "gzip-within-gzip": ("t.csv.gz", gzip.compress(gzip.compress(PLAIN)), 3, "gzip within gzip"),
    "semicolons": ("t.csv", PLAIN.replace(b",", b";"), 4, "columns separated by ';'"),
    "tabs": ("t.csv.gz", gzip.compress(PLAIN.replace(b",", b"\t")), 4, "separated by tabs"),
    "utf-16": ("t.csv", csv(YELLOW, *map(yellow, TIMES), encoding="utf-16"), 4, "in UTF-16"),
    "cr-only": ("t.csv", PLAIN.replace(b"\n", b"\r"), 4, "lines end in CR alone"),
    "no-header": ("t.csv", PLAIN.partition(b"\n")[2], 4, "there is no header line"),
    "header-again": ("t.csv", PLAIN + PLAIN, 4, "repeats the header"),
    "order-unknown": ("t.csv", csv(YELLOW, yellow(TIMES[0], half)), 4, "values of tpep_pickup"),
    "two-orders": (
        "t.csv",
        csv(YELLOW, yellow(TIMES[20], half), yellow(TIMES[20], lambda t: f"{t:%d/%m/%Y}")),
        4,
        "are in two orders",
    ),
}

OPENED = {
    "open-data": HALVES,
    "day-first": csv(YELLOW, *(yellow(t, lambda t: f"{t:%d/%m/%Y %H:%M:%S}") for t in TIMES)),
    "year-first": csv(YELLOW, *(yellow(t, lambda t: f"{t:%Y/%m/%d %H:%M:%S}") for t in TIMES)),
    "blank-lines": PLAIN.replace(b"\n", b"\n  \t\n"),
    "byte-order-mark": b"\xef\xbb\xbf" + PLAIN,
    "gzip-named-csv": gzip.compress(PLAIN),
    "nanoseconds": PLAIN.replace(b":09,", b":09.000000000,"),
}


class Command:
    """A command line in this process, in a home of its own."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capfd = folder, capfd

    def __call__(self, *arguments: object) -> tuple[int, Any]:
        self._capfd.readouterr()
        code = main(["--home", str(self._folder / "home"), *map(str, arguments), "--json"])
        return code, json.loads(self._capfd.readouterr().out)

    def ingest(
        self, color: str, month: str, content: bytes, *options: object, name: str = "t.csv"
    ) -> tuple[int, Any]:
        """Exit code, and what became of the month."""
        path = self._folder / name
        path.write_bytes(content)
        year, number = month.split("-")
        of = ("--color", color, "--year", year, "--month", number, "--source", path)
        code, document = self("ingest", *of, "--transform", "none", *options)
        return code, document.get("months", [document])[0]

    def rows(self, query: str) -> Any:
        return self("sql", query)[1]["rows"]


@pytest.fixture
def taxietl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    for name in ("TAXIETL_CONFIG", "TAXIETL_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    yield Command(tmp_path, capfd)
    activate(None)


@pytest.mark.parametrize(("name", "content", "code", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_cannot_be_read_is_refused_for_what_it_is(
    taxietl: Command, name: str, content: bytes, code: int, told: str
) -> None:
    ended, month = taxietl.ingest("yellow", "2017-04", content, name=name)

    assert (ended, month["error"]["exit_code"]) == (code, code)
    assert told in month["error"]["message"]
    assert month["error"]["hint"]


def test_gzip_around_parquet_is_refused(taxietl: Command) -> None:
    code, month = taxietl.ingest("green", "2021-02", gzip.compress(parquet()), name="x.parquet.gz")

    assert code == 3
    assert "is gzip around Parquet" in month["error"]["message"]
    assert "gzip -dc" in month["error"]["hint"]


@pytest.mark.parametrize("content", OPENED.values(), ids=OPENED)
def test_what_is_exact_loads_exactly(taxietl: Command, content: bytes) -> None:
    code, month = taxietl.ingest("yellow", "2017-04", content)

    assert code == 0, month
    assert (month["rows_read"], month["rows_loaded"]) == (len(TIMES), len(TIMES))
    assert not month["values_nulled"]
    loaded = taxietl.rows("SELECT tpep_dropoff_datetime FROM yellow_trips ORDER BY 1")
    assert [datetime.fromisoformat(time) for (time,) in loaded] == TIMES


def test_a_header_in_the_middle_is_one_reject(taxietl: Command) -> None:
    code, month = taxietl.ingest("yellow", "2017-04", PLAIN + PLAIN, "--max-rejects", 1)

    assert (code, month["rows_loaded"], month["rows_rejected"]) == (0, 2 * len(TIMES), 1)


def test_a_last_line_without_its_end_is_told(taxietl: Command) -> None:
    lines = [f"B00013,2015-01-0{day} 00:30:00,217" for day in range(1, 9)]
    whole = csv(FHV_2015, *lines, end="\r\n")

    code, month = taxietl.ingest("fhv", "2015-01", whole[:-3])

    assert (code, month["rows_loaded"]) == (0, 8)
    assert any("line 9" in warning for warning in month["warnings"]), month["warnings"]


def test_flags_as_truth_values_are_flags(taxietl: Command) -> None:
    flags = pa.array([True] * 3 + [False] * 236 + [None] * 61)

    code, _ = taxietl.ingest("green", "2021-02", parquet(store_and_fwd_flag=flags))

    assert code == 0
    counted = "SELECT store_and_fwd_flag, count(*) FROM green_trips GROUP BY 1 ORDER BY 2"
    assert taxietl.rows(counted) == [["Y", 3], [None, 61], ["N", 236]]


def test_not_a_number_in_parquet_is_a_missing_value(taxietl: Command) -> None:
    codes = pa.array([float("nan")] * 100 + [1.0] * 200)

    code, month = taxietl.ingest("green", "2021-02", parquet(passenger_count=codes))

    assert (code, month["rows_loaded"]) == (0, 300)
    assert month["values_nulled"] == {"passenger_count": 100}
    assert taxietl.rows("SELECT count(passenger_count) FROM green_trips") == [[200]]


def test_blanks_of_any_kind_at_the_end_of_a_licence_go(taxietl: Command) -> None:
    cells = "2019-10-01 00:00:00,2019-10-01 00:20:00,1,2,,B00900"
    lines = [f"B00900,{cells}", f"B00900  ,{cells} ", f"B00900\u00a0,{cells}\u00a0"]

    code, _ = taxietl.ingest("fhv", "2019-10", csv(FHV, *lines, encoding="latin-1"))

    assert code == 0
    licences = "SELECT DISTINCT dispatching_base_num, length(dispatching_base_num) FROM fhv_trips"
    assert taxietl.rows(licences) == [["B00900", 6]]


def test_bare_dates_and_times_without_seconds_are_told(taxietl: Command) -> None:
    times = [datetime(2019, 8, 1) + timedelta(days=day) for day in range(9)]
    lines = [f"B00900,{time:%Y-%m-%d},{time:%Y-%m-%d} 00:20,1,2,," for time in times]

    code, month = taxietl.ingest("fhv", "2019-08", csv(FHV, *lines))

    assert code == 0, month
    assert taxietl.rows("SELECT max(pickup_datetime) FROM fhv_trips") == [["2019-08-09 00:00:00"]]
    assert month["warnings"], "it is said that the missing parts are zero"
