"""The cache keeps DataFrames and Arrow tables as Parquet, as they were or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, Engine, flow, task
from taxietl.orchestrator.store.canonical import NoDigestError, told_apart


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


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param(lambda: pd.DataFrame({"n": [1, "a"]}), "DataFrame does not come", id="mixed"),
        pytest.param(lambda: pd.DataFrame({"n": [(1, 2)]}), "DataFrame does not come", id="tuples"),
        pytest.param(lambda: OwnFrame({"n": [1]}), "a OwnFrame has no JSON form", id="subclass"),
        pytest.param(lambda: pd.Series([1]), "a Series has no JSON form", id="series"),
        pytest.param(lambda: {"a": frame()}, "a dict has no JSON form", id="in a dict"),
    ],
)
@pytest.mark.parametrize("annotation", [pd.DataFrame, pd.Series, dict, None])
def test_what_does_not_come_back_is_refused_in_a_sentence(
    engine: Engine, home: Path, value: Callable[[], Any], says: str, annotation: Any
) -> None:
    def work() -> Any:
        return value()

    if annotation is not None:
        work.__annotations__["return"] = annotation

    run = engine.run(flow(lambda: task(cache=Cache())(work)()))

    with pytest.raises(ConfigError, match="cannot be stored: ") as refused:
        run.result()
    assert says in refused.value.message
    assert "\n" not in refused.value.message
    assert "pydantic" not in refused.value.message
    assert "a DataFrame, an Arrow table or the Path" in refused.value.hint
    assert not [*home.glob("cache/frames/*")]


def test_a_frame_among_the_arguments_makes_a_key() -> None:
    ints, floats = pd.DataFrame({"n": [1, 2]}), pd.DataFrame({"n": [1.0, 2.0]})
    frames = [ints, floats, ints.rename(columns={"n": "m"}), ints[::-1], frame(), by_day(), table()]
    chunks = pa.concat_tables([pa.table({"n": [1]}), pa.table({"n": [2]})])

    digests = {told_apart({"given": each}) for each in frames}

    assert len(digests) == len(frames)
    assert digests == {told_apart({"given": each}) for each in frames}
    assert told_apart({"given": chunks}) == told_apart({"given": pa.table({"n": [1, 2]})})
    with pytest.raises(NoDigestError, match="a DataFrame has no"):
        told_apart({"given": pd.DataFrame({"n": [1, "1"]})})


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
