"""`taxietl verify`: check the tables against the ledger."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from taxietl.cli.commands import Commands
from taxietl.cli.months import warning_lines
from taxietl.cli.options import OnWarehouseOption, TableOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings, profile_named
from taxietl.errors import DataError
from taxietl.tlc.selection import MonthOptions, check_table

if TYPE_CHECKING:
    from taxietl.flows.verify import MonthCheck


def register(app: Commands) -> None:
    """Add the command."""
    app.add(verify)


def verify(
    out: Output,
    asked: MonthOptions,
    on: OnWarehouseOption = None,
    table: TableOption = None,
) -> int:
    """Check loaded months against the ledger: rows, nulls and sums, counted again."""
    wanted = asked.filter(date.today())
    check_table(table, wanted.colors)
    open_settings()
    from taxietl.flows.verify import verify_months
    from taxietl.flows.warehouse import loader

    checks = verify_months(loader(profile_named(on)), wanted, table)
    failed = any(each.differences for each in checks)
    code = DataError.exit_code if failed else 0
    document = {"months": [_document(each) for each in checks], "exit_code": code}
    out.result(
        document, "\n".join(_as_text(each) for each in checks) or "none of these months is loaded"
    )
    return code


def _document(check: MonthCheck) -> dict[str, object]:
    return {
        "trip_file": f"{check.color}-{check.month}",
        "table": check.table,
        "rows": check.rows,
        "run_name": check.run_name,
        "differences": check.differences,
        "warnings": check.warnings,
        "ok": not check.differences,
    }


def _as_text(check: MonthCheck) -> str:
    name = f"{check.color}-{check.month}"
    lines = [f"{name}  ok: {check.rows:,} rows as run {check.run_name!r} loaded them"]
    if check.differences:
        lines = [f"{name}  differs in table {check.table}:"]
    for each in check.differences:
        what = f"{each.what} of {each.column}" if each.column else each.what
        lines.append(f"  {what}: {_number(each.ledger)} in the ledger, {_number(each.table)} now")
    return "\n".join([*lines, *warning_lines(check.warnings)])


def _number(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"
