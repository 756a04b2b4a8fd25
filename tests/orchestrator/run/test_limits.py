"""Tags with limits, within one process; `test_limits_together.py` has several."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from runs_at_hand import Clock, heard, states

from taxietl.errors import Cancelled, ConfigError, TargetError
from taxietl.orchestrator import (
    Cache,
    Cancellation,
    Engine,
    Run,
    current_cancellation,
    flow,
    task,
)
from taxietl.orchestrator.query.standings import TagStanding, standings
from taxietl.orchestrator.store.tickets import Queue

LIMITS = {"tlc": 2, "warehouse": 1}


class Bench:
    """An engine with limits, on which flows run in threads; tells when a task begins to wait."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self.home = home
        self.engine = Engine(home, clock=clock, sleep=clock.sleep, limits=LIMITS)
        self._threads = ThreadPoolExecutor(20)
        self.waiting = threading.Semaphore(0)
        """Released whenever a task begins to wait."""

    def start(self, body: Callable[[], object]) -> Callable[[], Run[object]]:
        """Run a flow of one body; gives a function that awaits its end."""
        return self._threads.submit(self.engine.run, flow(body)).result

    def await_waiter(self) -> None:
        assert self.waiting.acquire(timeout=10)

    def standing(self, tag: str) -> TagStanding:
        return next(each for each in standings(self.home, LIMITS) if each.tag == tag)

    def close(self) -> None:
        self._threads.shutdown()
        self.engine.close()


class Gate:
    """A task that says when it is in, and stays there until it is let out."""

    def __init__(self, *tags: str) -> None:
        self.is_in, self._out = threading.Event(), threading.Event()

        @task(tags=tags)
        def stay() -> None:
            self.is_in.set()
            assert self._out.wait(10)

        self.task = stay

    def await_in(self) -> None:
        assert self.is_in.wait(10)

    def open(self) -> None:
        self._out.set()


@pytest.fixture
def bench(home: Path, clock: Clock) -> Iterator[Bench]:
    bench = Bench(home, clock)
    with heard("Waiting for a slot", bench.waiting.release):
        yield bench
        bench.close()


@pytest.fixture
def gate() -> Iterator[Callable[..., Gate]]:
    """Makes gates that are open at the test's end, however it ends."""
    with ExitStack() as stack:

        def make(*tags: str) -> Gate:
            made = Gate(*tags)
            stack.callback(made.open)
            return made

        yield make


def test_at_most_so_many_are_under_way_and_all_have_their_turn(bench: Bench) -> None:
    inside, most, lock = 0, 0, threading.Lock()
    both_are = threading.Event()

    @task(tags={"tlc", "other"})
    def count() -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
            if inside == 2:
                both_are.set()
        assert both_are.wait(10)
        time.sleep(0.005)
        with lock:
            inside -= 1

    ends = [bench.start(count) for _ in range(12)]

    assert {end().state.name for end in ends} == {"Completed"}
    assert most == 2
    assert bench.standing("tlc").holders == []


def test_a_task_that_waits_says_for_what_and_goes_on_at_once(
    bench: Bench, gate: Callable[..., Gate]
) -> None:
    holder = gate("warehouse")
    first = bench.start(holder.task)
    holder.await_in()

    @task(tags={"warehouse"})
    def load() -> float:
        return time.monotonic()

    second = bench.start(load)
    bench.await_waiter()
    (held,), (waiting,) = (
        bench.standing("warehouse").holders,
        bench.standing("warehouse").waiters,
    )
    opened_at = time.monotonic()
    holder.open()
    run = second()

    (record,) = bench.engine.history.task_runs(run.id)
    message = f"Waiting for a slot of 'warehouse' (1 of 1 held by stay-0 of {first().name})."
    assert (held.run_name, waiting.run_name) == (first().name, run.name)
    assert states(bench.engine, run.id, "load-0") == ["Pending", "Pending", "Running", "Completed"]
    found = bench.engine.history.states(run.id, record.id)
    assert [each.state.message for each in found] == ["", message, "", ""]
    assert message in [each.message for each in bench.engine.history.logs(run.id)]
    # It takes under a millisecond; a machine that stalls takes its time, too.
    assert isinstance(value := run.result(), float)
    assert value - opened_at < 5


def test_who_wants_two_tags_waits_for_both_and_holds_up_no_other_tag(
    bench: Bench, gate: Callable[..., Gate]
) -> None:
    warehouse, both, tlc = gate("warehouse"), gate("tlc", "warehouse"), gate("tlc")
    bench.start(warehouse.task)
    warehouse.await_in()
    bench.start(both.task)
    bench.await_waiter()

    bench.start(tlc.task)
    tlc.await_in()  # of the two slots, one is kept

    third = gate("tlc")
    bench.start(third.task)
    bench.await_waiter()
    assert not both.is_in.is_set()
    warehouse.open()
    both.await_in()
    assert not third.is_in.is_set()
    tlc.open()
    third.await_in()


def test_no_slot_is_held_between_two_attempts(home: Path, clock: Clock) -> None:
    held: list[int] = []

    def look(seconds: float) -> None:
        held.append(len(standings(home, LIMITS)[1].holders))
        clock.sleep(seconds)

    calls: list[int] = []

    @task(tags={"warehouse"}, retries=2, retry_delay_seconds=10)
    def flaky() -> None:
        calls.append(len(standings(home, LIMITS)[1].holders))
        if len(calls) < 3:
            raise OSError("cut")

    with Engine(home, clock=clock, sleep=look, limits=LIMITS) as engine:
        assert engine.run(flow(flaky)).state.name == "Completed"

    assert (calls, held) == ([1, 1, 1], [0, 0])


