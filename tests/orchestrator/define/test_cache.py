from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from runs_at_hand import Clock

from taxietl.errors import ConfigError
from taxietl.orchestrator import Cache, Engine, Stream, flow, task

pytestmark = pytest.mark.dates


@dataclass(frozen=True)
class SourceFile:
    path: Path
    rows: int
    columns: tuple[str, ...]


class Counted:
    """A cached task that counts its calls."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.calls = 0
        version = options.pop("version", "")

        @task(cache=Cache(**options), version=version)
        def extract(month: int) -> SourceFile:
            self.calls += 1
            path = folder / f"{month}.csv"
            path.write_text(f"month {month}\n")
            return SourceFile(path, month, ("a", "b"))

        self.task = extract
        self.flow = flow(lambda month: extract(month))

    def run(self, engine: Engine, month: int = 1) -> tuple[str, str, SourceFile]:
        """The state the task ended in, why it ran, and what it gave."""
        run = engine.run(self.flow, month)
        (task_run,) = engine.history.task_runs(run.id)
        messages = [each.state.message for each in engine.history.states(run.id, task_run.id)]
        return task_run.state.name, "".join(messages), run.result()


def test_a_hit_gives_the_same_value_without_a_call(engine: Engine, tmp_path: Path) -> None:
    counted = Counted(tmp_path)

    first, second = counted.run(engine), counted.run(engine)

    assert [first[0], second[0]] == ["Completed", "Cached"]
    assert first[1] == "Cache miss: nothing is kept under its key."
    assert second[2] == first[2] == SourceFile(tmp_path / "1.csv", 1, ("a", "b"))
    assert counted.calls == 1


def test_other_arguments_are_another_entry(engine: Engine, tmp_path: Path) -> None:
    counted = Counted(tmp_path)

    assert [counted.run(engine, month)[0] for month in (1, 2, 1)] == [
        "Completed",
        "Completed",
        "Cached",
    ]


def test_another_version_of_the_task_is_another_entry(engine: Engine, tmp_path: Path) -> None:
    Counted(tmp_path, version="1").run(engine)

    assert Counted(tmp_path, version="2").run(engine)[0] == "Completed"


def test_entries_survive_the_engine(home: Path, tmp_path: Path) -> None:
    for expected in ("Completed", "Cached"):
        with Engine(home) as engine:
            assert Counted(tmp_path).run(engine)[0] == expected


def test_an_expired_entry_is_a_miss(engine: Engine, tmp_path: Path, clock: Clock) -> None:
    counted = Counted(tmp_path, expires=timedelta(hours=1))
    counted.run(engine)

    clock.sleep(3599)
    assert counted.run(engine)[0] == "Cached"
    clock.sleep(1)
    state, why, _ = counted.run(engine)

    assert state == "Completed"
    assert "expired at 2021-01-02T17:05:11" in why


def test_expiry_counts_from_the_writing(engine: Engine, clock: Clock) -> None:
    @task(cache=Cache(expires=timedelta(hours=1)))
    def slow() -> int:
        clock.sleep(3000)
        return 1

    run = flow(lambda: slow())
    engine.run(run)
    clock.sleep(3000)

    assert engine.history.task_runs(engine.run(run).id)[0].state.name == "Cached"


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text("other, longer"), "has changed"),
        (lambda path: path.write_text("month 2\n"), "has changed"),
    ],
    ids=["missing", "other size", "other bytes"],
)
def test_a_file_that_is_not_what_it_was_is_a_miss(
    engine: Engine, tmp_path: Path, damage: Any, why: str
) -> None:
    counted = Counted(tmp_path)
    counted.run(engine)
    damage(tmp_path / "1.csv")

    state, message, value = counted.run(engine)

    assert state == "Completed"
    assert f"1.csv {why}" in message
    assert value.path.read_text() == "month 1\n"


def test_refresh_calls_the_task_and_keeps_the_new_result(engine: Engine, tmp_path: Path) -> None:
    Counted(tmp_path).run(engine)

    assert Counted(tmp_path, refresh=True).run(engine)[0] == "Completed"
    assert Counted(tmp_path).run(engine)[0] == "Cached"


def test_a_key_function_decides_what_is_the_same(engine: Engine, tmp_path: Path) -> None:
    by_parity = Counted(tmp_path, key=lambda arguments: f"even {arguments['month'] % 2 == 0}")

    assert [by_parity.run(engine, month)[0] for month in (1, 3, 2)] == [
        "Completed",
        "Cached",
        "Completed",
    ]


def test_a_key_function_may_refuse_to_cache(engine: Engine, tmp_path: Path) -> None:
    never = Counted(tmp_path, key=lambda arguments: None)

    assert [never.run(engine)[0], never.run(engine)[0]] == ["Completed", "Completed"]


def test_an_entry_that_no_longer_fits_the_task_is_a_miss(engine: Engine) -> None:
    def total_as_text(month: int) -> str:
        return "seven"

    def total(month: int) -> int:
        return 7

    for function, expected in ((total_as_text, "seven"), (total, 7)):
        kept = task(name="total", cache=Cache())(function)
        assert engine.run(flow(lambda kept=kept: kept(1))).result() == expected


def test_a_result_that_cannot_be_stored_names_the_task(engine: Engine) -> None:
    @task(cache=Cache())
    def frame() -> object:
        return object()

    run = engine.run(flow(lambda: frame()))

    with pytest.raises(ConfigError, match="'frame' has cache=, and its result cannot be stored"):
        run.result()
    assert engine.history.task_runs(run.id)[0].state.name == "Failed"


def test_without_cache_such_a_result_is_passed_on_and_marked(engine: Engine) -> None:
    thing = object()

    @task
    def make() -> object:
        return thing

    @task
    def use(given: object) -> bool:
        return given is thing

    run = engine.run(flow(lambda: use(make())))

    assert run.result() is True
    assert {each.task: each.stored for each in engine.history.task_runs(run.id)} == {
        "make": "not stored",
        "use": "stored",
    }


def test_arguments_that_make_no_key_are_an_error(engine: Engine) -> None:
    @task
    def numbers():
        yield 1

    @task(cache=Cache())
    def total(numbers: Stream[int, None]) -> int:
        return sum(numbers)

    run = engine.run(flow(lambda: total(numbers())))

    with pytest.raises(ConfigError, match="its arguments make no key: a Stream"):
        run.result()


def test_a_secret_is_in_no_byte_of_the_database(engine: Engine, home: Path) -> None:
    @task(cache=Cache())
    def connect(password: SecretStr, url: str) -> int:
        return len(password.get_secret_value())

    @flow
    def login(password: SecretStr, url: str) -> int:
        return connect(password, url) + connect(SecretStr("another-one"), url)

    run = engine.run(login, SecretStr("hunter2-hunter2"), "postgresql://me:tiger-99@host/db")

    assert run.result() == 26  # two keys: the secret does tell calls apart
    engine.close()
    stored = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"connect-0" in stored
    assert b"hunter2" not in stored
    assert b"tiger-99" not in stored
