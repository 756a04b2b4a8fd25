"""Who holds and who awaits the slots of limited tags, in all processes that share a home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taxietl.orchestrator.store.liveness import is_alive
from taxietl.orchestrator.store.tickets import LAYOUT, Queue, Ticket


@dataclass(frozen=True)
class TagStanding:
    """How things are with one tag."""

    tag: str
    limit: int | None
    """None: unlimited here, but limited for the processes whose tickets these are."""
    holders: list[Ticket]
    waiters: list[Ticket]
    """In the order in which they will have their turns."""


def standings(home: Path, limits: Mapping[str, int]) -> list[TagStanding]:
    """Who holds and who awaits slots of which tag; the dead are left out."""
    tickets: list[Ticket] = []
    if (home / LAYOUT.file_name).exists():
        queue = Queue(home)
        tickets = queue.tickets()
        queue.close()
    alive = {root_id for root_id in {each.root_id for each in tickets} if is_alive(home, root_id)}
    tickets = [each for each in tickets if each.root_id in alive]
    found = []
    for tag in sorted({*limits, *(tag for each in tickets for tag in each.tags)}):
        wanting = [each for each in tickets if tag in each.tags]
        holders = [each for each in wanting if each.granted_at]
        waiters = [each for each in wanting if not each.granted_at]
        found.append(TagStanding(tag, limits.get(tag), holders, waiters))
    return found
