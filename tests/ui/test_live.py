"""Whoever has a page open is told of each change since that page was made, and of no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from taxietl.orchestrator import Engine, flow
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.live import REST_SECONDS, Watcher


@flow(run_name="quick")
def quick() -> None:
    pass


async def told(changes: AsyncIterator[int], *, within: float) -> bool:
    """Whether a change is told within so many seconds."""
    try:
        await asyncio.wait_for(anext(changes), within)
    except TimeoutError:
        return False
    return True


def test_a_change_is_told_within_a_second(engine: Engine, dashboard: Dashboard) -> None:
    async def watch() -> None:
        async with aclosing(Watcher(dashboard).changes(dashboard.stamp())) as changes:
            waiting = asyncio.create_task(told(changes, within=5))
            await asyncio.sleep(0.3)
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(engine.run, quick)
            assert await waiting
            assert asyncio.get_running_loop().time() - began < 1

    asyncio.run(watch())


def test_what_happened_before_the_page_listened_is_told_at_once(
    engine: Engine, dashboard: Dashboard
) -> None:
    stamp = dashboard.stamp()
    engine.run(quick)

    async def watch() -> None:
        async with aclosing(Watcher(dashboard).changes(stamp)) as changes:
            assert await told(changes, within=5)

    asyncio.run(watch())


def test_where_nothing_changes_nothing_is_told(engine: Engine, dashboard: Dashboard) -> None:
    engine.run(quick)

    async def watch() -> None:
        async with aclosing(Watcher(dashboard).changes(dashboard.stamp())) as changes:
            assert not await told(changes, within=0.6)

    asyncio.run(watch())


def test_many_changes_are_told_once_in_a_while(engine: Engine, dashboard: Dashboard) -> None:
    async def watch() -> int:
        count = 0
        async with aclosing(Watcher(dashboard).changes("")) as changes:
            end = asyncio.get_running_loop().time() + 1.0
            running = asyncio.create_task(asyncio.to_thread(run_some))
            while (left := end - asyncio.get_running_loop().time()) > 0:
                if not await told(changes, within=left):
                    break
                count += 1
            await running
        return count

    def run_some() -> None:
        for _ in range(30):
            engine.run(quick)

    assert 1 <= asyncio.run(watch()) <= 1 + 1.0 / REST_SECONDS


def test_nobody_looks_while_no_page_is_open(dashboard: Dashboard) -> None:
    async def watch() -> None:
        watcher = Watcher(dashboard)
        async with aclosing(watcher.changes("")) as changes:
            assert await told(changes, within=5)
            assert watcher.is_looking
        assert not watcher.is_looking

    asyncio.run(watch())


@pytest.mark.parametrize("stamp", ["", "x", "9" * 500])
def test_a_stamp_that_means_nothing_is_another(dashboard: Dashboard, stamp: str) -> None:
    async def watch() -> None:
        async with aclosing(Watcher(dashboard).changes(stamp)) as changes:
            assert await told(changes, within=5)

    asyncio.run(watch())


def test_a_run_that_was_killed_is_told_of_though_it_wrote_nothing(
    engine: Engine, dashboard: Dashboard
) -> None:
    engine.run(quick)
    with engine.history.database.transaction() as connection:
        connection.execute(
            "UPDATE runs SET state = 'Running', state_type = 'RUNNING', ended_at = NULL"
        )

    async def watch() -> None:
        async with aclosing(Watcher(dashboard).changes(dashboard.stamp())) as changes:
            assert await told(changes, within=5)

    asyncio.run(watch())
    assert engine.history.run("quick").state.name == "Crashed"
