"""A hit or a miss is explained field by field, against the entry that differs least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from runs_at_hand import Clock

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.orchestrator import Cache, Engine, flow, task
from taxietl.orchestrator.query.cache_why import CachedCall, Explanation, call_of, explain

pytestmark = pytest.mark.dates

RunIt = Callable[..., str]


@dataclass(frozen=True)
class Month:
    year: int
    month: int


def fetch(version: str = "1", **options: Any) -> Any:
    @task(name="fetch", cache=Cache(**options), version=version)
    def fetch(month: Month, folder: Path) -> Path:
        path = folder / f"{month.year}-{month.month}"
        path.write_text(str(month))
        return path

    return fetch


@pytest.fixture
def call(engine: Engine, tmp_path: Path, clock: Clock) -> RunIt:
    """Call the task in a run of its own; gives the run's name."""

    def run_it(a_task: Any, month: Month) -> str:
        clock.sleep(1)
        run = engine.run(flow(lambda: a_task(month, tmp_path) and None))
        run.result()
        return run.name

    return run_it


def why(engine: Engine, run_name: str, task_run: str = "fetch-0") -> tuple[Explanation, str]:
    call, _, then = call_of(engine.history, run_name, task_run)
    return explain(call, engine.cache.entries(call.task), engine.clock()), then


def different(explanation: Explanation) -> list[str]:
    return [each.name for each in explanation.fields if not each.is_same]


def test_a_hit_names_what_was_used(engine: Engine, call: RunIt) -> None:
    first = call(fetch(), Month(2021, 1))

    found, then = why(engine, call(fetch(), Month(2021, 1)))

    assert (found.is_hit, then, different(found)) == (True, "Used what was kept.", [])
    assert found.nearest is not None
    assert found.nearest.run_name == first


@pytest.mark.parametrize(
    ("version", "month", "names"),
    [
        pytest.param("2", Month(2021, 1), ["version"], id="version"),
        pytest.param("1", Month(2021, 2), ["month.month"], id="one argument"),
        pytest.param("2", Month(2020, 1), ["version", "month.year"], id="several"),
    ],
)
def test_a_miss_names_each_field_that_differed_from_the_nearest(
    engine: Engine, call: RunIt, version: str, month: Month, names: list[str]
) -> None:
    call(fetch(), Month(1999, 9))
    nearest = call(fetch(), Month(2021, 1))
    call(fetch(), Month(1999, 12))

    found, then = why(engine, call(fetch(version), month))

    assert then == "Cache miss: nothing is kept under its key."
    assert found.nearest is not None
    assert (found.nearest.run_name, different(found)) == (nearest, names)


@dataclass(frozen=True)
class Celsius:
    degrees: float


@dataclass(frozen=True)
class Fahrenheit:
    degrees: float


@task(cache=Cache())
def kelvin(temperature: object) -> float:
    is_celsius = isinstance(temperature, Celsius)
    degrees: float = temperature.degrees  # type: ignore[attr-defined]
    return degrees + 273.15 if is_celsius else (degrees - 32) / 1.8 + 273.15


def test_a_type_that_differed_is_named(engine: Engine) -> None:
    runs = [engine.run(flow(lambda t=t: kelvin(t))) for t in (Celsius(50), Fahrenheit(50))]

    assert [run.result() for run in runs] == [323.15, 283.15]
    found, _ = why(engine, runs[1].name, "kelvin-0")
    (field,) = [each for each in found.fields if not each.is_same]
    assert field.name == "type of temperature"
    assert [str(each).rpartition(":")[2] for each in (field.asked, field.kept)] == [
        "Fahrenheit",
        "Celsius",
    ]


def test_what_was_kept_after_a_miss_does_not_explain_it(
    engine: Engine, call: RunIt, clock: Clock
) -> None:
    call(fetch("1"), Month(2021, 1))

    @flow
    def both(folder: Path) -> None:
        for month in (1, 2):
            clock.sleep(1)
            fetch("2")(Month(2021, month), folder)

    run = engine.run(both, engine.home.parent)

    assert different(why(engine, run.name)[0]) == ["version"]


