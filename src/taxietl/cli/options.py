"""Options that several commands have, and what some of them mean together."""

from __future__ import annotations

from typing import Annotated

import typer

from taxietl.errors import ConfigError

ColorOption = Annotated[str, typer.Option(help="yellow, green, fhv or fhvhv.")]
YearOption = Annotated[int, typer.Option(help="Year of the file.")]
MonthsOption = Annotated[
    list[str], typer.Option("--month", help="Month of the file: 1, 1-3, 1,4 or all; repeats.")
]


def wanted_months(year: int | None, months: list[str] | None) -> set[str] | None:
    """The months asked for by --year and --month, as `2021-01`; None for all there are.

    Raises:
        ConfigError: months without their year, or what is no month.
    """
    from taxietl.tlc.trip_file import parse_months

    if year is None:
        if months:
            raise ConfigError("--month needs its year.", hint="Add --year 2021.")
        return None
    return {f"{year:04d}-{each:02d}" for each in parse_months(months or ["all"])}
