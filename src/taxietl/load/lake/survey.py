"""All months of a lake at once: one list of its objects, held to the manifests by the one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from taxietl.load.lake.errands import all_of
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.manifest import BrokenManifestError, Manifest
from taxietl.load.lake.standing import Standing, lacking, standing_of
from taxietl.load.lake.values import ZONES_KEY, Form, StoredObject, facts_of, month_of
from taxietl.tlc.datasets import DATASETS
from taxietl.tlc.trip_file import TripFile

Month = tuple[str | None, str | None]
"""Colour and month; None of the zone table."""

EVERY: tuple[str | None, ...] = (*DATASETS, None)
"""All colours, and the zone table."""

_YEARS = range(2009, 2100)


@dataclass(frozen=True)
class Survey:
    """What lies there, and which object each month is."""

    listed: Mapping[str, StoredObject]
    standings: tuple[Standing, ...]
    """Of every month that was ever put there, and of those at whose place something else lies."""


def survey(
    lake: Lake,
    manifests: Sequence[Manifest],
    broken: Sequence[BrokenManifestError] = (),
    *,
    of: Iterable[str | None] = EVERY,
) -> Survey:
    """Hold what lies there to the manifests of these colours, by one list.

    In a folder a file that was touched since it was put there is read, for its checksum.

    Args:
        lake: to look at.
        manifests: all that can be read of these colours.
        broken: those that cannot be: of such a month nothing is said here.
        of: the colours; None is the zone table.
    """
    listed = {each.key: each for each in lake.store.objects()}

    def standing(manifest: Manifest, form: Form) -> Standing:
        def look(key: str) -> StoredObject | None:
            found, version = listed.get(key), manifest.newest(form)
            if found is None or found.crc32c is not None or version is None:
                return found
            facts = version.facts
            if (found.generation, found.size_bytes) == (version.generation, facts.size_bytes):
                return replace(found, crc32c=facts.crc32c)
            return lake.store.stat(key)

        found = standing_of(manifest, form, else_at="", look=look)
        return anew(found) if found.problem else found

    def anew(each: Standing) -> Standing:
        # Perhaps an upload ended since the manifests were read.
        return lake.standing(each.manifest.trip_file, each.form, else_at=each.key)

    asked = [(manifest, form) for manifest in manifests for form in manifest.forms]
    found = all_of(lambda each: standing(*each), asked)
    strays = map(anew, _strays(lake, listed, manifests, broken, tuple(of)))
    return Survey(listed, (*found, *strays))


def _strays(
    lake: Lake,
    listed: Mapping[str, StoredObject],
    manifests: Sequence[Manifest],
    broken: Sequence[BrokenManifestError],
    of: Sequence[str | None],
) -> Iterator[Standing]:
    """Months of which no manifest knows, by their objects: a crash's, or somebody else's."""
    known = {version.facts.key for each in manifests for version in each.versions}
    unknown = [each for key, each in listed.items() if key not in known]
    if not unknown:
        return
    recorded = {(each.color, each.month): each for each in manifests}
    unreadable = {(each.color, each.month) for each in broken}
    places = _places(lake, of)
    for found in unknown:
        manifest, form, there = Manifest(*places.get(found.key, ("", ""))), Form.PARQUET, found
        facts = facts_of(found.metadata)
        if facts is not None and facts.color in of and facts.key == found.key:
            # A list of files tells what was last said of one; whether that is so, its bytes do.
            there = found if found.crc32c else lake.store.stat(found.key) or found
            told = Manifest(facts.color, facts.month)
            if lacking(told, facts.form, there):
                manifest, form = told, facts.form
        month = (manifest.color, manifest.month)
        manifest = recorded.get(month, manifest)
        if manifest.color == "" or month in unreadable or manifest.newest(form):
            continue
        yield Standing(manifest, form, found.key, None, there)


def other_month_of(lake: Lake, trip_file: TripFile, sha256: str) -> str | None:
    """Another month of the colour, `2021-01`, that was uploaded from these bytes.

    One list finds the objects that tell so, and the manifests' newest versions decide.
    """
    wanted, own = (trip_file.color, sha256), month_of(trip_file)
    months: set[str] = set()
    for each in lake.store.objects():
        facts = facts_of(each.metadata)
        if facts and facts.month and (facts.color, facts.source_sha256) == wanted:
            months.add(facts.month)
    for month in sorted(months - {own}):
        manifest = lake.manifest(trip_file.color, month)
        newest = [manifest.newest(form) for form in manifest.forms]
        if any(each and each.facts.source_sha256 == sha256 for each in newest):
            return month
    return None


def _places(lake: Lake, of: Sequence[str | None]) -> dict[str, Month]:
    """Which month's Parquet the profile puts at a key."""
    places: dict[str, Month] = {ZONES_KEY: (None, None)} if None in of else {}
    for color in of:
        for year in _YEARS if color else ():
            for month in range(1, 13):
                trip_file = TripFile(str(color), year, month)
                places[lake.key(trip_file, Form.PARQUET, "")] = (color, month_of(trip_file))
    return places
