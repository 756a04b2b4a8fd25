"""What became of several months, or of one: a sequence that a notebook shows as a table."""

from __future__ import annotations

from functools import partial
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.steps.values import LoadReport

if TYPE_CHECKING:
    import pandas as pd

Report = TypeVar("Report")


class Reports(tuple[Report, ...]):
    """The report of each month asked for, colour by colour, oldest first."""

    __slots__ = ()

    def frame(self) -> pd.DataFrame:
        """What counts of each, a row a month."""
        import pandas as pd

        return pd.DataFrame([_row(each) for each in self]).set_index("month")

    def __repr__(self) -> str:
        shortened = partial(shorten, width=60, placeholder=" …")
        return str(self.frame().to_string(formatters={"reason": shortened}))

    def _repr_html_(self) -> str:
        """See IPython's display."""
        import pandas as pd

        with pd.option_context("display.max_colwidth", None):  # a browser breaks long lines
            return str(self.frame().to_html())


def _row(report: Any) -> dict[str, Any]:
    told = {"month": str(report.trip_file), "action": report.action}
    if isinstance(report, LoadReport):
        return told | {
            "rows_read": report.rows_read,
            "rows_loaded": report.rows_loaded,
            "rows_dropped": sum(report.rows_dropped.values()),
            "rows_rejected": report.rows_rejected,
            "table": report.table,
            "target": report.target,
            "reason": report.reason,
        }
    facts = report.version.facts
    return told | {
        "rows": facts.rows,
        "size_bytes": facts.size_bytes,
        "uri": report.uri,
        "reason": report.reason,
    }
