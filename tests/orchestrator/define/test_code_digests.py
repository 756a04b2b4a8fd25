"""A function's digest changes with what the function does, and with nothing else."""

from __future__ import annotations

import functools
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from taxietl.orchestrator import task
from taxietl.orchestrator.define.code_digests import code_version

BASE = '''
def fetch(month, rate=1):
    """Fetch it."""
    def half(n):
        return n / 2
    if month in {"a", "b", "c"}:
        return [half(each) for each in (1, 2)]
    return half(month) * 10
'''


def digest(source: str) -> str:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return code_version(namespace["fetch"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("* 10", "* 11", id="a constant"),
        pytest.param("* 10", "+ 10", id="an operator"),
        pytest.param("n / 2", "n / 3", id="a nested function"),
        pytest.param('"c"', '"d"', id="a set"),
        pytest.param("(1, 2)", "(1, 2.0)", id="a type of a constant"),
        pytest.param("half(month)", "round(month)", id="a name"),
        pytest.param("month, rate=1", "month, *, rate=1", id="the signature"),
    ],
)
def test_another_body_has_another_digest(old: str, new: str) -> None:
    assert digest(BASE.replace(old, new)) != digest(BASE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("\ndef", "\n# why\n\n\ndef", id="its place in the file"),
        pytest.param("    return half", "    # twice\n    return half", id="a comment"),
        pytest.param("month in {", "month in  {", id="spaces"),
        pytest.param("Fetch it.", "Fetch all of it.", id="the docstring"),
        pytest.param("rate=1", "rate=2", id="a default, which is among the arguments"),
    ],
)
def test_what_does_not_matter_has_the_same_digest(old: str, new: str) -> None:
    assert digest(BASE.replace(old, new)) == digest(BASE)


def test_another_process_makes_the_same_digest() -> None:
    code = (
        "from taxietl.orchestrator.define.code_digests import code_version\n"
        f"namespace = {{}}\nexec({BASE!r}, namespace)\nprint(code_version(namespace['fetch']))"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert there.stdout.strip() == digest(BASE)


@dataclass(frozen=True)
class Rate:
    percent: int


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        pytest.param(1, 2, False, id="number"),
        pytest.param(1, 1, True, id="same number"),
        pytest.param(1, True, False, id="type"),
        pytest.param(("a", Rate(1)), ("a", Rate(2)), False, id="frozen dataclass"),
        pytest.param([1], [2], True, id="what can be changed"),
        pytest.param(lambda: 1, lambda: 2, False, id="function"),
        pytest.param(lambda: 1, lambda: 1, True, id="same function"),
        pytest.param(task(lambda: 1), task(lambda: 2), False, id="task"),
        pytest.param(functools.partial(pow, 1), functools.partial(pow, 2), True, id="object"),
    ],
)
def test_what_is_captured_counts_if_it_cannot_be_changed(
    one: Any, other: Any, is_same: bool
) -> None:
    def make(captured: Any) -> Any:
        return lambda n: (n, captured)

    assert (code_version(make(one)) == code_version(make(other))) is is_same


def test_a_decorated_function_counts_with_its_decorator() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any) -> Any:
            return function(*args)

        return wrapper

    cached = functools.lru_cache

    for decorate in (logged, cached):
        one, other = decorate(lambda n: n + 1), decorate(lambda n: n + 2)
        assert code_version(one) != code_version(other)
        assert code_version(one) == code_version(decorate(lambda n: n + 1))


class Adder:
    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, n: int) -> int:
        return n + self.step

    def twice(self, n: int) -> int:
        return n + 2 * self.step


def test_other_callables_have_a_digest_too() -> None:
    def again(n: int) -> int:
        return again(n - 1) if n else 0

    each = [
        functools.partial(Adder, 1),
        functools.partial(Adder, 2),
        Adder(1),
        Adder(1).twice,
        len,
        sum,
        again,
    ]

    assert len({code_version(function) for function in each}) == len(each)


def test_a_captured_value_that_changes_is_looked_at_for_each_call() -> None:
    step = 1

    @task
    def add(n: int) -> int:
        return n + step

    before = add.spec.version
    step = 2

    assert add.spec.version != before
    assert task(version="1")(add.function).spec.version == "1"
