"""Whose turn it is, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxietl.orchestrator.store.liveness import hold
from taxietl.orchestrator.store.tickets import Queue, Taken, Ticket, fully_taken

NOW = datetime(2021, 1, 2, tzinfo=UTC)
LIMITS = {"a": 1, "b": 2, "c": 1}


def ticket(tags: str, id_: int = 0, *, holds: bool = False, root_id: str = "root") -> Ticket:
    return Ticket(
        tags=frozenset(tags),
        root_id=root_id,
        run_id=root_id,
        run_name="keen-fox",
        task_run_name=f"load-{id_}",
        host="here",
        pid=1,
        since=NOW,
        granted_at=NOW if holds else None,
        id=id_,
    )


@pytest.mark.parametrize(
    ("others", "mine", "waits_for"),
    [
        pytest.param([], "a", "", id="nobody else"),
        pytest.param([("a", True)], "a", "a", id="held"),
        pytest.param([("b", True)], "b", "", id="one slot left"),
        pytest.param([("b", True), ("b", False)], "b", "b", id="the last slot is kept for another"),
        pytest.param([("a", True)], "c", "", id="other tags"),
        pytest.param([("a", True)], "ab", "a", id="all or none"),
        pytest.param([("a", True), ("ac", False)], "c", "c", id="who wants both is not overtaken"),
        pytest.param([("a", True), ("ab", False)], "b", "", id="nor does it take what is enough"),
        pytest.param([("a", True), ("c", True)], "abc", "ac", id="several"),
    ],
)
def test_a_slot_is_kept_for_everybody_who_came_before(
    others: list[tuple[str, bool]], mine: str, waits_for: str
) -> None:
    tickets = [ticket(tags, n, holds=holds) for n, (tags, holds) in enumerate(others, 1)]
    last = ticket(mine, 9)

    for seen in ([*tickets, last], [*tickets, last, ticket("abc", 10)]):
        assert "".join(each.tag for each in fully_taken(seen, last, LIMITS)) == waits_for


def test_what_a_ticket_waits_for_names_who_has_it() -> None:
    holders = [ticket("b", number, holds=True) for number in (1, 2, 3, 4, 5)]

    few = Taken("b", 2, holders[:2], [ticket("b", 6)])
    many = Taken("b", 5, holders, [])
    none = Taken("b", 1, [], [ticket("b", 6), ticket("b", 7)])

    assert (
        str(few) == "'b' (2 of 2 held by load-1 of keen-fox, load-2 of keen-fox; 1 waiting before"
        " it)"
    )
    assert str(many).endswith("load-3 of keen-fox, 2 more)")
    assert str(none) == "'b' (0 of 1 held; 2 waiting before it)"


def test_tickets_are_read_as_they_were_written(home: Path) -> None:
    queue = Queue(home)

    first, nothing = queue.join(ticket("a"), LIMITS)
    second, taken = queue.join(ticket("ab"), LIMITS)

    assert nothing == []
    assert [each.tag for each in taken] == ["a"]
    assert queue.tickets() == [replace(first, granted_at=NOW), second]
    queue.leave(first)
    assert queue.ask(second, LIMITS, NOW) == []
    assert queue.tickets() == [replace(second, granted_at=NOW)]
    queue.close()


def test_the_tickets_of_runs_without_a_lock_are_removed(home: Path) -> None:
    queue = Queue(home)
    lock = hold(home, "alive")
    for root_id in ("dead", "alive", "me"):
        queue.join(ticket("a", root_id=root_id), LIMITS)

    assert queue.remove_dead(but="me")

    assert [each.root_id for each in queue.tickets()] == ["alive", "me"]
    assert not queue.remove_dead(but="me")
    lock.release()
    queue.close()


def test_a_queue_emptied_by_somebody_lets_the_waiting_in(home: Path) -> None:
    queue = Queue(home)
    first, _ = queue.join(ticket("a"), LIMITS)
    second, _ = queue.join(ticket("a"), LIMITS)

    queue.remove_run("root")

    assert queue.ask(second, LIMITS, NOW) == []
    assert [each.id for each in queue.tickets()] == [second.id]
    assert first.id < second.id
    queue.close()
