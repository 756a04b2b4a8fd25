"""A month in the lake, as something that BigQuery is to read."""

from __future__ import annotations

from taxietl.config.profiles import GcsProfile, LakeProfile
from taxietl.errors import ConfigError, MissingFileError, SourceError, TryLaterError
from taxietl.load.bigquery.values import LakeMonth
from taxietl.load.lake.extractor import as_source
from taxietl.load.lake.lake import Lake, Standing
from taxietl.load.lake.values import Form, Manifest, Version, month_of
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
        hint="Bring the months into a profile of type gcs, `taxietl upload-gcs --to PROFILE`, and "
        "name it here: --from PROFILE.",
    )


def month_in(lake: Lake, trip_file: TripFile, *, heal: bool) -> LakeMonth:
    """The month's Parquet as it lies in the lake, if it is what was put there.

    Args:
        lake: in a bucket.
        trip_file: the month.
        heal: write what the manifest lacks, as after a crash.

    Raises:
        MissingFileError: it is not there.
        SourceError: something else is there, or the lake cannot be asked.
    """
    key = lake.key(trip_file, Form.PARQUET, "")
    uri = lake.store.uri(key)
    with as_source():
        standing = lake.standing(trip_file, key)
        version, found = _intact(standing, trip_file, uri), standing.found
        manifest = lake.manifest(trip_file.color, month_of(trip_file))
        if heal:
            lake.heal(standing)
    assert found is not None
    return LakeMonth(
        trip_file,
        key,
        uri,
        found.generation,
        _earlier(manifest, found.generation),
        version.facts.rows or 0,
        is_recorded=standing.is_recorded,
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


def _intact(standing: Standing, trip_file: TripFile, uri: str) -> Version:
    version = standing.version
    again = (
        f"taxietl upload-gcs --color {trip_file.color} --year {trip_file.year} "
        f"--month {trip_file.month}"
    )
    if standing.found is None:
        raise MissingFileError(
            f"{uri} is not there" + (", though its manifest has it." if version else "."),
            hint=f"Bring it there first: {again}.",
        )
    if version is None:
        raise SourceError(
            f"{uri} was not put there by taxietl, so what it holds is not known.",
            hint=f"Replace it: {again} --force.",
        )
    if not standing.is_intact:
        raise SourceError(
            f"{uri} is not what run {version.facts.run_name!r} put there.",
            hint=f"Upload it again: {again}.",
        )
    before, now = version.facts.contract_version, version.facts.current_contract
    if before != now:
        raise SourceError(
            f"{uri} was uploaded under contract {before}; the current one is {now}.",
            hint=f"Upload it again, which reads the source anew: {again}.",
        )
    return version


def _earlier(manifest: Manifest, generation: int) -> tuple[int, ...]:
    before = {
        each.generation
        for each in manifest.versions
        if each.facts.form is Form.PARQUET and each.generation < generation
    }
    return tuple(sorted(before, reverse=True))
