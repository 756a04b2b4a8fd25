"""Flows that do what the orchestrator can do, one thing each, in an order that is always the same.

Where threads take part, each waits until the others have come to where only one can go on.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from golden_world import World, called, events, note, shown, until

from taxietl import Cache, Retry, Stream, flow, get_run_logger, task
from taxietl.errors import Cancelled
from taxietl.orchestrator import Run, TaskRun, current_cancellation

# One task after the other.


@task
def double(number: int) -> int:
    called("double", number=number)
    return 2 * number


@flow(run_name="plain")
def plain(number: int) -> int:
    return double(number) + double(1)


@flow
def unnamed(password: str) -> str:
    return f"{double(len(password))} letters"


@flow(run_name="returning")
def returning(futures: bool) -> Any:
    states = [double(1, return_state=True), broken(2, return_state=True)]
    return states if futures else None


@task(retry=Retry(on=OSError, attempts=3, delay=10, jitter=0.5))
def flaky(number: int) -> int:
    if called("flaky", number=number) < 3:
        raise OSError("cut")
    return number


@flow(run_name="retried")
def retried() -> int:
    return double(4) + flaky(5)


@task(retries=1)
def broken(number: int) -> None:
    called("broken", number=number)
    raise ValueError(f"no number {number}")


@flow(run_name="failing")
def failing() -> None:
    double(1)
    broken(2)


@flow(run_name="raising")
def raising() -> None:
    double(1)
    raise LookupError("the flow's own")


@flow(run_name="swallowing")
def swallowing() -> None:
    double(1)
    broken(2, return_state=True)


@task
def said(number: int) -> int:
    called("said", number=number)
    print("rows:", number)
    get_run_logger().warning("%s of them look odd", number)
    logging.getLogger("elsewhere").info("of another library")
    try:
        {}["caught"]
    except KeyError:
        logging.getLogger("elsewhere").exception("it went wrong")
    return number


@flow(run_name="printed", log_prints=True)
def printed() -> int:
    print("first", "line", sep=" of\n")
    return said(3)


@task(persist_result=False)
def asked(number: int) -> int:
    called("asked", number=number)
    return number


@task
def unstorable(number: int) -> object:
    called("unstorable", number=number)
    return object()


@flow(run_name="unstored")
def unstored() -> int:
    unstorable(1)
    return asked(2) + double(3)


# The cache.


@task(cache=Cache(expires=timedelta(days=1)), version="1")
def fetch(month: int, folder: Path) -> Path:
    called("fetch", month=month)
    path = folder / f"{month}.txt"
    path.write_text("trips\n" * month)
    return path


@flow(run_name="cached")
def cached(folder: Path) -> int:
    return sum(len(fetch(month, folder).read_text()) for month in (1, 2, 1))


@task(cache=Cache(), version="1")
def slow(number: int) -> int:
    called("slow", number=number)
    events["begun"].set()
    until(lambda: shown("Waiting for the same result"))
    return number


@flow(run_name="made-once")
def made_once() -> int:
    first = slow.submit(7)
    until(events["begun"].is_set)
    second = slow.submit(7)
    return first.result() + second.result()


# Streams.


@task
def numbers(count: int) -> Generator[int, None, dict[str, int]]:
    called("numbers", count=count)
    yield from range(1, count + 1)
    return {"given": count}


@task
def add(stream: Stream[int, dict[str, int]]) -> int:
    called("add")
    return sum(stream) + stream.result["given"]


@task
def first_of(stream: Iterable[int]) -> int:
    called("first_of")
    return next(iter(stream))


@task(retry=Retry(on=OSError, attempts=2, delay=5))
def add_again(stream: Iterable[int]) -> int:
    if called("add_again") == 1:
        raise OSError(f"cut after {next(iter(stream))}")
    return sum(stream)


@task
def cut(count: int) -> Generator[int, None, None]:
    called("cut", count=count)
    yield count
    raise OSError("the stream is cut")


@flow(run_name="streamed")
def streamed() -> int:
    numbers(9)  # which nobody pulls
    return double(2) + add(numbers(3))


@flow(run_name="closed-early")
def closed_early() -> int:
    return first_of(numbers(5)) + double(1)


@flow(run_name="read-again")
def read_again() -> int:
    return double(2) + add_again(numbers(3))


@flow(run_name="cut-stream")
def cut_stream() -> int:
    return add(cut(1))


# Processes of their own.


@task(isolate=True)
def apart(number: int) -> int:
    called("apart", number=number)
    get_run_logger().info("in a process of its own")
    return number + 1


@task(isolate=True)
def dying(number: int) -> int:
    called("dying", number=number)
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@flow(run_name="isolated")
def isolated() -> int:
    return double(apart(1))


@flow(run_name="died")
def died() -> int:
    return dying(double(1))


# Flows in flows.


@flow(run_name="child-{number}")
def child(number: int) -> int:
    return double(number)


@task
def calling(number: int) -> int:
    called("calling", number=number)
    return child(number) + 1


@flow(run_name="parent")
def parent() -> int:
    return child(1) + child.submit(2).result() + calling(3)


@flow(run_name="failing-child")
def failing_child() -> int:
    return double(5) + flaky_once(6)


@task
def flaky_once(number: int) -> int:
    if called("flaky_once", number=number) < 2:
        raise OSError("cut")
    return number


@flow(run_name="tried-again", retry=Retry(on=OSError, attempts=3, delay=10))
def tried_again() -> int:
    return double(double.submit(3).result()) + failing_child() + flaky_once(7)


# Submitted calls.


@task
def gate() -> str:
    """Occupies the only worker until the flow has submitted all else."""
    called("gate")
    events["begun"].set()
    events["submitted"].wait(20)
    return "open"


@task
def total(counts: list[int], extra: int = 0) -> int:
    called("total", counts=counts, extra=extra)
    return sum(counts) + extra


@flow(run_name="submitted")
def submitted() -> int:
    opened = gate.submit()
    until(lambda: events["begun"].is_set() or opened.state.is_final())
    mapped = double.map([10, 20, 30], wait_for=[opened])
    added = total.submit(list(mapped), extra=1)
    events["submitted"].set()
    return added.result()


@flow(run_name="not-ready")
def not_ready() -> str:
    failed = broken.submit(1)
    failed.wait()
    states = [call.submit(given).wait() for call, given in ((double, failed), (child, failed))]
    states.append(double.submit(5).wait())
    return ", ".join(str(each.type) for each in states)


@task(tags={"one"})
def hold(number: int) -> int:
    called("hold", number=number)
    events["begun"].set()
    until(lambda: shown("Waiting for a slot") or events["held"].is_set())
    return number


@task(tags={"one"})
def want(number: int) -> int:
    called("want", number=number)
    return number


class _HoldWaiter(logging.Filter):
    """Keeps who waits for a slot from looking again until its holder has come to its end."""

    def filter(self, record: logging.LogRecord) -> bool:
        if "Waiting for a slot" in record.getMessage():
            events["held"].set()
            until(lambda: shown("'hold-0' - Finished"))
        return True


@flow(run_name="limited")
def limited() -> int:
    lines = logging.getLogger("taxietl.task_runs")
    holder = _HoldWaiter()
    lines.addFilter(holder)
    try:
        first = hold.submit(1)
        until(lambda: events["begun"].is_set() or first.state.is_final())
        second = want.submit(2)
        return first.result() + second.result()
    finally:
        lines.removeFilter(holder)


@flow(run_name="wanting")
def wanting() -> int:
    return want(9)


# Told to stop.


@task(timeout_seconds=0.3)
def hanging(number: int) -> None:
    called("hanging", number=number)
    current_cancellation().wait(20)


@flow(run_name="timed-out")
def timed_out() -> str:
    return f"{double(1)}, {hanging(2, return_state=True)}"


@task
def waiting(number: int) -> None:
    called("waiting", number=number)
    current_cancellation().wait(20)


@flow(run_name="flow-timed-out", timeout_seconds=1)
def flow_timed_out() -> None:
    waiting(1)


@task
def interrupted(number: int) -> None:
    called("interrupted", number=number)
    os.kill(os.getpid(), signal.SIGTERM)
    until(lambda: shown("Received SIGTERM"))
    current_cancellation().wait(20)


@flow(run_name="cancelled")
def cancelled() -> None:
    double(1)
    interrupted(2)


# Taken up again.


@task
def look(month: int) -> int:
    called("look", month=month)
    return month


@task
def count(month: int, folder: Path) -> int:
    times = called("count", month=month)
    if month == 2 and not (folder / "published").exists():
        raise FileNotFoundError(f"month {month} is not published")
    if month == 4 and times == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1000 * month


@flow(run_name="month-{month}")
def one_month(month: int, folder: Path) -> int:
    return look(month) + count(month, folder)


@flow(run_name="months")
def months(months: list[int], folder: Path) -> int:
    size = len(fetch(months[0], folder).read_text())
    return size + sum(one_month(month, folder) for month in months)


# Hooks.


def tell(ended: Run[Any] | TaskRun) -> None:
    if isinstance(ended, TaskRun):
        who = (
            f"{ended.task_name} of {ended.run_name} ({ended.flow_name}), {ended.attempts} attempts"
        )
    else:
        who = ended.flow_name
    note(f"hook: {ended.name} of {who}: {ended.state} {ended.error!r} {dict(ended.parameters)}")


def spoilt(ended: Run[Any] | TaskRun) -> None:
    note(f"hook that raises: {ended.name}")
    get_run_logger().info("a hook's own line")
    raise RuntimeError("the hook is broken")


ALL_HOOKS: dict[str, Any] = {
    "on_completion": [tell],
    "on_failure": [tell],
    "on_crash": [tell],
    "on_cancel": [tell],
}


@task(**ALL_HOOKS)
def ending(how: str) -> str:
    called("ending", how=how)
    match how:
        case "failed":
            raise ValueError(how)
        case "crashed":
            raise SystemExit(3)
        case "cancelled":
            raise Cancelled("I was asked to.")
    return how


@task(on_completion=[spoilt, tell], on_failure=[spoilt])
def spoiling(number: int) -> int:
    called("spoiling", number=number)
    return number


@flow(run_name="ending-{how}", **ALL_HOOKS)
def ending_flow(how: str) -> str:
    return ending(how)


@flow(run_name="hooked", on_completion=[spoilt, tell], on_failure=[tell])
def hooked() -> str:
    states = [ending(how, return_state=True) for how in ("completed", "failed")]
    return f"{spoiling(1)}, {', '.join(str(each.type) for each in states)}"


# How a scenario goes.


@dataclass(frozen=True)
class Scenario:
    """What is done, and which of it can be done again after a kill."""

    steps: Callable[[World], None]
    options: dict[str, Any] = field(default_factory=dict)
    before: Callable[[World], None] | None = None
    """Done by a process before, which may be killed; not traced."""
    kills: bool = True
    """It can be resumed at any moment, and comes to the same end."""


def _runs(flow: Any, *args: Any, **options: Any) -> Scenario:
    return Scenario(lambda world: world.run(flow, *args), options)


def _unnamed(world: World) -> None:
    world.run(unnamed, "hunter22")
    world.run(unnamed, "hunter22")
    world.run(plain, 3)
    world.run(plain, 3)
    world.run(plain, "three")


def _cached(world: World) -> None:
    world.run(cached, world.files)
    world.clock.sleep(60)
    world.run(cached, world.files)


def _again(world: World) -> None:
    (world.files / "1.txt").write_text("changed by somebody")
    world.run(cached, world.files)
    world.clock.sleep(86_401)
    world.run(cached, world.files)


def _resumed(world: World) -> None:
    world.run(months, [1, 2, 3], world.files)
    world.clock.sleep(60)
    world.repair()
    world.resume("months")


def _resumed_twice(world: World) -> None:
    world.run(months, [1, 2, 3], world.files)
    world.resume("months")
    world.repair()
    world.resume("months")
    world.resume("months")


def _endings(world: World) -> None:
    for how in ("completed", "failed", "crashed", "cancelled"):
        world.run(ending_flow, how)


def _returning(world: World) -> None:
    world.run(returning, True)
    world.run(returning, False)


SCENARIOS = {
    "plain": _runs(plain, 20),
    "names": Scenario(_unnamed, kills=False),
    "verdicts": Scenario(_returning, kills=False),
    "retried": _runs(retried),
    "failing": _runs(failing),
    "raising": _runs(raising),
    "swallowing": _runs(swallowing),
    "printed": _runs(printed),
    "unstored": _runs(unstored),
    "cached": Scenario(_cached),
    "cached-again": Scenario(
        _again, before=lambda world: world.run(cached, world.files), kills=False
    ),
    "made-once": Scenario(lambda world: world.run(made_once), {"workers": 2}, kills=False),
    "streamed": _runs(streamed),
    "closed-early": _runs(closed_early),
    "read-again": _runs(read_again),
    "cut-stream": _runs(cut_stream),
    "isolated": _runs(isolated),
    "died": _runs(died),
    "subflows": _runs(parent),
    "tried-again": _runs(tried_again),
    "submitted": _runs(submitted),
    "not-ready": _runs(not_ready),
    "limited": _runs(limited, limits={"one": 1}, workers=2),
    "refused": _runs(wanting, limits={"one": 0}),
    "timed-out": _runs(timed_out),
    "flow-timed-out": Scenario(lambda world: world.run(flow_timed_out), kills=False),
    "cancelled": _runs(cancelled),
    "resumed": Scenario(_resumed),
    "resumed-twice": Scenario(_resumed_twice, kills=False),
    "resumed-after-a-kill": Scenario(
        lambda world: world.resume("months"),
        before=lambda world: world.run(months, [3, 4, 5], world.files),
        kills=False,
    ),
    "hooked": _runs(hooked),
    "endings": Scenario(_endings, kills=False),
}
