"""Hold a lake to its manifests: every object's bytes and footer, and what should not be there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from taxietl.errors import TargetError
from taxietl.load.lake.errands import all_of
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.manifest import BrokenManifestError, Manifest, manifest_key
from taxietl.load.lake.standing import State
from taxietl.load.lake.survey import Survey, survey
from taxietl.load.lake.values import StoredObject, Version, tells_of_itself
from taxietl.tlc.datasets import DATASETS

_UNRECORDED = "its manifest lacks it, as after a crash: upload it again, which mends that"


@dataclass(frozen=True)
class Finding:
    """One object, and what is wrong with it."""

    key: str
    color: str | None
    month: str | None
    size_bytes: int
    """As the manifest has it; 0 of a manifest that cannot be read itself."""

    rows: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Leftover:
    """What the newest versions do not need."""

    key: str
    generation: int
    size_bytes: int
    why: str


def verify(lake: Lake, *, color: str | None = None) -> list[Finding]:
    """Read every object's checksum and footer again, and compare them with the manifests.

    A bucket tells the checksum it keeps of the bytes; in a folder it is made from them.

    Args:
        lake: to look at; nothing in it is changed.
        color: only this one; then, of objects that no manifest knows, those in its months' places.
    """
    manifests, broken = lake.whole_and_broken_manifests(color)
    findings = [_unreadable(each) for each in broken]
    expected = [each for manifest in manifests for each in _expected(manifest)]
    found = all_of(lambda each: _verified(lake, *each), expected)
    findings += [each for each in found if each is not None]
    known = {each.facts.key for manifest in manifests for each in manifest.versions}
    if color is None:
        unknown = [each.key for each in lake.store.objects() if each.key not in known]
    else:  # what lies in the place of a month of that colour, and no manifest has
        standings = survey(lake, manifests, broken, of=[color]).standings
        unknown = [each.key for each in standings if each.key not in known]
    findings += all_of(lambda key: _foreign(lake, key), unknown)
    return findings


def leftovers(lake: Lake, surveyed: Survey) -> list[Leftover]:
    """What uploads that died have left, and objects that a change of `key` left behind.

    Never the object that a month is, nor any other as long as that one is not whole. What none
    of the manifests knows is not ours to remove.
    """
    months = {each.key for each in surveyed.standings}
    moved = [
        Leftover(key, version.generation, stored.size_bytes, f"the month lies at {each.key} now")
        for each in surveyed.standings
        if each.state is State.WHOLE
        for version in each.manifest.versions
        if version.facts.form is each.form and (key := version.facts.key) not in months
        if (stored := surveyed.listed.get(key)) and stored.generation == version.generation
    ]
    died = [
        Leftover(each.key, each.generation, each.size_bytes, "left by an upload that died")
        for each in lake.store.unfinished()
    ]
    return [*moved, *died]


def _unreadable(found: BrokenManifestError) -> Finding:
    problem = f"it is no manifest that can be read: {found.why}"
    key = manifest_key(found.color, found.month)
    return Finding(key, found.color, found.month, 0, None, (problem,))


def _expected(manifest: Manifest) -> Iterator[tuple[Version, bool]]:
    """Of each key the newest version, and whether the month is that: `leftovers` may go."""
    months = [manifest.newest(form) for form in manifest.forms]
    for key in sorted({each.facts.key for each in manifest.versions}):
        if version := manifest.at(key):
            yield version, version in months


def _verified(lake: Lake, version: Version, must_be_there: bool) -> Finding | None:
    """What is wrong with an object; None if it is not there and need not be."""
    facts = version.facts
    problems: list[str] = []
    found = lake.store.stat(facts.key)
    if found is None and not must_be_there:
        return None
    if found is None:
        problems.append("the object is gone")
    elif found.crc32c != facts.crc32c and tells_of_itself(found):
        problems.append(_UNRECORDED)
    else:
        if found.size_bytes != facts.size_bytes:
            problems.append(f"{found.size_bytes:,} bytes instead of {facts.size_bytes:,}")
        if found.crc32c != facts.crc32c:
            problems.append(f"checksum {found.crc32c} instead of {facts.crc32c}")
        if facts.rows is not None:
            problems += _footer_problems(lake, found, version)
    return Finding(
        facts.key, facts.color, facts.month, facts.size_bytes, facts.rows, tuple(problems)
    )


def _footer_problems(lake: Lake, found: StoredObject, version: Version) -> list[str]:
    """What the Parquet footer says otherwise than the manifest, and than the contract."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from taxietl.load.lake.parquet import lake_schema, schema_digest, zones_schema
    from taxietl.load.lake.ranges import ObjectFile

    def read(start: int, end: int) -> bytes:
        try:
            return lake.store.read(found, start, end - start)
        except TargetError as error:
            raise OSError(error.message) from error

    try:
        file = pq.ParquetFile(pa.PythonFile(ObjectFile(found, read), mode="r"))
        rows, schema = file.metadata.num_rows, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        return [f"the footer cannot be read: {' '.join(str(error).split())[:100]}"]
    facts, problems = version.facts, []
    if rows != facts.rows:
        problems.append(f"{rows:,} rows instead of {facts.rows:,}")
    digest = schema_digest(schema)
    if digest != facts.schema:
        problems.append("other columns than were written")
    elif facts.contract_version == facts.current_contract:
        contract = lake_schema(DATASETS[facts.color]) if facts.color else zones_schema()
        if digest != schema_digest(contract):
            problems.append("other columns than the contract's")
    return problems


def _foreign(lake: Lake, key: str) -> Finding:
    """An object that no manifest knows."""
    found = lake.store.stat(key)  # on disk a list has no facts
    is_ours = found is not None and tells_of_itself(found)
    problem = _UNRECORDED if is_ours else "taxietl did not put it there"
    return Finding(key, None, None, found.size_bytes if found else 0, None, (problem,))
