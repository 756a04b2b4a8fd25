"""Transactions: their time, and the names that runs get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxietl.orchestrator import History, State, StateName
from taxietl.orchestrator.store.rows import RunRow
from taxietl.orchestrator.store.transaction import transaction

AT = datetime(2021, 1, 1, tzinfo=UTC)


@pytest.fixture
def names(home: Path) -> Iterator[Callable[..., str]]:
    """Inserts a run that would like one of some names; gives the name it got."""
    history = History(home)

    def add(*wanted: str) -> str:
        with history.transaction(AT) as change:
            name, base = change.claim_name(wanted)
            row = RunRow(
                id=name, name=name, base=base, flow="flow", root_id=name, parameters_json="{}",
                state=State(StateName.PENDING, "", AT), created_at=AT, host="host", pid=1,
                process_start=None, version="0",
            )  # fmt: skip
            change.add(row)
        return name

    yield add
    history.close()


def test_the_first_free_name_is_taken(names: Callable[..., str]) -> None:
    assert [names("a-cat", "a-dog") for _ in range(2)] == ["a-cat", "a-dog"]


def test_when_all_are_taken_the_last_gets_the_next_number(names: Callable[..., str]) -> None:
    found = [names("green-2021-01") for _ in range(11)]

    assert found[:3] == ["green-2021-01", "green-2021-01-2", "green-2021-01-3"]
    assert found[-1] == "green-2021-01-11"


def test_names_that_only_look_alike_do_not_count(names: Callable[..., str]) -> None:
    for name in ("green", "green-x", "greenish-7", "green-x-9-lives"):
        names(name)

    assert names("green-x") == "green-x-2"


def test_the_time_is_taken_once_nobody_else_is_writing(home: Path) -> None:
    history, alone = History(home), []

    def clock() -> datetime:
        alone.append(history.database.connection().in_transaction)
        return AT

    with transaction(history.database, clock, show=lambda _: None) as change:
        assert change.at == AT
    history.close()

    assert alone == [True]
