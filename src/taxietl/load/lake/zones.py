"""The zone table in a lake: one Parquet file, put there as a month is."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from taxietl.errors import NotOursError
from taxietl.load.lake.checksum import crc32c_of
from taxietl.load.lake.lake import Lake
from taxietl.load.lake.standing import Standing, State
from taxietl.load.lake.values import ZONES_KEY, Facts, Form, Version, uploaded_at
from taxietl.steps.protocols import Cancellation, untold
from taxietl.steps.zones import PreviousZones, ZoneReport, ZoneRequest
from taxietl.tlc.zones import CONTRACT_VERSION, TABLE
from taxietl.version import __version__


class LakeZones:
    """See `steps.zones.ZoneLoader`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def plan_zones(self, request: ZoneRequest) -> tuple[str, str]:
        """See `steps.zones.ZoneLoader`."""
        standing = self._lake.standing(None, Form.PARQUET, else_at=ZONES_KEY).recorded()
        return decide_zones(request, standing, uri=self._lake.store.uri(ZONES_KEY))

    def load_zones(self, request: ZoneRequest, cancellation: Cancellation) -> ZoneReport:
        """Make the zones the lake's, unless they are it already; heals a manifest without them.

        Raises:
            NotOursError: something that taxietl did not put there has their key.
            TryLaterError: somebody else put them there meanwhile.
            TargetError: the lake refused; it is as it was.
        """
        found = self._lake.standing(None, Form.PARQUET, else_at=ZONES_KEY)
        if crashed := found.unrecorded:
            self._lake.record(crashed)
        standing = found.recorded()
        action, reason = decide_zones(request, standing, uri=self._lake.store.uri(ZONES_KEY))
        if action == "nothing" and standing.version is not None:
            healed = "; its manifest lacked that, as after a crash, and has it now"
            reason += healed if crashed else ""
            return self._report(standing.version, "nothing to do", reason)
        version = self._put(request, standing, cancellation)
        self._lake.record(version)
        if action == "load" or standing.version is None:
            return self._report(version, "loaded" if action == "load" else "replaced", reason)
        old = standing.version.facts
        replaced = PreviousZones(old.source, old.source_sha256, old.rows or 0)
        return replace(self._report(version, "replaced", reason), replaced=replaced)

    def _put(self, request: ZoneRequest, standing: Standing, cancellation: Cancellation) -> Version:
        # Loads pyarrow, which finding nothing to do does not need.
        from taxietl.load.lake.parquet import schema_digest, write_zones, zones_schema

        with TemporaryDirectory(prefix="taxietl-") as folder:
            path = Path(folder) / "zones.parquet"
            write_zones(request.zones, path)
            return self._lake.put(
                path,
                _facts(request, path, schema_digest(zones_schema())),
                if_generation=standing.found.generation if standing.found else 0,
                cancellation=cancellation,
                progress=untold,
            )

    def _report(self, version: Version, action: str, reason: str) -> ZoneReport:
        facts = version.facts
        return ZoneReport(
            action=action,
            reason=reason,
            load_id=facts.upload_id,
            target=self._lake.store.uri(facts.key),
            table=TABLE,
            source=facts.source,
            source_url=facts.source_url,
            source_bytes=facts.source_bytes,
            source_sha256=facts.source_sha256,
            rows_loaded=facts.rows or 0,
            run_id=facts.run_id,
            run_name=facts.run_name,
            taxietl_version=facts.taxietl_version,
            loaded_at=uploaded_at(facts),
        )


def decide_zones(request: ZoneRequest, standing: Standing, *, uri: str) -> tuple[str, str]:
    """`load`, `replace` or `nothing`, and why; as `steps.zones.decide`, which knows tables.

    Raises:
        NotOursError: something else lies where the zones go.
    """
    known = standing.version
    if standing.found is None:
        return "load", "not in the lake yet" if known is None else "the object is gone"
    if request.force:
        return "replace", "--force"
    if known is None:
        raise NotOursError(
            f"{uri} was not put there by taxietl.",
            hint="It was left as it is. Move it away, or replace it with --force.",
        )
    facts = known.facts
    if standing.state is State.FOREIGN:
        return "replace", f"the object {standing.problem}"
    if facts.source_sha256 != request.file.sha256:
        before, now = facts.source_sha256[:12], request.file.sha256[:12]
        return "replace", f"restated: SHA-256 {before} became {now}"
    if facts.contract_version != CONTRACT_VERSION:
        before, now = facts.contract_version, CONTRACT_VERSION
        return "replace", f"uploaded under contract {before}; the current one is {now}"
    return "nothing", (
        f"the same file (SHA-256 {facts.source_sha256[:12]}); {facts.rows:,} zones "
        f"uploaded by run {facts.run_name!r}"
    )


def _facts(request: ZoneRequest, path: Path, schema: str) -> Facts:
    file, rows = request.file, len(request.zones)
    return Facts(
        color=None,
        month=None,
        form=Form.PARQUET,
        key=ZONES_KEY,
        size_bytes=path.stat().st_size,
        crc32c=crc32c_of(path),
        rows=rows,
        rows_read=rows,
        rows_dropped={},
        rows_rejected=0,
        values_nulled={},
        columns_left_out=(),
        source=file.source,
        source_url=file.url,
        source_etag=None,
        source_bytes=len(file.content),
        source_sha256=file.sha256,
        era=None,
        contract_version=CONTRACT_VERSION,
        schema=schema,
        transforms=(),
        run_id=request.run_id,
        run_name=request.run_name,
        taxietl_version=__version__,
        uploaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        upload_id=str(uuid.uuid4()),
    )
