"""Ask a warehouse's ledger, of whatever kind it is, by `Loader.query`. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from taxietl.load.ledger import LOADS
from taxietl.steps.protocols import Loader


def asked(loader: Loader, statement: str) -> Iterator[tuple[Any, ...]]:
    """The statement's rows as plain values, held batch by batch."""
    with loader.query(statement) as reader:
        for batch in reader:
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def has_ledger(loader: Loader) -> bool:
    """Whether anything was ever loaded there; a first load that was refused leaves no ledger."""
    # Not of information_schema: it hides what a user has no rights on, who is to be told so.
    ((count,),) = asked(
        loader,
        "SELECT count(*) FROM pg_catalog.pg_tables "  # noqa: S608  a name of ours
        f"WHERE schemaname = current_schema() AND tablename = '{LOADS}'",
    )
    return bool(count)
