"""The cache as a whole: its size is held, and what is in use, or somebody else's, stays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from runs_at_hand import Clock

from taxietl.errors import UnknownNameError
from taxietl.orchestrator import Cache, Engine, flow, task

pytestmark = pytest.mark.dates

SIZE = 1_000
ROOM_FOR_THREE = 3 * (SIZE + 200)
"""An entry's result, a path, takes some bytes, too."""


@pytest.fixture
def engine(home: Path, clock: Clock) -> Iterator[Engine]:
    with Engine(home, clock=clock, cache_bytes=ROOM_FOR_THREE) as engine:
        yield engine


@pytest.fixture
def make(home: Path) -> Any:
    """A task that makes a file of 1,000 bytes in the cache's folder, or in another one."""
    (home / "cache").mkdir(parents=True)

    @task(cache=Cache(expires=timedelta(days=30)))
    def make(name: str, folder: Path = home / "cache") -> Path:
        path = folder / name
        path.write_text(name[0] * SIZE)
        return path

    return make


@pytest.fixture
def use(engine: Engine, make: Any, clock: Clock) -> Any:
    """Run the task in a run of its own, a second later than the last one; gives its state."""

    @flow
    def body(name: str, folder: Path | None) -> None:
        make(name, folder) if folder else make(name)

    def use_one(name: str, folder: Path | None = None) -> str:
        clock.sleep(1)
        run = engine.run(body, name, folder)
        run.result()
        (only,) = engine.history.task_runs(run.id)
        return only.state.name

    return use_one


def names(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "cache").iterdir())


def test_what_was_not_used_for_longest_goes_when_something_is_stored(
    use: Any, engine: Engine, home: Path
) -> None:
    assert [use(name) for name in ("a", "b", "c", "a")] == [
        *("Completed", "Completed", "Completed", "Cached"),
    ]

    use("d")

    assert names(home) == ["a", "c", "d"]
    assert [Path(each.files[0].path).name for each in engine.cache.entries()] == ["d", "a", "c"]
    assert engine.cache.usage().bytes <= ROOM_FOR_THREE
    assert use("b") == "Completed"


def test_what_a_run_in_progress_uses_stays_over_the_size(
    use: Any, make: Any, engine: Engine, home: Path, clock: Clock
) -> None:
    use("old")

    @flow
    def greedy() -> list[str]:
        for name in "abcde":
            clock.sleep(1)
            make(name)
        return names(home)

    assert engine.run(greedy).result() == ["a", "b", "c", "d", "e"]
    use("f")
    assert names(home) == ["d", "e", "f"]


def test_an_ended_child_run_uses_nothing_any_more(
    make: Any, engine: Engine, home: Path, clock: Clock
) -> None:
    @flow
    def quiet(name: str) -> int:
        clock.sleep(1)
        return len(make(name).read_text())

    @flow
    def gives(name: str) -> Path:
        clock.sleep(1)
        return make(name)

    @flow
    def parent() -> list[str]:
        gives("kept")
        for name in "abcd":
            quiet(name)
        return names(home)

    assert engine.run(parent).result() == ["c", "d", "kept"]


def test_files_elsewhere_are_neither_counted_nor_removed(
    use: Any, engine: Engine, tmp_path: Path
) -> None:
    for name in "abcdefg":
        use(name, tmp_path)
    assert engine.cache.usage().entries == 7

    removed, _ = engine.cache.remove(["make"])

    assert removed == 7
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == list("abcdefg")


def test_a_file_that_two_entries_name_goes_with_the_last(engine: Engine, home: Path) -> None:
    (home / "cache").mkdir()
    path = home / "cache" / "shared"
    path.write_text("x" * SIZE)

    @task(cache=Cache())
    def name_it(n: int) -> Path:
        return path

    engine.run(flow(lambda: [name_it(n) for n in (1, 2)]))
    first, second = (each.key for each in engine.cache.entries())
    assert SIZE < engine.cache.usage().bytes < SIZE + 300

    engine.cache.remove([first])
    assert path.exists()
    engine.cache.remove([second])
    assert not path.exists()


def test_gc_removes_what_is_of_no_use(use: Any, engine: Engine, home: Path, clock: Clock) -> None:
    use("expired")
    clock.sleep(timedelta(days=29).total_seconds())
    use("kept")
    use("gone")
    (home / "cache" / "gone").unlink()
    (home / "cache" / "young.part").write_text("")
    (home / "cache" / "deep").mkdir()
    orphan = home / "cache" / "deep" / "orphan.part"
    orphan.write_text("12345")
    now = clock() + timedelta(days=2)
    # The file of what has expired is as old: it is not counted as one without an entry, too.
    for path, age in (
        (orphan, 25),
        (home / "cache" / "young.part", 23),
        (home / "cache" / "expired", 25),
    ):
        at = (now - timedelta(hours=age)).timestamp()
        os.utime(path, (at, at))

    planned = engine.cache.collect(now, dry_run=True)
    assert names(home) == ["deep", "expired", "kept", "young.part"]
    assert orphan.exists()
    removed = engine.cache.collect(now)

    assert removed == planned
    assert {each.why.split(" at ")[0].replace(str(home), "") for each in removed} == {
        "expired",
        "/cache/gone is missing",
        "no entry names it",
    }
    assert names(home) == ["deep", "kept", "young.part"]
    assert not orphan.exists()
    assert engine.cache.collect(now) == []


