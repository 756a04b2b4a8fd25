"""`[[alerts]]`: who is told of what; the address is a secret from the moment it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError

Write = Callable[[str], Path]
PLANTED = "hunter2-t0ken"
URL = f"json://root:{PLANTED}@h/{PLANTED}"


def test_each_table_is_one_address_with_its_name(write: Write, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"{URL}\n")
    found = load_settings(
        config=write(
            f'[[alerts]]\non = ["failed", "my-event", "failed"]\nurl = "{URL}"\n'
            '[[alerts]]\non = "crashed"\nurl = { file = "hook" }\n'
        )
    )

    assert [(each.name, each.on) for each in found.alerts] == [
        ("alerts.1", ("failed", "my-event")),
        ("alerts.2", ("crashed",)),
    ]
    assert [each.reveal() for each in found.alerts] == [URL, URL]
    assert [str(each.url) for each in found.alerts] == ["*" * 10, f"file:{tmp_path / 'hook'}"]
    assert PLANTED not in repr(found) + str(found.alerts) + str(found.alerts[0].model_dump())
    [warning] = found.warnings
    assert "alerts.1.url is a secret written out." in warning
    assert PLANTED not in warning


def test_variables_come_over_the_file_by_number(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAXIETL_ALERTS__1__ON", "failed, restated")
    monkeypatch.setenv("TAXIETL_ALERTS__2__ON", "crashed overdue")
    monkeypatch.setenv("TAXIETL_ALERTS__2__URL", URL)
    monkeypatch.setenv("TAXIETL_ALERTS__10__ON", "late")
    monkeypatch.setenv("TAXIETL_ALERTS__10__URL__ENV", "HOOK")

    found = load_settings(config=write('[[alerts]]\non = ["failed"]\nurl = { env = "A" }\n'))

    assert [(each.name, each.on, str(each.url)) for each in found.alerts] == [
        ("alerts.1", ("failed", "restated"), "env:A"),
        ("alerts.2", ("crashed", "overdue"), "*" * 10),
        ("alerts.10", ("late",), "env:HOOK"),
    ]
    assert found.warnings == ()


def test_an_address_that_is_not_there_is_an_error_with_its_place(write: Write) -> None:
    [alert] = load_settings(
        config=write('[[alerts]]\non = ["failed"]\nurl = { env = "NO_HOOK" }\n')
    ).alerts

    with pytest.raises(ConfigError, match=r"alerts\.1\.url: .* NO_HOOK is not set"):
        alert.reveal()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'on = ["failed"]\nurls = "{URL}"\n', "alerts.1.urls: unknown key. Did you mean 'url'?"),
        (f'url = "{URL}"\n', "alerts.1.on: is missing"),
        ('on = ["failed"]\n', "alerts.1.url: is missing"),
        (f'on = []\nurl = "{URL}"\n', "alerts.1.on: must be a list of events, such as"),
        (f'on = [1]\nurl = "{URL}"\n', "alerts.1.on: must be names of events"),
        (f'on = ["{URL}"]\nurl = "{URL}"\n', "alerts.1.on: must be names of events"),
        (f'on = "failed"\nurl = "{PLANTED}"\n', "alerts.1.url: must be an address of Apprise's"),
        ('on = "failed"\nurl = { envy = "A" }\n', "alerts.1.url: unknown key 'envy' in a secret"),
    ],
)
def test_what_is_wrong_is_told_without_the_address(write: Write, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(f"[[alerts]]\n{text}"))

    assert said in caught.value.message
    assert PLANTED not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[alerts]\nurl = 1\n", "alerts: must be a list of tables: [[alerts]]"),
        ("alerts = [1]\n", "alerts.1: must be a table: [[alerts]]"),
    ],
)
def test_another_shape_is_refused(write: Write, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(text))

    assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TAXIETL_ALERTS__HOOK__URL", "must be a number: TAXIETL_ALERTS__1__URL"),
        ("TAXIETL_ALERTS__1", "must go on to a single value"),
    ],
)
def test_a_variable_without_a_number_or_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv(name, URL)

    with pytest.raises(ConfigError) as caught:
        load_settings()

    assert said in caught.value.message
    assert PLANTED not in caught.value.message
