"""`taxietl drop`: take loaded months out again."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.months import ManyAtOnce, carry_out
from taxietl.cli.options import DryRunOption, OnWarehouseOption, TableOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named
from taxietl.errors import Cancelled, ConfigError
from taxietl.tlc.selection import MonthOptions, check_table

if TYPE_CHECKING:
    from taxietl.flows.drop import DropOptions, DropReport
    from taxietl.tlc.trip_file import TripFile


def register(app: Commands) -> None:
    """Add the command."""
    app.add(drop)


def drop(
    out: Output,
    asked: MonthOptions,
    on: OnWarehouseOption = None,
    table: TableOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: DryRunOption = False,
) -> int:
    """Take loaded months out of a warehouse: each whole or not at all; ingest brings them back."""
    today = date.today()
    wanted = asked.filter(today)
    check_table(table, wanted.colors)
    open_settings()
    from taxietl.flows.drop import DropOptions, months_to_drop
    from taxietl.flows.warehouse import loader

    options = DropOptions(profile_named(on), table)
    found = months_to_drop(wanted, options)
    where = loader(options.on).target
    absent = (
        [each for each in asked.trip_files(today, late=0) if each not in found]
        if (asked.names_each)
        else []
    )
    if dry_run or not found:
        return _say(out, found, absent, options, where)
    if not yes:
        _ask(out, found, where)
    for each in absent:
        out.note(f"{each} is not loaded there")
    return _drop(out, list(found), options)


def _say(
    out: Output,
    found: Mapping[TripFile, int],
    absent: list[TripFile],
    options: DropOptions,
    where: str,
) -> int:
    """Print what would be done, or that there is nothing to do."""
    plans: list[dict[str, Any]] = [
        {
            "trip_file": str(each),
            "action": "drop" if each in found else "nothing to do",
            "reason": "it is loaded" if each in found else "it is not loaded",
            "target": where,
            "table": options.table_of(each.color),
            "rows": found.get(each, 0),
        }
        for each in (*found, *absent)
    ]
    lines = [
        f"{each['trip_file']}  {each['action']}: {each['rows']:,} rows in table {each['table']}"
        if each["rows"]
        else f"{each['trip_file']}  {each['action']}: {each['reason']} into {each['table']}"
        for each in plans
    ]
    out.result(
        {"plans": plans, "exit_code": 0},
        "\n".join(lines) or f"no such month is loaded in {where}",
    )
    return 0


def _ask(out: Output, found: Mapping[TripFile, int], where: str) -> None:
    """Have the user agree.

    Raises:
        ConfigError: nobody is there to be asked.
        Cancelled: they do not.
    """
    months = f"{len(found)} months" if len(found) > 1 else str(next(iter(found)))
    what = f"{months} with {sum(found.values()):,} rows"
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{what} would be taken out of {where}, and nobody is there to be asked.",
            hint="Add --yes, or look first with --dry-run.",
        )
    if len(found) > 1:
        for each, rows in found.items():
            out.note(f"{each}  {rows:,} rows")
    if not typer.confirm(f"Take {what} out of {where}?", err=True):
        raise Cancelled("Nothing was changed.")


def _drop(out: Output, months: list[TripFile], options: DropOptions) -> int:
    from taxietl.flows import drop as flows

    return carry_out(
        out,
        months,
        options,
        one=flows.drop_month,
        many=flows.drop_months,
        text=_as_text,
        how=ManyAtOnce(1, fail_fast=False),
    )


def _as_text(report: DropReport) -> str:
    if report.action == "nothing to do":
        return f"{report.trip_file}  nothing to do: it is not in {report.table} of {report.target}"
    return (
        f"{report.trip_file}  dropped: {report.rows:,} rows of table {report.table} of "
        f"{report.target}\n  that run {report.loaded_by!r} had loaded; run {report.run_name!r}"
    )