def test_a_file_that_no_entry_names_counts(
    use: Any, engine: Engine, home: Path, clock: Clock
) -> None:
    for name in "abc":
        use(name)
    before = engine.cache.usage()
    (home / "cache" / "download").write_text("x" * SIZE)

    (other,) = engine.cache.other_files()
    assert (other.path.name, other.bytes) == ("download", SIZE)
    assert engine.cache.usage().bytes == before.bytes + SIZE
    assert (engine.cache.usage().files, before.files) == (1, 0)
    assert [each.why for each in engine.cache.collect(clock())] == ["not used for longest"]
    assert names(home) == ["b", "c", "download"]


def test_what_a_clock_that_was_ahead_made_expires_when_it_is_right_again(
    use: Any, engine: Engine, clock: Clock
) -> None:
    years = timedelta(days=30_000).total_seconds()
    clock.sleep(years)
    use("a")
    use("b")
    clock.sleep(-years)

    assert use("a") == "Completed"
    assert use("a") == "Cached"
    assert [each.why[:7] for each in engine.cache.collect(clock())] == ["expired"]
    (left,) = engine.cache.entries()
    assert left.last_used_at <= clock()


def test_gc_shrinks_to_the_size(use: Any, home: Path, clock: Clock) -> None:
    for name in "abc":
        use(name)

    with Engine(home, clock=clock, cache_bytes=SIZE + 200) as engine:
        removed = engine.cache.collect(clock())

    assert [each.why for each in removed] == ["not used for longest"] * 2
    assert names(home) == ["c"]


def test_a_result_of_some_bytes_outlives_large_ones_that_were_used_later(
    home: Path, clock: Clock
) -> None:
    """What took a download to know takes no room, and is kept for as long as there is any."""

    @task(cache=Cache())
    def digest() -> str:
        return "a" * 64

    @task(cache=Cache())
    def text(number: int) -> str:
        return str(number) * 5_000

    @flow
    def body() -> list[str]:
        return [digest(), *(text(each) for each in range(3))]

    with Engine(home, clock=clock, cache_bytes=12_000) as engine:
        states = []
        for _ in range(2):
            run = engine.run(body)
            clock.sleep(1)
            engine.cache.collect(clock())
            states.append([each.state.name for each in engine.history.task_runs(run.id)])

    assert states == [["Completed"] * 4, ["Cached", *["Completed"] * 3]]


def test_what_is_in_use_is_not_removed_even_if_asked_for(
    make: Any, engine: Engine, home: Path
) -> None:
    @flow
    def body() -> tuple[int, list[str]]:
        make("used")
        return engine.cache.remove([], everything=True)

    removed, left = engine.run(body).result()

    assert (removed, len(left)) == (0, 1)
    assert names(home) == ["used"]
    assert engine.cache.remove([], everything=True) == (1, [])


def test_entries_are_removed_by_task_key_or_its_beginning(use: Any, engine: Engine) -> None:
    for name in "ab":
        use(name)
    key = engine.cache.entries()[0].key

    with pytest.raises(UnknownNameError, match="no cached task or key named 'mak'"):
        engine.cache.remove(["mak"])
    assert engine.cache.remove([key[:-30]]) == (1, [])
    assert engine.cache.remove(["make"]) == (1, [])


def test_a_result_removed_between_look_up_and_use_is_made_again(
    engine: Engine, clock: Clock
) -> None:
    made: list[int] = []

    @task(cache=Cache())
    def number() -> int:
        made.append(1)
        return 1

    class Codec(type(number.spec.codec)):  # type: ignore[misc]
        """Loses the entry when it has just been found usable."""

        def decode(self, text: str) -> Any:
            engine.cache.remove([], everything=True)
            return super().decode(text)

    engine.run(flow(lambda: number()))
    vars(number.spec)["codec"] = Codec(None)

    again = engine.run(flow(lambda: number()))

    assert made == [1, 1]
    (task_run,) = engine.history.task_runs(again.id)
    reasons = [each.state.message for each in engine.history.states(again.id, task_run.id)]
    assert "Cache miss: what was kept under its key has just been removed." in reasons


def test_a_big_cache_costs_little_to_look_after(engine: Engine, clock: Clock) -> None:
    """Storing is what a backfill does thousands of times."""
    with engine.history.database.transaction() as connection:
        connection.executemany(
            "INSERT INTO cache (key, task, version, result, files, created_at, last_used_at,"
            " run_id, bytes) VALUES (?, 't', '', '1', '[]', ?, ?, '', 1)",
            [(f"t//{n}", clock().isoformat(), clock().isoformat()) for n in range(3_000)],
        )
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        engine.cache.make_room()
        seconds.append(time.perf_counter() - began)

    assert min(seconds) < 0.01
    assert len(engine.cache.entries()) == 3_000


def test_the_times_of_an_entry_are_those_of_its_making_and_last_use(
    use: Any, engine: Engine, clock: Clock
) -> None:
    use("a")
    made = clock()
    use("a")

    (entry,) = engine.cache.entries()

    assert (entry.created_at, entry.last_used_at) == (made, clock())
    assert entry.expires_at == made + timedelta(days=30)
