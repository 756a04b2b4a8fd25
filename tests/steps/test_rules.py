"""What `--transform` says, taken apart, and options as the types of a rule's parameters."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from taxietl.errors import ConfigError, UnknownNameError
from taxietl.steps.rules import Rule, parse, values_of


class Short:
    """A rule with options of many types."""

    def __init__(
        self,
        miles: float = 0.1,
        zones: tuple[int, ...] = (),
        since: date | None = None,
        title: str = "",
        strict: bool = False,
        anything=None,  # type: ignore[no-untyped-def]
        version: str = "1",
    ) -> None: ...


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("drop-short", Rule("drop-short", {})),
        (" drop-short ", Rule("drop-short", {})),
        ("drop-short:miles=2", Rule("drop-short", {"miles": "2"})),
        ("rules.py:Short", Rule("rules.py:Short", {})),
        ("a.b:Short:miles=2,zones=[1,2]", Rule("a.b:Short", {"miles": "2", "zones": "[1,2]"})),
        ("C:\\r.py:Short:title=a:b=c", Rule("C:\\r.py:Short", {"title": "a:b=c"})),
        ("short:title=", Rule("short", {"title": ""})),
    ],
)
def test_a_rule_is_taken_apart(text: str, rule: Rule) -> None:
    assert parse(text) == rule


@pytest.mark.parametrize("text", ["", "  "])
def test_no_rule_at_all_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="empty"):
        parse(text)


def test_an_option_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="miles is given twice"):
        parse("short:miles=1,miles=2")


def test_a_rule_of_a_file_has_one_name_wherever_the_file_lies() -> None:
    assert parse("/home/me/rules.py:Short").label == parse("rules:Short").label == "rules:Short"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("miles=12", {"miles": 12.0}),
        ("zones=[1,2]", {"zones": (1, 2)}),
        ("since=2021-01-02", {"since": date(2021, 1, 2)}),
        ("title=12", {"title": "12"}),
        ("strict=yes", {"strict": True}),
        ("anything=[1]", {"anything": [1]}),
        ("anything=some text", {"anything": "some text"}),
    ],
)
def test_an_option_is_read_as_the_type_of_its_parameter(text: str, value: dict[str, Any]) -> None:
    read = values_of(parse(f"short:{text}"), Short)

    assert read == value
    assert [type(each) for each in read.values()] == [type(each) for each in value.values()]


def test_what_is_no_value_of_the_type_is_refused_with_the_reason() -> None:
    with pytest.raises(ConfigError, match=r"miles=far is not one: .*valid number"):
        values_of(parse("short:miles=far"), Short)


def test_an_unknown_option_is_told_with_a_guess() -> None:
    with pytest.raises(UnknownNameError, match="no option of the transformer 'short'") as error:
        values_of(parse("short:mile=1"), Short)
    assert "Did you mean 'miles'?" in error.value.hint
    assert "version" not in error.value.hint
