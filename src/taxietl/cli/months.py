"""What the commands over months have in common: run them and tell of each, or of what would be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.cli.output import Output, describe_error
from taxietl.cli.progress import progress_line
from taxietl.errors import RefusedLoadError, TaxietlError, worst_exit_code

if TYPE_CHECKING:
    from taxietl.flows.months import MonthResult
    from taxietl.orchestrator import Flow, Run
    from taxietl.tlc.trip_file import TripFile

Report = TypeVar("Report")


def carry_out(
    out: Output,
    months: list[TripFile],
    options: object,
    *,
    one: Flow[..., Report],
    many: Flow[..., tuple[MonthResult[Report], ...]],
    told: Callable[[Report], Mapping[str, Any]],
    text: Callable[[Report], str],
) -> int:
    """Run the flow, and print what became of each month; gives the exit code.

    Args:
        one: for a single month, whose error is raised.
        many: for several.
        told: a report as the document has it.
        text: a report in words.
    """
    from taxietl.flows.months import MonthResult, MonthsFailedError
    from taxietl.flows.progress import watched_by
    from taxietl.runtime import open_engine

    out.log_to_stderr()
    engine = open_engine()
    run: Run[Any]
    results: tuple[MonthResult[Report], ...]
    if len(months) == 1:
        with watched_by(progress_line(out)):
            run = engine.run(one, months[0], options)
        results = (MonthResult(months[0], report=run.result()),)
    else:
        with watched_by(progress_line(out)):
            run = engine.run(many, tuple(months), options)
        try:
            results = run.result()
        except MonthsFailedError as error:
            results = error.results
    code = worst_exit_code(each.error.exit_code if each.error else 0 for each in results)
    document = {
        "run": {"id": run.id, "name": run.name, "state": run.state.name},
        "months": [_month(each, told) for each in results],
        "exit_code": code,
    }
    out.result(document, "\n".join(_as_text(each, text) for each in results))
    return code


def foresee(
    out: Output,
    months: Iterable[TripFile],
    look: Callable[[TripFile], Mapping[str, Any]],
    *,
    unseen: Iterable[str],
    text: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _: (),
) -> int:
    """Print what would be done with each month; gives the exit code.

    Args:
        look: `action`, `reason` and more of one; raises what would go wrong.
        unseen: the more, which is None where something would.
        text: further lines about a plan.
    """
    plans: list[dict[str, Any]] = []
    for each in months:
        plan: dict[str, Any] = {"trip_file": str(each), "error": None, "warnings": ()}
        try:
            plan |= look(each)
        except TaxietlError as error:
            action = "refuse" if isinstance(error, RefusedLoadError) else "failed"
            plan |= {"action": action, "reason": error.message, "error": describe_error(error)}
            plan |= dict.fromkeys(unseen) | {"warnings": error.warnings}
        plans.append(plan)
    code = worst_exit_code(plan["error"]["exit_code"] if plan["error"] else 0 for plan in plans)
    lines: list[str] = []
    for plan in plans:
        lines.append(f"{plan['trip_file']}  {plan['action']}: {plan['reason']}")
        if plan["error"] and plan["error"]["hint"]:
            lines.append(f"  {plan['error']['hint']}")
        lines += text(plan)
        lines += warning_lines(plan["warnings"])
    out.result({"plans": plans, "exit_code": code}, "\n".join(lines))
    return code


def _month(
    result: MonthResult[Report], told: Callable[[Report], Mapping[str, Any]]
) -> dict[str, Any]:
    trip_file = result.trip_file
    named = {
        "trip_file": str(trip_file),
        "color": trip_file.color,
        "year": trip_file.year,
        "month": trip_file.month,
    }
    if result.report is None:
        return named | {"action": "failed", "error": result.error}
    return {**named, **told(result.report), "error": None}


def _as_text(result: MonthResult[Report], text: Callable[[Report], str]) -> str:
    if result.report is not None:
        return text(result.report)
    error = result.error
    if error is None:
        return ""
    lines = [f"{result.trip_file}  failed: {error.message}", f"  {error.hint}"]
    return "\n".join([*lines, *warning_lines(error.warnings)])


def warning_lines(warnings: Iterable[str]) -> Iterator[str]:
    """What was warned of, as it stands in the summary of its month."""
    return (f"  warning: {each}" for each in warnings)