def test_a_function_that_differed_is_named(engine: Engine) -> None:
    def other(temperature: object) -> float:
        return 0.0

    for a_task in (kelvin, task(name="kelvin", cache=Cache(), version=kelvin.spec.version)(other)):
        run = engine.run(flow(lambda a_task=a_task: a_task(Celsius(50))))

    assert different(why(engine, run.name, "kelvin-0")[0]) == ["function"]


def test_the_first_of_all_has_nothing_to_be_compared_with(engine: Engine, call: RunIt) -> None:
    found, then = why(engine, call(fetch(), Month(2021, 1)))

    assert then == "Cache miss: nothing is kept under its key."
    assert (found.is_hit, different(found)) == (True, [])  # its own result is there by now


def test_an_expired_result_says_so(engine: Engine, call: RunIt, clock: Clock) -> None:
    expires = fetch(expires=timedelta(hours=1))
    name = call(expires, Month(2021, 1))
    clock.sleep(3600)

    found, _ = why(engine, name)
    _, then = why(engine, call(expires, Month(2021, 1)))

    assert (found.is_hit, found.reason) == (False, "what differs: expires")
    assert "expired at" in then


@pytest.mark.parametrize("what", ["missing", "has changed"])
def test_a_file_that_is_not_what_it_was_is_named(
    engine: Engine, call: RunIt, tmp_path: Path, what: str
) -> None:
    call(fetch(), Month(2021, 2))
    name = call(fetch(), Month(2021, 1))
    path = tmp_path / "2021-1"
    path.write_text("other") if what == "has changed" else path.unlink()

    found, _ = why(engine, name)

    assert found.reason == f"what differs: file {path}"
    assert what in found.fields[-1].kept


def test_a_refresh_is_the_reason_whatever_is_kept(engine: Engine, call: RunIt) -> None:
    call(fetch(), Month(2021, 1))

    _, then = why(engine, call(fetch(refresh=True), Month(2021, 1)))

    assert then == "Cache miss: a fresh result was asked for."


def test_a_secret_that_differs_is_told_without_being_shown(engine: Engine) -> None:
    @task(cache=Cache())
    def login(password: SecretStr) -> int:
        return 1

    @flow
    def body(password: SecretStr) -> int:
        return login(password)

    for password in ("one", "two"):
        run = engine.run(body, SecretStr(password))
    engine.cache.remove([engine.cache.entries()[0].key])

    found, _ = why(engine, run.name, "login-0")

    assert not found.is_hit
    assert found.reason == "the key differs, by an argument that is not shown or by a key function"
    assert "two" not in repr(found)


class TestACallThatWasNotMade:
    """Asked by the task's name and some arguments."""

    def test_what_is_given_decides(self, engine: Engine, call: RunIt) -> None:
        call(fetch(), Month(2021, 1))

        def asked(**arguments: Any) -> Explanation:
            given = {name.replace("__", "."): each for name, each in arguments.items()}
            return explain(
                CachedCall("fetch", given), engine.cache.entries("fetch"), engine.clock()
            )

        assert asked(month__year=2021).is_hit
        assert asked(month__year=2021, month__month=1).is_hit
        assert asked(month__year=2020).reason == "what differs: month.year"
        assert asked(nonsense=1).reason == "what differs: nonsense"
        assert asked(month={"year": 2021, "month": 2}).reason == "what differs: month.month"

    def test_of_an_unknown_task_nothing_is_kept(self, engine: Engine) -> None:
        found = explain(CachedCall("none", {}), engine.cache.entries("none"), engine.clock())

        assert (found.is_hit, found.nearest) == (False, None)
        assert found.reason == "nothing is kept of task 'none'"


def test_a_task_run_without_a_cache_or_none_at_all_is_refused(engine: Engine) -> None:
    @task
    def plain() -> int:
        return 1

    run = engine.run(flow(lambda: plain()))

    with pytest.raises(ConfigError, match="is not cached"):
        why(engine, run.name, "plain-0")
    with pytest.raises(UnknownNameError, match="no task run in"):
        why(engine, run.name, "plane-0")
