from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxietl.orchestrator import History, State, StateName
from taxietl.orchestrator.store.beginnings import NewRun
from taxietl.orchestrator.store.names import two_words
from taxietl.orchestrator.store.writer import Writer

PENDING = State(StateName.PENDING, "", datetime(2021, 1, 1, tzinfo=UTC))


@pytest.fixture
def writer(home: Path) -> Iterator[Writer]:
    history = History(home)
    with history.writing() as writer:
        yield writer
    history.close()


def add(writer: Writer, *wanted: str) -> str:
    """Insert a run that would like one of those names; the name it got."""
    identity = random.randbytes(8).hex()
    new = NewRun(identity, "flow", identity, None, None, "{}", "host", 1, None, "0")
    return writer.run(new, wanted, PENDING)


def test_the_first_free_name_is_taken(writer: Writer) -> None:
    assert [add(writer, "a-cat", "a-dog") for _ in range(2)] == ["a-cat", "a-dog"]


def test_when_all_are_taken_the_last_gets_the_next_number(writer: Writer) -> None:
    names = [add(writer, "green-2021-01") for _ in range(11)]

    assert names[:3] == ["green-2021-01", "green-2021-01-2", "green-2021-01-3"]
    assert names[-1] == "green-2021-01-11"


def test_names_that_only_look_alike_do_not_count(writer: Writer) -> None:
    for name in ("green", "green-x", "greenish-7", "green-x-9-lives"):
        add(writer, name)

    assert add(writer, "green-x") == "green-x-2"


def test_the_same_randomness_gives_the_same_words() -> None:
    first, second = (list(two_words(random.Random(7))) for _ in range(2))

    assert first == second
    assert len(set(first)) == 3
