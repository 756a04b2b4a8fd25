"""`allow_failure`: a call is made though what it is given has failed, and gets the error."""

from __future__ import annotations

from typing import Any

import pytest
from runs_at_hand import broken, double

from taxietl.orchestrator import Engine, allow_failure, flow, task, unmapped


@task
def see(value: Any, besides: Any = None) -> str:
    return f"{value!r} {besides!r}" if besides is not None else repr(value)


@pytest.mark.parametrize("how", ["called", "submitted"])
def test_the_error_takes_the_place_of_the_value(how: str, engine: Engine) -> None:
    @flow
    def work() -> list[str]:
        good, bad = double.submit(1), broken.submit("no")
        given = [allow_failure(bad), [allow_failure({"a": good, "b": bad})], allow_failure(3)]
        if how == "called":
            return [see(each) for each in given]
        return [see.submit(each).result() for each in given]

    assert engine.run(work).result() == [
        "ValueError('no')",
        "[{'a': 2, 'b': ValueError('no')}]",
        "3",
    ]


def test_what_is_to_be_waited_for_may_have_failed(engine: Engine) -> None:
    @flow
    def work() -> list[str]:
        bad = broken.submit("no")
        tolerant = see.submit(1, wait_for=[allow_failure(bad)])
        strict = see.submit(2, wait_for=[bad])
        both = see.submit(allow_failure(bad), bad)
        return [str(each.wait().name) for each in (tolerant, strict, both)]

    assert engine.run(work).result() == ["Completed", "NotReady", "NotReady"]


def test_map_tolerates_one_by_one(engine: Engine) -> None:
    @flow
    def work() -> list[str]:
        futures = [double.submit(1), broken.submit("no")]
        all_at_once = unmapped(allow_failure(futures))
        return [*see.map(allow_failure(futures)).result(), *see.map([1], all_at_once).result()]

    assert engine.run(work).result() == ["2", "ValueError('no')", "1 [2, ValueError('no')]"]


def test_a_child_run_gets_the_error(engine: Engine) -> None:
    @flow
    def child(value: Any) -> str:
        return repr(value)

    @flow
    def parent() -> list[str]:
        return [child(allow_failure(broken.submit("no"))), child(allow_failure(1))]

    assert engine.run(parent).result() == ["ValueError('no')", "1"]


def test_outside_any_flow_it_is_what_it_holds() -> None:
    assert see(allow_failure(3)) == "3"
