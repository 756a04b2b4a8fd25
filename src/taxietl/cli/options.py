"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

ColorOption = Annotated[str, typer.Option(help="yellow, green, fhv or fhvhv.")]
YearOption = Annotated[int, typer.Option(help="Year of the file.")]
MonthsOption = Annotated[
    list[str], typer.Option("--month", help="Month of the file: 1, 1-3, 1,4 or all; repeats.")
]
