from __future__ import annotations

import threading
from collections.abc import Callable

from threads import new_threads

from taxietl.orchestrator import Cancellation
from taxietl.orchestrator.run.pool import Pool

SOON = 10


def test_no_thread_is_started_without_work() -> None:
    begun = new_threads()
    pool = Pool(8, Cancellation())

    assert begun() == []
    with pool.aside():  # not one of its threads: nothing to give away
        pool.close()


def test_one_worker_does_all_in_order_in_one_thread() -> None:
    pool, done, threads = Pool(1, Cancellation()), [], set()

    def job(number: int) -> Callable[[], None]:
        def do() -> None:
            done.append(number)
            threads.add(threading.get_ident())

        return do

    last = threading.Event()
    for number in range(200):
        pool.put(job(number), depth=0)
    pool.put(last.set, depth=0)
    assert last.wait(SOON)
    pool.close()

    assert done == list(range(200))
    assert len(threads) == 1


def test_the_most_deeply_nested_goes_first() -> None:
    pool, done = Pool(1, Cancellation()), []
    begun, begin, last = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert begin.wait(SOON)

    pool.put(first, depth=0)
    assert begun.wait(SOON)
    for depth in (0, 2, 1, 2):
        pool.put(lambda depth=depth: done.append(depth), depth=depth)  # type: ignore[misc]
    pool.put(last.set, depth=0)
    begin.set()
    assert last.wait(SOON)
    pool.close()

    assert done == [2, 2, 1, 0]


def test_one_that_steps_aside_lets_another_work_and_then_goes_first() -> None:
    pool, order = Pool(1, Cancellation()), []
    inner, last = threading.Event(), threading.Event()

    def outer() -> None:
        pool.put(lambda: (order.append("inner"), inner.set())[1], depth=1)
        with pool.aside():
            assert inner.wait(SOON)
            with pool.aside():  # it has nothing to give away any more
                pass
        order.append("outer")

    pool.put(outer, depth=0)
    for number in range(3):
        pool.put(lambda number=number: order.append(str(number)), depth=0)  # type: ignore[misc]
    pool.put(last.set, depth=0)
    assert last.wait(SOON)
    pool.close()

    assert order[0] == "inner"
    assert sorted(order) == ["0", "1", "2", "inner", "outer"]
