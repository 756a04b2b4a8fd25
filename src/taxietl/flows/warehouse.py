"""From a profile's name to the loader that knows such warehouses, and to rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, cast

from taxietl.config import LakeProfile, settings
from taxietl.errors import ConfigError, WarehouseBusyError
from taxietl.orchestrator import run_in_process
from taxietl.steps import registry
from taxietl.steps.protocols import Loader

if TYPE_CHECKING:
    import pyarrow as pa


def loader(name: str) -> Loader:
    """The loader for the profile of that name in the active settings.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: it is of no warehouse.
    """
    profile = settings().profile(name)
    known = registry.names("loaders")
    if profile.type not in known:
        filled = f" Months come there by {profile.filled_by}." if profile.filled_by else ""
        fitting = sorted(each.name for each in settings().profiles.values() if each.type in known)
        raise ConfigError(
            f"Profile {profile.name!r} is of type {profile.type!r}, which is no warehouse.",
            hint=f"Types of warehouses: {', '.join(known)}. "
            f"Profiles of these: {', '.join(fitting) or 'none'}.{filled}",
        )
    return cast(Loader, registry.load("loaders", profile.type)(profile))


def query(name: str, statement: str) -> AbstractContextManager[pa.RecordBatchReader]:
    """The rows of one statement that only reads, of a warehouse or a lake.

    Raises:
        ConfigError: it does more than read, or is wrong; or there is no such profile.
    """
    if isinstance(settings().profile(name), LakeProfile):
        from taxietl.flows.lake import open_lake
        from taxietl.load.lake.query import queried

        return queried(open_lake(name), statement)
    return loader(name).query(statement)


@contextmanager
def holder_named() -> Iterator[None]:
    """Where another process holds the warehouse, say which run that is."""
    try:
        yield
    except WarehouseBusyError as error:
        if error.pid is not None and (name := run_in_process(error.pid)) is not None:
            error.name_holder(f"run {name!r} (process {error.pid})")
        raise
