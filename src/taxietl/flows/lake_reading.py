"""Read what lies in a lake. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from taxietl.flows.lake import open_lake
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.standing import Standing, remedy
from taxietl.load.lake.survey import survey
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class LakeMonth:
    """The newest of a month in one form, or of the zone table."""

    trip_file: TripFile | None
    """None of the zone table."""

    form: str
    """`parquet` or `raw`."""

    uri: str
    rows: int | None
    """None of published bytes, which are not opened."""

    size_bytes: int
    uploaded_at: datetime | None
    """None where no manifest tells it."""

    run_id: str
    run_name: str
    versions: int
    """That were ever put there."""

    problem: str
    """Why it is not what was put there, and what to do; empty if it is."""


@dataclass(frozen=True)
class LakeReading:
    """What lies in a lake."""

    address: str
    months: tuple[LakeMonth, ...]
    others: tuple[str, ...]
    """Objects that no manifest tells of."""

    warnings: tuple[str, ...]
    """Of manifests that cannot be read."""


def read_lake(name: str) -> LakeReading:
    """What lies in the lake of that name.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: it is no lake.
        TargetError: it cannot be read.
    """
    lake = open_lake(name)
    manifests, broken = lake.whole_and_broken_manifests()
    found = survey(lake, manifests, broken)
    known = {version.facts.key for each in manifests for version in each.versions}
    known |= {each.key for each in found.standings}
    months = sorted(_months(lake, found.standings), key=_order)
    return LakeReading(
        lake.store.address,
        tuple(months),
        tuple(lake.store.uri(each) for each in sorted(set(found.listed) - known)),
        tuple(f"{each.message} {each.hint}" for each in broken),
    )


def _months(lake: Lake, standings: tuple[Standing, ...]) -> Iterator[LakeMonth]:
    for each in standings:
        version = each.version or each.unrecorded
        facts = version.facts if version else None
        told = [one for one in each.manifest.versions if one.facts.form is each.form]
        yield LakeMonth(
            each.manifest.trip_file,
            str(each.form),
            lake.store.uri(each.key),
            facts.rows if facts else None,
            facts.size_bytes if facts else each.found.size_bytes if each.found else 0,
            datetime.fromisoformat(facts.uploaded_at) if facts else None,
            facts.run_id if facts else "",
            facts.run_name if facts else "",
            len(told),
            f"{each.problem}. {remedy(each)}" if each.problem else "",
        )


def _order(month: LakeMonth) -> tuple[bool, str, str]:
    return (month.trip_file is None, str(month.trip_file), month.form)
