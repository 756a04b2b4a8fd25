from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Flow, flow

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True)
class TripFile:
    color: str
    month: date


class Plain:
    """A class pydantic knows nothing of."""


@flow
def ingest(trip_file: TripFile, workers: int = 1, *, password: SecretStr | None = None) -> str:
    assert password is None or isinstance(password, SecretStr)
    return f"{trip_file.color} {trip_file.month} {workers}"


def test_arguments_are_coerced_by_their_annotations(engine: Engine) -> None:
    run = engine.run(ingest, {"color": "green", "month": "2021-01-01"}, "4")  # type: ignore[arg-type]

    assert run.result() == "green 2021-01-01 4"
    assert engine.history.run(run.id).parameters == {
        "trip_file": {"color": "green", "month": "2021-01-01"},
        "workers": 4,
        "password": None,
    }


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ((TripFile("green", date.min), "many"), {}, "'workers': Input should be a valid integer"),
        (({"color": "green"},), {}, "'trip_file': month: Field required"),
        ((), {}, "missing a required argument: 'trip_file'"),
        ((TripFile("green", date.min),), {"colour": 1}, "unexpected keyword argument 'colour'"),
    ],
    ids=["wrong type", "missing field", "missing", "unknown"],
)
def test_a_wrong_parameter_is_named_and_nothing_starts(
    engine: Engine, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as error:
        engine.run(ingest, *args, **kwargs)

    assert error.value.message.startswith("The flow 'ingest' ")
    assert says in error.value.message
    assert engine.history.runs() == []


def test_a_wrong_secret_is_not_in_the_error(engine: Engine) -> None:
    secret = ["hunter2"]

    with pytest.raises(ConfigError, match="'password': Input should be a valid string") as error:
        engine.run(ingest, TripFile("green", date.min), password=secret)  # type: ignore[arg-type]

    assert "hunter2" not in error.value.message + error.value.hint
    assert error.value.__cause__ is None


def test_a_wrong_parameter_of_a_subflow_leaves_nothing_running(engine: Engine) -> None:
    @flow
    def outer() -> None:
        ingest("green")  # type: ignore[arg-type]

    run = engine.run(outer)

    with pytest.raises(ConfigError, match="'trip_file'"):
        run.result()
    assert [each.state.name for each in engine.history.runs()] == ["Failed"]


@flow
def many(*months: int, **options: date) -> Any:
    return months, options


@flow
def loose(anything, plain: Plain, folders: Sequence[Path] = ()):  # type: ignore[no-untyped-def]
    return anything, plain, folders


@pytest.mark.parametrize(
    ("called", "args", "kwargs", "result"),
    [
        (many, ("1", 2), {"since": "2021-01-01"}, ((1, 2), {"since": date(2021, 1, 1)})),
        (loose, ("x", p := Plain(), ["/a"]), {}, ("x", p, [Path("/a")])),
    ],
    ids=["variadic", "unannotated, arbitrary, nested"],
)
def test_every_kind_of_parameter_is_taken(
    engine: Engine, called: Flow[..., Any], args: Any, kwargs: Any, result: Any
) -> None:
    assert engine.run(called, *args, **kwargs).result() == result


def test_a_type_that_is_unknown_at_run_time_is_an_error_that_helps(engine: Engine) -> None:
    @flow
    def half(part: Fraction) -> None: ...

    with pytest.raises(ConfigError, match="cannot check its parameter 'part'") as error:
        engine.run(half, 1)  # type: ignore[arg-type]

    assert "TYPE_CHECKING" in error.value.hint


def test_runs_are_named_by_the_template_and_then_numbered(engine: Engine) -> None:
    named = flow(run_name="{color}-{year}-{month:02d}")(lambda color, year, month=1: None)

    names = [engine.run(named, "green", 2021).name for _ in range(3)]
    names.append(engine.run(named, "green", 2021, 12).name)

    assert names == ["green-2021-01", "green-2021-01-2", "green-2021-01-3", "green-2021-12"]


@pytest.mark.parametrize(
    "template",
    ["{colour}", "{color:99999999}", "{n:.99999999f}", "{n:>{n}}", "{color.__class__}", "{"],
)
def test_a_template_that_no_name_comes_of_is_an_error(engine: Engine, template: str) -> None:
    named = flow(run_name=template)(lambda color, n=99_999_999: None)

    with pytest.raises(ConfigError, match=r"cannot name its run by '\{"):
        engine.run(named, "green")

    assert engine.history.runs() == []


def test_a_template_may_write_a_day_as_it_likes(engine: Engine) -> None:
    named = flow(run_name="{day:%d.%m.%Y of the year 2021}")(lambda day: None)

    assert engine.run(named, date(2021, 1, 2)).name == "02.01.2021 of the year 2021"


def test_other_runs_get_an_adjective_and_an_animal(engine: Engine) -> None:
    nothing = flow(lambda: None)

    names = {engine.run(nothing).name for _ in range(20)}

    assert len(names) == 20
    assert all(len(name.split("-")) >= 2 for name in names)
