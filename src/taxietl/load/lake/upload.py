"""What must be done with a month on its way into the lake: a pure function of what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from taxietl.errors import NotOursError
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.standing import Standing, State, lacking
from taxietl.load.lake.values import Form, StoredObject, Version, uploaded_at
from taxietl.steps.plan import Plan, decide
from taxietl.steps.values import Entry, LoadReport, SourceVersion, Transform
from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class Destination:
    """The month as it is, and the place that `key` gives its next version."""

    key: str
    uri: str
    found: StoredObject | None
    """What lies there."""

    standing: Standing
    """The month, wherever it lies; with what a crash kept from its manifest."""

    lacking: tuple[Version, ...]
    """What that is: to be recorded."""

    @property
    def generation(self) -> int:
        """Of what is to be replaced; 0 for nothing."""
        return self.found.generation if self.found else 0

    @property
    def is_theirs(self) -> bool:
        """Whether something lies there that taxietl never put there."""
        return self.found is not None and self.standing.manifest.at(self.key) is None


def destination(lake: Lake, trip_file: TripFile, form: Form, url: str) -> Destination:
    """Where a month goes, and what the lake has of it; changes nothing."""
    key = lake.key(trip_file, form, url)
    standing = lake.standing(trip_file, form, else_at=key)
    versions = [standing.unrecorded]
    standing = standing.recorded()
    found = standing.found
    if standing.key != key:
        found = lake.store.stat(key)
        # An upload to a new place that died before its manifest: it is the month once recorded.
        crashed = lacking(standing.manifest, form, found) if found else None
        if crashed:
            versions.append(crashed)
            manifest = standing.manifest.with_version(crashed)
            standing = Standing(manifest, form, key, crashed, found)
    lacked = tuple(each for each in versions if each is not None)
    return Destination(key, lake.store.uri(key), found, standing, lacked)


def decide_upload(
    version: SourceVersion,
    sha256: str | None,
    goes_to: Destination,
    *,
    transforms: tuple[Transform, ...],
    force: bool,
    loaded_last_modified: datetime | None = None,
) -> Plan:
    """What must be done with a month; as `steps.plan.decide`, which knows tables.

    Raises:
        NotOursError: something else lies where the month goes.
        RefusedLoadError: the month came from another source, and has other bytes.
    """
    if goes_to.is_theirs and not force:
        raise NotOursError(
            f"{goes_to.uri} was not put there by taxietl.",
            hint="It was left as it is. Replace it with --force, or change `key` in the profile.",
        )
    plan = _decided(
        version,
        sha256,
        goes_to,
        transforms=transforms,
        force=force,
        loaded_last_modified=loaded_last_modified,
    )
    if plan.action in ("load", "replace"):
        return replace(plan, action="replace" if goes_to.found else "load")
    return plan


def _decided(
    version: SourceVersion,
    sha256: str | None,
    goes_to: Destination,
    *,
    transforms: tuple[Transform, ...],
    force: bool,
    loaded_last_modified: datetime | None,
) -> Plan:
    standing = goes_to.standing
    known = standing.version
    if standing.state is State.MISSING:
        return Plan("load", "the object is gone")
    if force and (known or goes_to.found):
        return Plan("replace", "--force")
    if known is None:
        return Plan("load", "not in the lake yet")
    if standing.state is State.FOREIGN:
        return Plan("replace", f"the object {standing.problem}")
    plan = decide(
        version,
        sha256,
        entry_of(known, version.trip_file),
        transforms=transforms,
        force=False,
        loaded_last_modified=loaded_last_modified,
    ).allowed()
    if plan.action == "nothing" and standing.key != goes_to.key:
        return Plan("load", f"`key` puts it here now; until now it was {standing.key}")
    return plan


def entry_of(version: Version, trip_file: TripFile) -> Entry:
    """A version as a warehouse's ledger would have it."""
    facts = version.facts
    nothing: Mapping[str, int] = {}
    is_raw = facts.form is Form.RAW  # which no contract changes
    report = LoadReport(
        action="loaded",
        reason="",
        load_id=facts.upload_id,
        trip_file=trip_file,
        target="",
        table=facts.key,
        source=facts.source,
        source_url=facts.source_url,
        source_etag=facts.source_etag,
        source_bytes=facts.source_bytes,
        source_sha256=facts.source_sha256,
        era=facts.era or "",
        contract_version=facts.current_contract if is_raw else facts.contract_version,
        rows_read=facts.rows_read or 0,
        rows_loaded=facts.rows or 0,
        rows_dropped=facts.rows_dropped,
        rows_rejected=facts.rows_rejected,
        values_nulled=nothing,
        column_stats={},
        transforms=facts.transforms,
        new_columns=facts.columns_left_out,
        run_id=facts.run_id,
        run_name=facts.run_name,
        taxietl_version=facts.taxietl_version,
        loaded_at=uploaded_at(facts),
    )
    return Entry(report, rows_present=report.rows_loaded)
