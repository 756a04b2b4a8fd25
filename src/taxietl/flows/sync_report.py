"""What a sync found and did: values, and what a person says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from taxietl.errors import TaxietlError, worst_exit_code
from taxietl.flows.months import MonthError
from taxietl.load.reports import NOTHING_TO_DO
from taxietl.steps.month_class import MonthClass
from taxietl.tlc.sync_window import OVERDUE_DAYS
from taxietl.tlc.trip_file import TripFile

_COUNTED = (MonthClass.UNCHANGED, MonthClass.TOUCHED, MonthClass.NOT_PUBLISHED)
"""Told in one line a colour, unless something is done with the month."""


@dataclass(frozen=True)
class SyncedMonth:
    """One month of one target; `str()` gives `yellow-2022-06  restated: +1,204 rows, …`."""

    trip_file: TripFile
    to: str
    """The profile."""

    month_class: MonthClass
    action: str = NOTHING_TO_DO
    """`loaded`, `uploaded`, `replaced`, `nothing to do`, `failed` or `not begun`; before anything
    was done `load`, `upload`, `replace` or `compare`."""

    reason: str = ""
    rows_before: int | None = None
    """None where the month was not there, or its rows are not counted."""

    rows_after: int | None = None
    run_name: str | None = None
    """Of the run that loaded it."""

    error: MonthError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def rows_difference(self) -> int | None:
        """How many rows more there are than before; None where that is not known."""
        if self.rows_after is None or self.error:
            return None
        return self.rows_after - (self.rows_before or 0)

    @property
    def is_told_alone(self) -> bool:
        """Whether it has a line of its own."""
        is_idle = self.action == NOTHING_TO_DO and not self.warnings
        return not (is_idle and self.month_class in _COUNTED)

    def __str__(self) -> str:
        return f"{self.trip_file}  {self._happened}"

    @property
    def _happened(self) -> str:
        if self.error:
            return f"{_class_before(self.month_class)}failed: {self.error.message}"
        match self.month_class, self.action:
            case _, "not begun":
                return f"{self.month_class}: not begun, since another month failed (--fail-fast)"
            case MonthClass.RESTATED, "replaced" | "uploaded":
                return f"restated: {self._change}"
            case MonthClass.NEW, "loaded" | "uploaded" | "replaced":
                return f"new: {self._rows}"
            case MonthClass.OVERDUE, _:
                return f"overdue: still not published, over {OVERDUE_DAYS} days after its end"
            case MonthClass.WITHDRAWN, _:
                return "withdrawn: the source has it no more; what is loaded stays"
            case MonthClass.OTHER_SOURCE | MonthClass.OLDER, "nothing to do":
                return f"{self.month_class}: {self.reason}"
            case found, "nothing to do":
                return str(found)
        rows = f"; {self._rows}" if self.rows_after is not None else ""
        return f"{self.month_class}, {self.action}: {self.reason}{rows}"

    @property
    def _rows(self) -> str:
        return "rows not counted" if self.rows_after is None else f"{self.rows_after:,} rows"

    @property
    def _change(self) -> str:
        if self.rows_before is None or self.rows_after is None:
            return self._rows
        if self.rows_before == self.rows_after:
            return f"as many rows as before, {self.rows_after:,}"
        return f"{self.rows_after - self.rows_before:+,} rows, now {self.rows_after:,}"


@dataclass(frozen=True)
class SyncReport:
    """What a sync found and did; `str()` is what the command prints."""

    months: tuple[SyncedMonth, ...]
    """By target, colour and month."""

    asked: int
    """Months that the source was asked for."""

    @property
    def exit_code(self) -> int:
        """The worst that occurred; 0 also where nothing was new."""
        return worst_exit_code(each.error.exit_code if each.error else 0 for each in self.months)

    @property
    def done(self) -> tuple[SyncedMonth, ...]:
        """The months that were loaded."""
        return tuple(each for each in self.months if each.run_name is not None)

    def __str__(self) -> str:
        targets = list(dict.fromkeys(each.to for each in self.months))
        lines: list[str] = []
        for to in targets:
            lines += [f"{to}:"] * (len(targets) > 1)
            lines += self._lines(to)
        return "\n".join(lines) or "No month to ask for."

    def _repr_pretty_(self, printer: Any, _is_cycle: bool) -> None:
        """See IPython's display."""
        printer.text(str(self))

    def _lines(self, to: str) -> Iterator[str]:
        months = [each for each in self.months if each.to == to]
        for each in months:
            if each.is_told_alone:
                yield str(each)
                yield from (f"  {each.error.hint}" for _ in range(1) if each.error)
                warnings = each.error.warnings if each.error else each.warnings
                yield from (f"  warning: {said}" for said in warnings)
        for color in dict.fromkeys(each.trip_file.color for each in months):
            alike = [e for e in months if e.trip_file.color == color and not e.is_told_alone]
            parts = []
            for found in (MonthClass.UNCHANGED, MonthClass.TOUCHED):
                if count := sum(each.month_class is found for each in alike):
                    parts.append(f"{count} {found}")
            late = [e.trip_file for e in alike if e.month_class is MonthClass.NOT_PUBLISHED]
            if late:
                names = ", ".join(f"{each.source_month:%Y-%m}" for each in late)
                parts.append(f"not published yet: {names}")
            if parts:
                yield f"{color}  {'; '.join(parts)}"


class SyncFailedError(TaxietlError):
    """Some months of a sync could not be asked for or loaded; carries what became of each."""

    def __init__(self, report: SyncReport) -> None:
        self.report = report
        failed = [str(each.trip_file) for each in report.months if each.error]
        super().__init__(
            f"{len(failed)} of {len(report.months)} months failed: {', '.join(failed)}.",
            hint="The other months are in sync; the next sync tries these again.",
        )
        self.exit_code = report.exit_code


def _class_before(found: MonthClass) -> str:
    return "" if found is MonthClass.UNKNOWN else f"{found}, "