def test_a_retry_waits_its_turn_like_the_first_attempt(
    bench: Bench, gate: Callable[..., Gate]
) -> None:
    holder = gate("warehouse")
    calls: list[int] = []

    @task(tags={"warehouse"}, retries=1)
    def flaky() -> None:
        calls.append(1)
        if len(calls) == 1:
            first = bench.start(holder.task)
            bench.await_waiter()
            ends.append(first)
            raise OSError("cut")

    ends: list[Callable[[], Run[object]]] = []
    second = bench.start(flaky)
    holder.await_in()
    bench.await_waiter()
    holder.open()

    run = second()
    assert states(bench.engine, run.id, "flaky-0") == [
        *("Pending", "Running", "AwaitingRetry", "AwaitingRetry", "Retrying", "Completed")
    ]
    ends[0]()


def test_a_task_that_fails_gives_its_slots_back(bench: Bench) -> None:
    @task(tags={"warehouse"})
    def broken() -> None:
        raise ValueError("no such month")

    for _ in range(3):
        assert bench.start(broken)().state.name == "Failed"
    assert bench.standing("warehouse").holders == []


def test_a_tag_with_limit_0_is_refused_at_once_but_for_a_cached_result(
    home: Path, clock: Clock
) -> None:
    @task(tags={"tlc"}, retries=3, retry_delay_seconds=10, cache=Cache())
    def fetch(month: int) -> int:
        return month

    @flow
    def both() -> None:
        fetch(1)
        fetch(2)

    with Engine(home, clock=clock) as engine:
        engine.run(flow(lambda: fetch(1)))
    began = clock.now
    with Engine(home, clock=clock, sleep=clock.sleep, limits={"tlc": 0}) as engine:
        run = engine.run(both)
        told = {
            each.name: states(engine, run.id, each.name)
            for each in engine.history.task_runs(run.id)
        }

    with pytest.raises(ConfigError, match=r"'fetch-1' is not run: its tag 'tlc' has the limit 0"):
        run.result()
    assert told == {"fetch-0": ["Pending", "Cached"], "fetch-1": ["Pending", "Failed"]}
    assert clock.now == began
    assert not (home / "limits.db").exists()


def test_a_task_inside_one_that_holds_slots_is_refused(bench: Bench) -> None:
    @task(tags={"tlc"})
    def inner() -> None: ...

    @task
    def free() -> int:
        return 1

    @flow
    def child() -> int:
        inner()
        return free()

    @task(tags={"warehouse"})
    def outer() -> int:
        return child()

    with pytest.raises(ConfigError, match=r"'inner-0' needs a slot of 'tlc', inside 'outer-0'"):
        bench.start(outer)().result()
    assert bench.start(child)().result() == 1  # and nothing of it is left in the thread


def test_tags_without_a_limit_cost_nothing(bench: Bench, home: Path) -> None:
    @task(tags={"other"})
    def free() -> None: ...

    @task
    def untagged() -> None: ...

    @flow
    def both() -> None:
        free()
        untagged()

    assert str(bench.engine.run(both).state) == "Completed('All states completed.')"
    assert not list(home.glob("limits*"))


def test_a_cancelled_run_does_not_wait_any_longer(bench: Bench, gate: Callable[..., Gate]) -> None:
    holder = gate("warehouse")
    bench.start(holder.task)
    holder.await_in()
    asked: list[Cancellation] = []

    @task(tags={"warehouse"})
    def load() -> None: ...

    def body() -> None:
        asked.append(current_cancellation())
        load()

    end = bench.start(body)
    bench.await_waiter()
    began = time.monotonic()
    asked[0].request("Stopped by SIGINT.")
    run = end()

    assert time.monotonic() - began < 5
    assert states(bench.engine, run.id, "load-0") == ["Pending", "Pending", "Cancelled"]
    with pytest.raises(Cancelled):
        run.result()
    assert bench.standing("warehouse").waiters == []


def test_slots_that_a_run_left_behind_end_with_it(bench: Bench, gate: Callable[..., Gate]) -> None:
    holder = gate("warehouse")

    @flow
    def leaves() -> None:
        # A thread that outlives its run, started with the run's context.
        import contextvars

        thread = threading.Thread(target=contextvars.copy_context().run, args=(holder.task,))
        thread.start()
        threads.append(thread)
        holder.await_in()

    threads: list[threading.Thread] = []
    bench.engine.run(leaves)
    assert Queue(bench.home).tickets() == []
    other = gate("warehouse")
    bench.start(other.task)
    other.await_in()

    holder.open()
    threads[0].join()


@pytest.mark.parametrize("limit", [-1, True, 1.5, "2"], ids=repr)
def test_a_limit_is_a_whole_number_from_0_on(home: Path, limit: int) -> None:
    with pytest.raises(ConfigError, match="The limit of the tag 'tlc'"):
        Engine(home, limits={"tlc": limit})


@pytest.mark.parametrize("is_folder", [True, False], ids=["cannot be opened", "is damaged"])
def test_a_queue_that_cannot_be_used_is_an_error_with_a_way_out(
    bench: Bench, home: Path, is_folder: bool
) -> None:
    @task(tags={"tlc"})
    def fetch() -> None: ...

    path = home / "limits.db"
    if is_folder:
        path.mkdir()
    else:
        path.write_text("this is not a database, but long enough to be one" * 100)

    run = bench.engine.run(flow(fetch))

    with pytest.raises((ConfigError, TargetError), match="queue of the limits") as error:
        run.result()
    assert (
        "--home DIR" in error.value.hint if is_folder else "Move the file away" in error.value.hint
    )
