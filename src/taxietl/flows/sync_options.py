"""What a sync is asked to do, and where to: a warehouse, a lake, or both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from taxietl.config import LakeProfile, profile_named, settings
from taxietl.errors import ConfigError
from taxietl.flows import ingest, upload
from taxietl.flows.ingest import IngestOptions
from taxietl.flows.upload_plan import UploadOptions
from taxietl.tlc.column_rules import NewColumns
from taxietl.tlc.month_texts import Month
from taxietl.tlc.sync_window import months_to_ask
from taxietl.tlc.trip_file import TripFile

_OF_BOTH = ("source", "transforms", "max_rejects", "max_shrink")
_WAREHOUSE_ONLY = {
    "table": "--table",
    "renames": "--rename",
    "new_columns": "--new-columns",
    "connections": "--connections",
}


@dataclass(frozen=True)
class SyncOptions:
    """What holds for every month of one sync."""

    colors: tuple[str, ...]
    warehouse: IngestOptions | None
    lake: UploadOptions | None
    """One of the two, or both."""

    since: Month | None = None
    """Every month from this one on is asked for."""

    every: bool = False
    """Every loaded month is asked for."""

    only: frozenset[TripFile] | None = None
    """Just these are asked for, but what was dropped."""

    @property
    def source(self) -> str:
        """Where the months come from."""
        return (self.warehouse or self.lake or IngestOptions("tlc")).source

    @classmethod
    def configured(
        cls,
        colors: Sequence[str],
        *,
        to: Sequence[str] = (),
        since: Month | None = None,
        every: bool = False,
        only: Iterable[TripFile] | None = None,
        **given: Any,
    ) -> SyncOptions:
        """These, None for one that was not given: then it is as `[ingest]` has it.

        Args:
            colors: the colours.
            to: profiles, or a database's address; none for `[ingest] to`.
            since: the month to begin with.
            every: whether to ask for all loaded months.
            only: the months to ask for, in the place of those that sync would choose.
            given: further options of `IngestOptions`.

        Raises:
            UnknownNameError: there is no such profile.
            ConfigError: two are of one kind, or an option does not go with a lake alone.
        """
        if every and only is not None:
            raise ConfigError(
                "--all cannot be combined with months that are named.",
                hint="Leave out --all, or --year, --month and --until.",
            )
        names = [profile_named(each) for each in to or (None,)]
        is_lake = {
            each: isinstance(settings().profile(each), LakeProfile) for each in dict.fromkeys(names)
        }
        for wanted, kind in ((False, "warehouses"), (True, "lakes")):
            alike = [each for each in names if is_lake[each] is wanted]
            if len(alike) > 1:
                raise ConfigError(
                    f"--to names two {kind}: {alike[0]!r} and {alike[1]!r}.",
                    hint="Name one warehouse, one lake, or one of each; run the command once for "
                    "each of several.",
                )
        warehouse = next((each for each in names if not is_lake[each]), None)
        lake = next((each for each in names if is_lake[each]), None)
        if warehouse is None:
            _refuse_without_warehouse(given)
        both = {name: given.get(name) for name in _OF_BOTH}
        return cls(
            tuple(colors),
            IngestOptions.configured(**given, to=warehouse) if warehouse else None,
            UploadOptions.configured(**both, to=lake) if lake else None,
            since,
            every,
            None if only is None else frozenset(only),
        )

    def months(
        self,
        color: str,
        today: date,
        *,
        loaded: Collection[TripFile] = (),
        dropped: Collection[TripFile] = (),
    ) -> list[TripFile]:
        """The months of a colour to ask for, oldest first: those named, or `months_to_ask`."""
        if self.only is not None:
            return sorted(each for each in self.only - set(dropped) if each.color == color)
        return months_to_ask(
            color, today, loaded=loaded, dropped=dropped, since=self.since, every=self.every
        )

    def check(self, today: date) -> None:
        """Demand that every name stands for something, before a run begins.

        Raises:
            ConfigError: one does not; see `ingest.check` and `upload.check`.
            SourceError: the source is a path at which nothing lies.
        """
        latest = [month for color in self.colors for month in self.months(color, today)]
        if self.warehouse:
            ingest.check(self.warehouse, latest)
        if self.lake:
            upload.check(self.lake, latest)


def _refuse_without_warehouse(given: dict[str, Any]) -> None:
    defaults = {"renames": (), "new_columns": NewColumns.ADD, "connections": 1}
    for name, option in _WAREHOUSE_ONLY.items():
        if given.get(name) not in (None, defaults.get(name)):
            raise ConfigError(
                f"{option} is for a warehouse, and --to names a lake alone.",
                hint=f"Leave {option} out, or add --to with a warehouse.",
            )
