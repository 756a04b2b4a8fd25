"""`-p name=value`: texts become what the types of a flow's parameters say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import Field, PostgresDsn, SecretStr

from taxietl.cli.parameters import read_parameters
from taxietl.errors import ConfigError
from taxietl.orchestrator import Engine, Flow, flow

Zone = NewType("Zone", str)


class Color(Enum):
    GREEN = "green"


class Vendor(IntEnum):
    CMT = 1


@dataclass
class Login:
    host: str
    password: SecretStr


def taking(kind: Any) -> Flow[[Any], Any]:
    """A flow with one parameter of that type, which it returns."""

    def returned(value: Any) -> Any:
        return value

    returned.__annotations__ = {"value": kind}
    return flow(returned)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


def error_of(taken: Flow[..., Any], *given: str) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        read_parameters(taken, given)
    assert error.value.exit_code == 2
    return error.value


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "7", 7),
        (float, "7", 7.0),
        (bool, "yes", True),
        (bool, "false", False),
        (str, "7", "7"),
        (str, '"quoted"', '"quoted"'),
        (str, "null", "null"),
        ("str", "7", "7"),
        (str | None, "7", "7"),
        (str | None, "null", None),
        (Zone, "7", "7"),
        (Annotated[str, Field(min_length=1)], "7", "7"),
        (str | int, "7", 7),
        (int | None, "null", None),
        (date, "2021-01-31", date(2021, 1, 31)),
        (Color, "green", Color.GREEN),
        (Vendor, "1", Vendor.CMT),
        (Literal["1", "2"], "1", "1"),
        (Literal[1, 2], "1", 1),
        (list[int], "[1, 2]", [1, 2]),
        (tuple[date, ...], '["2021-01-31"]', (date(2021, 1, 31),)),
        (Sequence[str], '["a"]', ["a"]),
        (dict[int, str], '{"1": "a"}', {1: "a"}),
        (Path, "2021", Path("2021")),
        (Decimal, "1.10000000000000000000001", Decimal("1.10000000000000000000001")),
        (SecretStr, "12345", SecretStr("12345")),
        (SecretStr | None, "null", SecretStr("null")),
        (Login, '{"host": "h", "password": "p"}', Login("h", SecretStr("p"))),
        (Any, "NaN", "NaN"),
        (Any, "[1]", [1]),
        (str, "a=b", "a=b"),
        (str, "", ""),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_text_is_what_the_type_says(engine: Engine, kind: Any, text: str, value: Any) -> None:
    taken = taking(kind)

    args, kwargs = read_parameters(taken, [f"value={text}"])

    result = engine.run(taken, *args, **kwargs).result()
    assert (result, type(result)) == (value, type(value))


def test_brackets_too_deep_for_json_are_text() -> None:
    deep = "[" * 20_000

    assert read_parameters(taking(Any), [f"value={deep}"]) == ((deep,), {})


def test_what_has_no_annotation_is_json_where_it_can_be() -> None:
    loose = flow(lambda a, b=None: (a, b))

    assert read_parameters(loose, ["b=yes", 'a={"c": null}']) == (({"c": None}, "yes"), {})


def test_every_kind_of_parameter_is_given_by_its_name(engine: Engine) -> None:
    @flow
    def every(a: int, /, b: int = 2, *many: int, c: int = 3, **others: date) -> Any:
        return a, b, many, c, others

    args, kwargs = read_parameters(every, ["a=1", "many=[4, 5]", "c=6", "since=2021-01-31"])

    assert engine.run(every, *args, **kwargs).result() == (
        *(1, 2, (4, 5), 6),
        {"since": date(2021, 1, 31)},
    )
    assert "it takes a list" in error_of(every, "a=1", "many=4").message


def test_many_texts_are_one_json_list() -> None:
    @flow
    def colors(*names: str) -> Any:
        return names

    assert read_parameters(colors, ['names=["green", "7"]']) == (("green", "7"), {})
    assert "it takes a list" in error_of(colors, "names=green").message


@pytest.mark.parametrize(
    ("kind", "text", "message", "hint"),
    [
        (int, "many", "'value', 'many': Input should be a valid integer", "of type int."),
        (int, "1.5", "'value', '1.5': Input should be a valid integer", "of type int."),
        (list[int], "1,2", "'1,2': Input should be a valid list", "JSON: '[1, 2]'"),
        (list[int], '[1, "x"]', "1: Input should be a valid integer", "of type list[int]."),
        (Color, "red", "'red': Input should be 'green'", "Color"),
        (date, "2021-02-31", "'2021-02-31': Input should be a valid date", "datetime.date"),
        (int, "x" * 200, f"'{'x' * 60}…'", "of type int"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_wrong_value_is_told_with_flow_parameter_type_and_text(
    kind: Any, text: str, message: str, hint: str
) -> None:
    error = error_of(taking(kind), f"value={text}")

    assert error.message.startswith("The flow 'returned' got a wrong value for 'value'")
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Annotated[SecretStr, Field(min_length=20)], "hunter2"),
        (Login, '{"host": "h", "password": ["hunter2"]}'),
        (list[Login], "hunter2"),
        (PostgresDsn, "mysql://root:hunter2@localhost/db"),
        (Engine, "hunter2"),
    ],
    ids=["secret", "in a dataclass", "in a list", "in a URL", "a class of any kind"],
)
def test_a_wrong_secret_is_not_shown(kind: Any, text: str) -> None:
    error = error_of(taking(kind), f"value={text}")

    assert "hunter2" not in f"{error.message} {error.hint} {error.__cause__} {error.__context__}"


def test_a_name_can_tell_that_its_value_is_a_secret() -> None:
    @flow
    def login(api_token: int) -> None: ...

    assert "hunter2" not in error_of(login, "api_token=hunter2").message


@flow
def etl(month: int, *, color: Color, title: str = "x") -> None: ...


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (["color=green"], "'etl' was not given 'month' (int).", "-p month=…"),
        ([], "not given 'month' (int), 'color' (Color)", "-p month=… -p color=…"),
        (["months=1"], "no parameter of the flow 'etl' named 'months'", "Did you mean 'month'"),
        (["month"], "-p 'month' has no value", "name=value"),
        (["month=1", "month=2"], "'month' is given twice", "one JSON list"),
    ],
    ids=["missing", "several missing", "unknown", "no value", "twice"],
)
def test_what_does_not_fit_the_flow_is_told(given: list[str], message: str, hint: str) -> None:
    error = error_of(etl, *given)

    assert message in error.message
    assert hint in error.hint
