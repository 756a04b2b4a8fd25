"""What the commands over months have in common: run them and tell of each, or of what would be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.cli.month_progress import months_shown
from taxietl.cli.output import Output, describe_error
from taxietl.cli.progress import duration, progress_shown
from taxietl.errors import RefusedLoadError, TaxietlError, worst_exit_code

if TYPE_CHECKING:
    from taxietl.flows.months import MonthResult
    from taxietl.orchestrator import Flow, Run
    from taxietl.tlc.trip_file import TripFile

Report = TypeVar("Report")


@dataclass(frozen=True)
class ManyAtOnce:
    """How several months are done."""

    workers: int
    """So many at a time."""

    fail_fast: bool


def fields_of(report: object) -> dict[str, Any]:
    """All that a report has, but the month, which stands beside it."""
    return {name: value for name, value in vars(report).items() if name != "trip_file"}


def carry_out(
    out: Output,
    months: list[TripFile],
    options: object,
    *,
    one: Flow[..., Report],
    many: Flow[..., tuple[MonthResult[Report], ...]],
    text: Callable[[Report], str],
    how: ManyAtOnce,
    document: Callable[[Report], Mapping[str, Any]] = fields_of,
) -> int:
    """Run the flow, and print what became of each month; gives the exit code.

    Args:
        one: for a single month, whose error is raised.
        many: for several.
        text: a report in words.
        how: several are done.
        document: a report as the document has it.
    """
    from taxietl.flows.months import MonthResult, MonthsFailedError
    from taxietl.flows.progress import watched_by
    from taxietl.runtime import open_engine

    run: Run[Any]
    results: tuple[MonthResult[Report], ...]
    if len(months) == 1:
        with progress_shown(out) as shown_line, watched_by(shown_line):
            run = open_engine().run(one, months[0], options)
        results = (MonthResult(months[0], report=run.result()),)
    else:
        _say_plan(out, months, one.name, how)
        with months_shown(out) as shown, watched_by(shown):
            run = open_engine().run(many, tuple(months), options, **vars(how))
        try:
            results = run.result()
        except MonthsFailedError as error:
            results = error.results
    code = worst_exit_code(each.error.exit_code if each.error else 0 for each in results)
    told = {
        "run": {"id": run.id, "name": run.name, "state": run.state.name},
        "months": [_month(each, document) for each in results],
        "exit_code": code,
    }
    out.result(told, "\n".join(_as_text(each, text) for each in results))
    return code


def _say_plan(out: Output, months: list[TripFile], flow: str, how: ManyAtOnce) -> None:
    """What is about to be done; how large it is, only --dry-run asks the source."""
    from taxietl.flows.expected import expected_seconds

    seconds = expected_seconds(months, flow, workers=how.workers)
    time = "" if seconds is None else f"; about {duration(seconds)}, less for what is done already"
    colors = ", ".join(dict.fromkeys(each.color for each in months))
    out.note(f"{len(months)} months of {colors}, {how.workers} at a time{time}")


def foresee(
    out: Output,
    months: Iterable[TripFile],
    look: Callable[[TripFile], Mapping[str, Any]],
    *,
    unseen: Iterable[str],
    flow: Flow[..., Any],
    workers: int,
    text: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _: (),
) -> int:
    """Print what would be done with each month; gives the exit code.

    Args:
        look: `action`, `reason` and more of one; raises what would go wrong.
        unseen: the more, which is None where something would.
        flow: what would do one month.
        workers: how many would be under way at a time.
        text: further lines about a plan.
    """
    plans = {each: _plan(each, look, unseen) for each in months}
    code = worst_exit_code(each["error"]["exit_code"] for each in plans.values() if each["error"])
    total = _total(plans, flow, workers)
    lines = [line for plan in plans.values() for line in _plan_lines(plan, text)]
    lines += [total.as_text()] if len(plans) > 1 else []
    document = {"plans": list(plans.values()), "total": vars(total), "exit_code": code}
    out.result(document, "\n".join(lines))
    return code


def _plan(
    trip_file: TripFile, look: Callable[[TripFile], Mapping[str, Any]], unseen: Iterable[str]
) -> dict[str, Any]:
    """What would be done with a month, or why nothing could be, as the document has it."""
    plan: dict[str, Any] = {"trip_file": str(trip_file), "error": None, "warnings": ()}
    try:
        return plan | dict(look(trip_file))
    except TaxietlError as error:
        action = "refuse" if isinstance(error, RefusedLoadError) else "failed"
        plan |= {"action": action, "reason": error.message, "error": describe_error(error)}
        return plan | dict.fromkeys(unseen) | {"warnings": error.warnings}


def _plan_lines(
    plan: Mapping[str, Any], text: Callable[[Mapping[str, Any]], Iterable[str]]
) -> Iterator[str]:
    yield f"{plan['trip_file']}  {plan['action']}: {plan['reason']}"
    if plan["error"] and plan["error"]["hint"]:
        yield f"  {plan['error']['hint']}"
    yield from text(plan)
    yield from warning_lines(plan["warnings"])


@dataclass(frozen=True)
class Total:
    """What would be done with several months together."""

    months: int
    to_do: int
    bytes: int | None
    """To be read of those; None where the source does not tell."""

    expected_seconds: float | None
    """None where nothing tells."""

    def as_text(self) -> str:
        """As a person says it."""
        if not self.to_do:
            return f"{self.months} months, nothing to do"
        size = "" if self.bytes is None else f", {self.bytes / 1e6:,.1f} MB"
        seconds = self.expected_seconds
        time = "" if seconds is None else f", about {duration(seconds)}"
        return f"{self.months} months, {self.to_do} of them to do{size}{time}"


def _total(
    plans: Mapping[TripFile, Mapping[str, Any]], flow: Flow[..., Any], workers: int
) -> Total:
    from taxietl.flows.expected import expected_seconds

    to_do = [
        each
        for each, plan in plans.items()
        if not plan["error"] and plan["action"] != "nothing to do"
    ]
    sizes: list[Any] = [plans[each].get("bytes") for each in to_do]
    return Total(
        len(plans),
        len(to_do),
        None if None in sizes else sum(sizes),
        expected_seconds(to_do, flow.name, workers=workers) if to_do else 0.0,
    )


def _month(
    result: MonthResult[Report], document: Callable[[Report], Mapping[str, Any]]
) -> dict[str, Any]:
    trip_file = result.trip_file
    named = {
        "trip_file": str(trip_file),
        "color": trip_file.color,
        "year": trip_file.year,
        "month": trip_file.month,
    }
    if result.report is None:
        action = "failed" if result.error else "not begun"
        return named | {"action": action, "error": result.error}
    return {**named, **document(result.report), "error": None}


def _as_text(result: MonthResult[Report], text: Callable[[Report], str]) -> str:
    if result.report is not None:
        return text(result.report)
    error = result.error
    if error is None:
        return f"{result.trip_file}  not begun, since another month failed (--fail-fast)"
    lines = [f"{result.trip_file}  failed: {error.message}", f"  {error.hint}"]
    return "\n".join([*lines, *warning_lines(error.warnings)])


def warning_lines(warnings: Iterable[str]) -> Iterator[str]:
    """What was warned of, as it stands in the summary of its month."""
    return (f"  warning: {each}" for each in warnings)
