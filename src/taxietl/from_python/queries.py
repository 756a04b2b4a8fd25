"""`taxietl.months()` and `taxietl.connect()`: what a warehouse holds, for pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.config import DatabaseProfile, profile_named, settings
from taxietl.flows.ledger_frame import ledger_frame
from taxietl.flows.warehouse import holder_named, loader
from taxietl.from_python.calling import at_the_prompt
from taxietl.from_python.selection import Colors, colors_asked_for

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection


@at_the_prompt
def months(
    color: Colors | None = None, *, on: str | None = None, superseded: bool = False
) -> pd.DataFrame:
    """The months that a warehouse holds, as its ledger has them: a row a load.

    Args:
        color: only of these colours.
        on: the profile, or a database URL; left out, `[ingest] to`, or `"warehouse"`.
        superseded: the loads that were replaced or dropped since, too.

    Returns:
        The columns of `taxietl_loads`, by colour, month and time of the load. Counts by name,
        such as `rows_dropped`, are dictionaries. No rows if nothing was ever loaded there.

    Raises:
        TaxietlError: there is no such profile, or the warehouse cannot be reached.
    """
    colors = colors_asked_for(color)
    with holder_named():
        warehouse = loader(profile_named(on))
        return ledger_frame(warehouse, colors, superseded=superseded)


@at_the_prompt
def connect(on: str | None = None) -> Connection:
    """A SQLAlchemy connection to a warehouse that only reads, for `pd.read_sql` or a `with` block.

    To a DuckDB file and to PostgreSQL alike. A file is open only while a statement runs, so that
    a connection that is kept keeps no load out; one of PostgreSQL's holds its transaction until
    it is closed. For one that writes, see `taxietl.profile("warehouse").connect()`.

    Args:
        on: the profile, or a database URL; left out, `[ingest] to`, or `"warehouse"`.

    Raises:
        TaxietlError: there is no such profile, it is of no database, or the warehouse cannot be
            reached.
    """
    return settings().profile(profile_named(on), DatabaseProfile).engine().connect()
