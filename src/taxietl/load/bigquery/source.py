"""A month in the lake, as something that BigQuery is to read."""

from __future__ import annotations

from taxietl.config.lakes import LakeProfile
from taxietl.errors import ConfigError, MissingFileError, TryLaterError
from taxietl.load.bigquery.values import LakeMonth
from taxietl.load.lake.extractor import as_source
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.manifest import Manifest
from taxietl.load.lake.standing import Standing, demand_current, demand_whole, upload_line
from taxietl.load.lake.values import Form, Version
from taxietl.tlc.trip_file import TripFile


def demand_bucket(profile: LakeProfile) -> GcsProfile:
    """The profile, if it is of a lake that BigQuery can read.

    Raises:
        ConfigError: it is a folder.
    """
    if isinstance(profile, GcsProfile):
        return profile
    raise ConfigError(
        f"Profile {profile.name!r} is a lake of type {profile.type!r}: BigQuery reads from a "
        "bucket only.",
        hint="Upload the months to a profile of type gcs, `taxietl upload-gcs --to PROFILE`, and "
        "name it here: --source PROFILE.",
    )


def month_in(lake: Lake, trip_file: TripFile, *, heal: bool) -> LakeMonth:
    """The month's Parquet as it lies in the lake, if it is what was put there.

    Args:
        lake: in a bucket.
        trip_file: the month.
        heal: write what the manifest lacks, as after a crash.

    Raises:
        MissingFileError: the lake never had it.
        BrokenMonthError: its object is gone, or is another.
        SourceError: it is of an older contract, or the lake cannot be asked.
    """
    with as_source():
        found = lake.parquet(trip_file)
        standing = found.recorded()
        demand_whole([standing], lake.store.uri)
        uri, stored = lake.store.uri(standing.key), standing.found
        version = _current(standing, trip_file, uri)
        is_recorded = found.unrecorded is None
        if heal and not is_recorded:
            lake.record(version)
    assert stored is not None
    return LakeMonth(
        trip_file,
        standing.key,
        uri,
        stored.generation,
        _earlier(standing.manifest, stored.generation),
        version.facts.rows or 0,
        is_recorded=is_recorded,
    )


def check_is_the_same(lake: Lake, month: LakeMonth) -> None:
    """Demand that what was read is what was looked at: BigQuery reads the newest, whichever it is.

    Raises:
        TryLaterError: the object was replaced meanwhile.
    """
    with as_source():
        found = lake.store.stat(month.key)
    if found is None or found.generation != month.generation:
        raise TryLaterError(
            f"{month.uri} was replaced while BigQuery read it.",
            hint="Run again: it loads what is there now.",
        )


def _current(standing: Standing, trip_file: TripFile, uri: str) -> Version:
    version = standing.version
    if version is None:
        raise MissingFileError(
            f"{uri} is not there.", hint=f"Upload it first: {upload_line(trip_file)}."
        )
    demand_current(version, uri, trip_file)
    return version


def _earlier(manifest: Manifest, generation: int) -> tuple[int, ...]:
    before = {
        each.generation
        for each in manifest.versions
        if each.facts.form is Form.PARQUET and each.generation < generation
    }
    return tuple(sorted(before, reverse=True))
