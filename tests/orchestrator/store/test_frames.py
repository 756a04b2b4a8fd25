"""The cache keeps DataFrames and Arrow tables as Parquet, as they were or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, Engine, flow, task
from taxietl.orchestrator.store import frames
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart
from taxietl.orchestrator.store.values import found_in, replaced


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": ["a", None],
            "number": pd.array([1, None], dtype="Int16"),
            "time": pd.to_datetime(["2021-01-01", "2021-01-02"]).tz_localize("America/New_York"),
            "color": pd.Categorical(["green", "yellow"]),
        },
        index=pd.Index([7, 8], name="key"),
    )


def table() -> pa.Table:
    return pa.table({"n": pa.array([1, None], pa.int8())}, metadata={"era": "2009"})


def check_same(one: Any, other: Any) -> None:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    else:
        assert one.equals(other, check_metadata=True)


def by_day() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2]}, index=pd.date_range("2021-01-01", periods=2))


@pytest.mark.parametrize("make", [frame, table, pd.DataFrame])
@pytest.mark.parametrize("annotated", [True, False], ids=["annotated", "plain"])
def test_a_frame_is_kept_for_the_next_process(
    home: Path, make: Callable[[], Any], annotated: bool
) -> None:
    calls: list[int] = []

    def work() -> Any:
        calls.append(1)
        return make()

    if annotated:
        work.__annotations__["return"] = type(make())
    cached = task(cache=Cache())(work)

    for name in ("Completed", "Cached"):
        with Engine(home) as engine:
            run = engine.run(flow(lambda: cached()))
            check_same(run.result(), make())
            assert engine.history.task_runs(run.id)[0].state.name == name
    assert calls == [1]
    (file,) = (home / "cache" / "frames").iterdir()
    with Engine(home) as engine:
        engine.cache.remove([], everything=True)
    assert not file.exists()


def test_a_changed_file_is_a_miss(engine: Engine, home: Path) -> None:
    cached = task(cache=Cache())(frame)
    engine.run(flow(lambda: cached()))
    (file,) = (home / "cache" / "frames").iterdir()
    file.write_bytes(b"PAR1")

    run = engine.run(flow(lambda: cached()))

    check_same(run.result(), frame())
    assert engine.history.task_runs(run.id)[0].state.name == "Completed"


class OwnFrame(pd.DataFrame):
    """Would come back as its base."""


NOTHING = [None, float("nan"), pd.NaT, pd.NA]
DAYS = pd.date_range("2021-03-13", periods=3, tz="America/New_York")
KEPT: dict[str, Callable[[], Any]] = {
    "no columns": pd.DataFrame,
    "rows without columns": lambda: pd.DataFrame(index=[1, 2, 3]),
    "columns without rows": lambda: pd.DataFrame({"a": pd.Series(dtype="int8"), "b": []}),
    "labels that are numbers": lambda: pd.DataFrame([[1, 2]], columns=[1, 2]),
    "labels of many types": lambda: pd.DataFrame([[1, 2]], columns=["a", 1]),
    "labels that are the same": lambda: pd.DataFrame([[1, "x"]], columns=["a", "a"]),
    "labels of two levels": lambda: pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["x", None])
    ),
    "labels that are days": lambda: pd.DataFrame([[1, 2, 3]], columns=DAYS),
    "labels with a name": lambda: pd.DataFrame([[1]], columns=pd.Index(["a"], name="c")),
    "a range": lambda: pd.DataFrame({"n": range(9)})[2:8:2],
    "an index of a number's name": lambda: pd.DataFrame({"n": [1]}, index=pd.Index([1], name=5)),
    "an index of two levels": lambda: pd.DataFrame(
        {"n": [1, 2]},
        index=pd.MultiIndex.from_arrays([["a", None], list(DAYS[:2])], names=["n", None]),
    ),
    "an index of days": lambda: pd.DataFrame({"n": range(3)}, index=DAYS),
    "numbers": lambda: pd.DataFrame(
        {kind: np.array([1, 0, 2]).astype(kind) for kind in ("?", "i1", "u8", "f2", "f4", "f8")}
    ),
    "floats that are odd": lambda: pd.DataFrame({"a": [-0.0, 0.0, np.inf, np.nan]}),
    "times of each unit": lambda: pd.DataFrame(
        {unit: np.array(["2021-01-01", "NaT"], f"M8[{unit}]") for unit in ("s", "ms", "us", "ns")}
    ),
    "times far away": lambda: pd.DataFrame({"a": np.array(["9999-01-01"], "M8[s]")}),
    "times with a zone": lambda: pd.DataFrame(
        {"a": DAYS, "b": pd.to_datetime(["2021-01-01T00:00:00+02:00", None, None])}
    ),
    "durations": lambda: pd.DataFrame({"a": np.array([1, "NaT"], "m8[s]")}),
    "text": lambda: pd.DataFrame({"a": ["x", None]}),
    "text of each kind": lambda: pd.DataFrame(
        {kind: pd.array(["x", None], dtype=f"string[{kind}]") for kind in ("python", "pyarrow")}
    ),
    "numbers of which some are missing": lambda: pd.DataFrame(
        {kind: pd.array([1, None], dtype=kind) for kind in ("Int8", "UInt64", "Float32", "boolean")}
    ),
    "types of Arrow": lambda: pd.DataFrame(
        {
            str(kind): pd.array([each, None], dtype=pd.ArrowDtype(kind))
            for kind, each in (
                (pa.string(), "x"),
                (pa.timestamp("s", "UTC"), datetime(2021, 1, 1, tzinfo=UTC)),
                (pa.decimal128(9, 2), Decimal("1.50")),
                (pa.list_(pa.int8()), [1, 2]),
                (pa.struct([("x", pa.date32())]), {"x": date(2021, 1, 1)}),
                (pa.dictionary(pa.int8(), pa.string()), "x"),
            )
        }
    ),
    "categories": lambda: pd.DataFrame(
        {
            "ordered": pd.Categorical(["x", None], ["y", "x"], ordered=True),
            "numbers": pd.Categorical([3, 1]),
            "times": pd.Categorical(DAYS[:2]),
            "intervals": pd.cut([1, 3], 2),
        }
    ),
    "no categories": lambda: pd.DataFrame({"a": pd.Categorical([])}),
    "periods and intervals": lambda: pd.DataFrame(
        {
            "a": pd.period_range("2021-01", periods=2, freq="M"),
            "b": pd.interval_range(0.5, 2.5, closed="both"),
        }
    ),
    "objects": lambda: pd.DataFrame(
        {
            "text": ["x", "y"],
            "numbers": [1, 2**70],
            "many types": [1, "x"],
            "lists": [[1], [2, {"a": None}]],
            "dicts": [{"x": 1}, {"y": 2.5}],
            "days": [date(2021, 1, 1), date(2021, 1, 2)],
            "times": [datetime(2021, 1, 1), datetime(2021, 1, 2, 3, 4, 5, 6)],
            "hours": [time(1), time(2, 3)],
            "durations": [timedelta(1), timedelta(microseconds=-1)],
            "decimals": [Decimal("1.50"), Decimal("1.5")],
            "bytes": [b"", b"\xff"],
            "arrays": [np.array([1]), np.array([2, 3])],
            "ids": [UUID(int=1), UUID(int=2)],
        },
        dtype=object,
    ),
    "objects of which none is there": lambda: pd.DataFrame({"a": [None, None]}, dtype=object),
    "objects missing in each way": lambda: pd.DataFrame({"a": ["x", *NOTHING]}, dtype=object),
    "notes": lambda: _noted(),
    "labels that must differ": lambda: pd.DataFrame({"a": [1]}).set_flags(
        allows_duplicate_labels=False
    ),
    "series": lambda: pd.Series([1, 2], name="n", index=["a", "b"]),
    "series without a name": lambda: pd.Series(["x", None], dtype="category"),
    "series of a name of two": lambda: pd.Series([1.5], name=("a", 1)),
    "arrow: metadata": lambda: pa.table({"a": [1]}, metadata={"era": "2009"}),
    "arrow: names that are the same": lambda: pa.Table.from_arrays([[1], ["x"]], ["a", "a"]),
    "arrow: odd types": lambda: pa.table(
        {
            "s": pa.array([1, None], pa.timestamp("s")),
            "d": pa.array([0, None], pa.date64()),
            "f": pa.array([[1, 2], None], pa.list_(pa.int8(), 2)),
            "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "t": pa.array([{"x": [1]}, None]),
            "v": pa.array(["x", None], pa.string_view()),
            "n": pa.nulls(2),
            "c": pa.array(["x", None]).dictionary_encode(),
        }
    ),
    "arrow: no columns": lambda: pa.table({}),
    "arrow: a batch": lambda: pa.record_batch({"a": [1, None]}),
    "arrow: a batch without rows": lambda: pa.record_batch({"a": pa.array([], pa.int8())}),
}


def check_exactly(back: Any, value: Any) -> None:
    """They are the same in all that can be seen of them."""
    assert type(back) is type(value)
    if isinstance(value, pa.Table | pa.RecordBatch):
        assert back.equals(value)
        assert back.schema.equals(value.schema, check_metadata=True)
        return
    if isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value)
        return
    pd.testing.assert_frame_equal(
        *(back, value),
        check_exact=True,
        check_index_type="exact",
        check_column_type="exact",
    )
    assert (type(back.index), type(back.columns)) == (type(value.index), type(value.columns))
    assert back.attrs == value.attrs
    for number in range(value.shape[1]):
        cells = zip(back.iloc[:, number], value.iloc[:, number], strict=True)
        assert all(type(one) is type(other) for one, other in cells)


@pytest.mark.parametrize("make", KEPT.values(), ids=KEPT)
def test_a_frame_comes_back_exactly(tmp_path: Path, make: Callable[[], Any]) -> None:
    value, path = make(), tmp_path / "frame.parquet"

    frames.write(value, path)

    check_exactly(frames.read(path), value)
    assert frames.digest(frames.read(path)) == frames.digest(make())
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"n": [(1, 2)]}, "column 'n' holds objects of type tuple"),
        ({"n": [1, Path("x")]}, "column 'n' holds objects of type PosixPath and int"),
        ({"n": [1j]}, "column 'n' is of type complex128"),
        ({"n": pd.arrays.SparseArray([0])}, "column 'n' is of type Sparse[int64, 0]"),
        ({"n": pd.Series(["\ud800"], dtype=object)}, "column 'n' has no form in Arrow: 'utf-8'"),
    ],
)
def test_a_column_that_does_not_come_back_is_named(
    engine: Engine, home: Path, value: dict[str, Any], says: str
) -> None:
    run = engine.run(flow(lambda: task(cache=Cache())(lambda: pd.DataFrame(value))()))

    with pytest.raises(ConfigError) as refused:
        run.result()
    assert f"cannot be stored: {says}" in refused.value.message
    assert "\n" not in refused.value.message
    assert "Convert that part or leave it out" in refused.value.hint
    assert not [*home.glob("cache/frames/*")]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda: OwnFrame({"n": [1]}), "a OwnFrame would come back as the class it is made of"),
        (lambda: {"a": frame(), "b": Path}, "a dict has no JSON form"),
        (lambda: (frame(), 1), "annotate what the task returns"),
        (
            lambda: pa.table({"i": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}),
            "column 'i' is of type month_day_nano_interval",
        ),
    ],
    ids=["subclass", "with a class", "tuple", "interval"],
)
def test_what_does_not_come_back_is_refused_in_a_sentence(
    engine: Engine, home: Path, value: Callable[[], Any], says: str
) -> None:
    run = engine.run(flow(lambda: task(cache=Cache())(lambda: value())()))

    with pytest.raises(ConfigError, match="cannot be stored: ") as refused:
        run.result()
    assert says in refused.value.message
    assert "\n" not in refused.value.message
    assert "pydantic" not in refused.value.message
    assert not [*home.glob("cache/frames/*")]


@dataclass(frozen=True)
class Extract:
    """A result that holds frames among other things."""

    raw: pd.DataFrame
    day: date
    parts: tuple[pa.Table, ...] = ()
    again: pd.DataFrame | None = None


def extracted() -> Extract:
    raw = frame()
    return Extract(raw, date(2021, 1, 1), (table(), pa.table({"s": ["frame-0"]})), raw)


@pytest.mark.parametrize(
    ("make", "annotation"),
    [
        (lambda: (frame(), {"n": 1}), tuple[pd.DataFrame, dict[str, int]]),
        (lambda: {"a": frame(), "b": [table()], "c": "parquet:"}, None),
        (lambda: {1: frame()}, dict[int, pd.DataFrame]),
        (extracted, Extract),
    ],
    ids=["tuple", "dict", "by number", "dataclass"],
)
def test_frames_in_a_result_are_kept(home: Path, make: Callable[[], Any], annotation: Any) -> None:
    calls = []

    def work() -> Any:
        calls.append(1)
        return make()

    work.__annotations__["return"] = annotation or Any
    cached = task(cache=Cache())(work)
    results = []
    for _ in range(2):
        with Engine(home) as engine:
            results.append(engine.run(flow(lambda: cached())).result())

    assert calls == [1]
    kinds = (pd.DataFrame, pa.Table)
    made, back = (found_in([each], kinds) for each in results)
    for one, other in zip(back, made, strict=True):
        check_exactly(one, other)
    assert replaced(results[0], kinds, lambda _: 0) == replaced(results[1], kinds, lambda _: 0)
    with Engine(home) as engine:
        (entry,) = engine.cache.entries()
        assert entry.bytes > sum(each.stat().st_size for each in home.glob("cache/frames/*"))
        engine.cache.remove([], everything=True)
    assert not [*home.glob("cache/frames/*")]


def test_a_frame_among_the_arguments_makes_a_key() -> None:
    ints, floats = pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [1.0, 2.0]})
    given = [
        *(ints, floats, ints.rename(columns={"n": "m"}), ints[::-1], frame(), by_day(), table()),
        *(pd.DataFrame({"n": [1, "1"]}), pd.DataFrame({"n": ["1", 1]}), ints["n"]),
    ]
    chunks = pa.concat_tables([pa.table({"n": [1]}), pa.table({"n": [2]})])
    missing = pd.DataFrame({"n": pd.array([7, None], dtype="Int64")})
    other = pd.DataFrame({"n": pd.array([7, 8], dtype="Int64")})
    other.loc[1, "n"] = pd.NA  # an 8 lies where nothing is

    digests = {told_apart({"given": each}) for each in given}

    assert len(digests) == len(given)
    assert digests == {told_apart({"given": each}) for each in given}
    assert told_apart({"given": chunks}) == told_apart({"given": pa.table({"n": [1, 2]})})
    assert told_apart({"given": missing}) == told_apart({"given": other})
    longer = pd.DataFrame({"n": ["a", "b", "c"], "m": [True, False, True]})
    cut = pd.DataFrame({"n": ["b", "c"], "m": [False, True]}, index=range(1, 3))
    assert told_apart({"given": longer[1:]}) == told_apart({"given": cut})
    with pytest.raises(NoDigestError, match="a DataFrame has no"):
        told_apart({"given": pd.DataFrame({"n": [object()]})})


def _noted() -> pd.DataFrame:
    noted = pd.DataFrame({"n": ["a"]})
    noted.attrs["unit"] = "miles"
    return noted


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pd.DataFrame({"n": ["a"]}), _noted()),
        (
            pd.DataFrame({"n": pd.Categorical(["a"], ["a"])}),
            pd.DataFrame({"n": pd.Categorical(["a"], ["b", "a"])}),
        ),
        (
            pd.DataFrame({"n": [None]}, dtype=object),
            pd.DataFrame({"n": [float("nan")]}, dtype=object),
        ),
        (
            pd.DataFrame([[1]], columns=pd.Index(["n"], name="a")),
            pd.DataFrame([[1]], columns=pd.Index(["n"], name="b")),
        ),
    ],
    ids=["attrs", "categories", "None and NaN", "name of the columns"],
)
def test_frames_of_the_same_cells_are_told_apart(one: pd.DataFrame, other: pd.DataFrame) -> None:
    assert told_apart({"given": one}) != told_apart({"given": other})
    assert told_apart({"given": one}) == told_apart({"given": one.copy()})


def test_an_uncached_frame_is_passed_on_and_not_stored(engine: Engine) -> None:
    run = engine.run(flow(lambda: task(frame)()))

    check_same(run.result(), frame())
    assert engine.history.task_runs(run.id)[0].stored == "not stored"


def test_a_resumed_run_takes_a_cached_frame(engine: Engine) -> None:
    calls: list[int] = []
    cached = task(name="cached", cache=Cache(refresh=True))(lambda: calls.append(1) or frame())

    @flow
    def work() -> int:
        rows = len(cached())
        if len(calls) == 1 and not again:
            raise OSError("cut")
        return rows

    again: list[int] = []
    first = engine.run(work)
    again.append(1)

    resumed = engine.resume(first.name, work)

    assert resumed is not None
    assert (resumed.result(), calls) == (2, [1])
