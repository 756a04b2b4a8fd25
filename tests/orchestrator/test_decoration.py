"""What cannot be a task or flow is refused where it is decorated."""

from __future__ import annotations

from typing import Any

import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    flow,
    task,
)


@pytest.mark.parametrize("decorate", [task, flow])
def test_an_async_function_is_neither(decorate: Any) -> None:
    async def fetch() -> int:
        return 1

    async def stream() -> Any:
        yield 1

    for function in (fetch, stream):
        with pytest.raises(ConfigError, match=r"is async; (task|flow)s are"):
            decorate(function)


def test_a_generator_is_no_flow() -> None:
    def numbers() -> Any:
        yield 1

    with pytest.raises(ConfigError, match="'numbers' is a generator; a flow"):
        flow(numbers)


@pytest.mark.parametrize("decorate", [task, flow])
def test_a_parameter_that_every_call_has_is_refused_at_decoration(decorate: Any) -> None:
    with pytest.raises(ConfigError, match="has a parameter 'wait_for'"):
        decorate(lambda wait_for: None)
