"""`@flow`: a function that is run as a whole, with parameters, a name and a history.

How a run goes is in `engine.py`; this module only knows what a flow is.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Protocol, TypeVar, overload

from taxietl.errors import ConfigError
from taxietl.masking import masked
from taxietl.orchestrator.define.annotations import return_annotation
from taxietl.orchestrator.define.code_digests import CodeVersion
from taxietl.orchestrator.define.context import current_run, scope
from taxietl.orchestrator.define.decoration import check_flow, check_function
from taxietl.orchestrator.define.futures import Future
from taxietl.orchestrator.define.hooks import Hook, Hooks
from taxietl.orchestrator.define.inputs import Inputs, taken
from taxietl.orchestrator.define.parameters import (
    Parameters,
    Replay,
    Validator,
)
from taxietl.orchestrator.define.submission import submitting_run
from taxietl.orchestrator.store.names import name_by
from taxietl.orchestrator.store.results import ResultCodec
from taxietl.orchestrator.store.states import FinalState

if TYPE_CHECKING:
    from taxietl.orchestrator.define.runs import Run

P = ParamSpec("P")
R = TypeVar("R")


class Flow(Generic[P, R]):
    """A function and what its runs are called."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        name: str,
        run_name: str | None,
        timeout_seconds: float | None = None,
        log_prints: bool | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name
        self._version = CodeVersion(function, None)
        self._run_name = run_name
        self.timeout_seconds, self.log_prints, self.hooks = timeout_seconds, log_prints, hooks

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    def __call__(
        self,
        *args: Any,
        return_state: Literal[True],
        wait_for: Iterable[object] = (),
        **kwargs: Any,
    ) -> FinalState[R]: ...
    @overload
    def __call__(self, *args: Any, wait_for: Iterable[object], **kwargs: Any) -> R: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it: in a flow or task as a subflow, else by the process's engine.

        Args:
            return_state: give the final state, a `FinalState`, and raise nothing.
            wait_for: futures to wait for first, besides those among the arguments.

        Raises:
            ConfigError: a parameter is wrong; nothing was started.
            BaseException: whatever made the run fail, as it was raised.
        """
        from taxietl.orchestrator.default import default_engine

        return_state, wait_for = taken(kwargs)
        current = scope.get()
        run = current_run()
        if current is None or run is None:
            ended: Run[R] = default_engine().run(self, *args, **kwargs)
        else:
            from taxietl.orchestrator.run.calls import call_flow

            ended = call_flow(self, current, Inputs(args, kwargs, wait_for))
            if run.cancellation.requested:
                return ended.result()
        return ended.final_state if return_state else ended.result()

    @overload
    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]: ...
    @overload
    def submit(
        self,
        *args: Any,
        return_state: Literal[True],
        wait_for: Iterable[object] = (),
        **kwargs: Any,
    ) -> FinalState[R]: ...
    @overload
    def submit(self, *args: Any, wait_for: Iterable[object] = (), **kwargs: Any) -> Future[R]: ...
    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Have it run as a subflow in another thread, once the futures among the arguments are
        there.

        Raises:
            ConfigError: a parameter is wrong, or called in a task or outside any flow.
        """
        return_state, wait_for = taken(kwargs)
        run = submitting_run(self.name, "submit")
        from taxietl.orchestrator.run.calls import submit_flow

        future = submit_flow(self, run, Inputs(args, kwargs, wait_for))
        return future.wait() if return_state else future

    def __repr__(self) -> str:
        return f"<Flow {self.name!r}>"

    @property
    def version(self) -> str:
        """A digest of its function's code."""
        return str(self._version)

    @functools.cached_property
    def validator(self) -> Validator:
        """What its parameters are held to."""
        return Validator(self.name, self.function)

    @functools.cached_property
    def codec(self) -> ResultCodec:
        """How its results are written."""
        return ResultCodec(return_annotation(self.function))

    def parameters(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Parameters:
        """The parameters of a call, checked and coerced; ConfigError if one is wrong."""
        return self.validator.validate(args, kwargs)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name as they are; ConfigError if they do not fit."""
        bound = self.validator.bind(args, kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def replay(self, parameters: Parameters) -> Replay:
        """The parameters as JSON from which `restored` makes them again."""
        return self.validator.replay(parameters)

    def restored(self, replay: str) -> Parameters:
        """The parameters of an earlier run; ConfigError if they do not fit any more."""
        return self.validator.restore(replay)

    def run_name(self, parameters: Parameters) -> str | None:
        """What a run with these parameters is called; None = two words at random."""
        if self._run_name is None:
            return None
        try:
            return name_by(self._run_name, parameters.by_name)
        except (KeyError, IndexError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"The flow {self.name!r} cannot name its run by {self._run_name!r}:"
                f" {type(error).__name__}: {error}.",
                hint=f"Its parameters: {', '.join(parameters.by_name) or 'none'}.",
            ) from error


class FlowDecorator(Protocol):
    """What `@flow(…)` gives: a decorator that knows that futures are returned as their values."""

    @overload
    def __call__(self, function: Callable[P, Future[R]], /) -> Flow[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, list[Future[R]]], /) -> Flow[P, list[R]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Flow[P, R]: ...


@overload
def flow(function: Callable[P, Future[R]], /) -> Flow[P, R]: ...
@overload
def flow(function: Callable[P, list[Future[R]]], /) -> Flow[P, list[R]]: ...
@overload
def flow(function: Callable[P, R], /) -> Flow[P, R]: ...
@overload
def flow(
    *,
    name: str | None = None,
    run_name: str | None = None,
    timeout_seconds: float | None = None,
    log_prints: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | None = None,
    on_crash: Sequence[Hook] | None = None,
    on_cancel: Sequence[Hook] | None = None,
) -> FlowDecorator: ...
def flow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    run_name: str | None = None,
    timeout_seconds: float | None = None,
    log_prints: bool | None = None,
    on_completion: Sequence[Hook] | None = None,
    on_failure: Sequence[Hook] | None = None,
    on_crash: Sequence[Hook] | None = None,
    on_cancel: Sequence[Hook] | None = None,
    **others: object,
) -> Any:
    """Make a function a flow: `@flow` or `@flow(name=…, run_name="{color}-{month}")`.

    Args:
        name: what it is called in the history; the function's name if left out.
        run_name: a `str.format` template over its parameters; left out, each run gets an
            adjective and an animal.
        timeout_seconds: a run that takes longer is stopped, as far as threads can be, with all
            its tasks, and ends as TimedOut.
        log_prints: log what it prints. Left out, a child run does as its parent.
        on_completion, on_failure, on_crash, on_cancel: lists of callables; those for the state
            in which a run ends are called with the `Run`.

    Raises:
        ConfigError: at decoration, when an option cannot be.
    """

    if others:
        from taxietl.orchestrator.define.foreign import refuse_options

        refuse_options("flow", others, inspect.signature(flow).parameters)

    def decorate(function: Callable[..., Any]) -> Flow[..., Any]:
        check_function("flow", function)
        title = masked(name or str(getattr(function, "__name__", "flow")))
        made: Flow[..., Any] = Flow(
            function,
            name=title,
            run_name=run_name,
            timeout_seconds=timeout_seconds,
            log_prints=log_prints,
            hooks=Hooks.checked(
                f"flow {title!r}",
                on_completion=on_completion,
                on_failure=on_failure,
                on_crash=on_crash,
                on_cancel=on_cancel,
            ),
        )
        check_flow(made)
        return made

    return decorate if function is None else decorate(function)
