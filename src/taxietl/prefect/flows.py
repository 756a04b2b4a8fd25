"""`prefect.flows`: `@flow`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, overload

from taxietl import Future
from taxietl.orchestrator import Flow as CoreFlow
from taxietl.prefect.deployments import no_deployment
from taxietl.prefect.options import flow_options

P = ParamSpec("P")
R = TypeVar("R")


class Flow(CoreFlow[P, R]):
    """What `@flow` gives."""

    def __init__(self, fn: Callable[..., Any], **options: Any) -> None:
        super().__init__(fn, flow_options(options, lambda: self))  # type: ignore[arg-type]
        self._theirs = options

    @property
    def fn(self) -> Callable[..., Any]:
        """The plain function."""
        return self.function

    def with_options(self, **options: Any) -> Flow[P, R]:
        """The same flow with other values for some of its options."""
        return Flow(self.function, **{**self._theirs, **options})

    def serve(self, name: str | None = None, **options: Any) -> None:
        """Refused: see `deployments.py`."""
        raise no_deployment(f"{self.name}.serve()", self, name, options)

    def deploy(self, name: str | None = None, **options: Any) -> None:
        """Refused: see `deployments.py`."""
        raise no_deployment(f"{self.name}.deploy()", self, name, options)

    def to_deployment(self, name: str | None = None, **options: Any) -> None:
        """Refused: see `deployments.py`."""
        raise no_deployment(f"{self.name}.to_deployment()", self, name, options)


@overload
def flow(fn: Callable[P, Future[R]], /) -> Flow[P, R]: ...
@overload
def flow(fn: Callable[P, list[Future[R]]], /) -> Flow[P, list[R]]: ...
@overload
def flow(fn: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(**options: Any) -> Callable[[Callable[P, R]], Flow[P, R]]: ...
def flow(fn: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a flow, by Prefect's options: see `options.py`.

    Raises:
        ConfigError: at decoration, when an option cannot be; names ours.
    """
    flow_options(options, lambda: None)

    def decorate(fn: Callable[..., Any]) -> Flow[..., Any]:
        return Flow(fn, **options)

    return decorate if fn is None else decorate(fn)
