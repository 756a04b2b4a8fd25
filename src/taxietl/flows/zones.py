"""Bring the zone look-up table into a warehouse or a lake."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.config import LakeProfile, settings
from taxietl.errors import ConfigError
from taxietl.extract.zones import zone_file
from taxietl.flows import retries
from taxietl.flows.data_events import Loaded, attach_restated
from taxietl.flows.warehouse import loader
from taxietl.orchestrator import current_cancellation, current_run, flow, get_run_logger, task
from taxietl.steps.zones import ZoneFile, ZoneLoader, ZoneReport, ZoneRequest
from taxietl.tlc.zones import TABLE
from taxietl.transform.zones import read_zones


@task(retry=retries.TRANSFERS, tags={"tlc"})
def extract_zones(source: str) -> ZoneFile:
    """Have the file's bytes."""
    return zone_file(source, cancellation=current_cancellation())


@task
def load_zones(file: ZoneFile, to: str, force: bool = False) -> ZoneReport:
    """Replace the table whole, or leave it if it is as it should be."""
    return zone_loader(to).load_zones(_request(file, force), current_cancellation())


@task(persist_result=False, tags={"gcs"})
def upload_zones(file: ZoneFile, to: str, force: bool = False) -> ZoneReport:
    """The same in a lake, whose tasks share a limit."""
    return zone_loader(to).load_zones(_request(file, force), current_cancellation())


@flow(name="Load zones")
def ingest_zones(source: str, to: str, force: bool = False) -> ZoneReport:
    """Bring the zone look-up table into warehouse or lake; a second run leaves it as it is."""
    file = extract_zones(source)
    report = upload_zones(file, to, force) if _is_lake(to) else load_zones(file, to, force)
    get_run_logger().info("%s: %s", report.table, report.reason)
    old = report.replaced
    attach_restated(
        None,
        to,
        before=Loaded(old.source, old.source_sha256, old.rows_loaded) if old else None,
        after=Loaded(report.source, report.source_sha256, report.rows_loaded),
    )
    return report


@dataclass(frozen=True)
class PlannedZones:
    """What is to be done with the zone table."""

    action: str
    """`load`, `replace` or `nothing to do`."""

    reason: str
    table: str
    source: str
    source_url: str


def preview_zones(source: str, to: str, force: bool = False) -> PlannedZones:
    """What `ingest_zones` would do, without doing it; the file, which is small, is read."""
    file = extract_zones(source)
    action, reason = zone_loader(to).plan_zones(_request(file, force))
    done = "nothing to do" if action == "nothing" else action
    return PlannedZones(done, reason, TABLE, file.source, file.url)


def zone_loader(to: str) -> ZoneLoader:
    """The loader for the profile of that name.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: none that the zone table can be loaded into.
    """
    if _is_lake(to):
        from taxietl.flows.lake import open_lake
        from taxietl.load.lake.zones import LakeZones

        return LakeZones(open_lake(to))
    found = loader(to)
    if not isinstance(found, ZoneLoader):
        raise ConfigError(
            f"The zone table cannot be loaded into {to!r}.", hint="Name another profile with --to."
        )
    return found


def _is_lake(to: str) -> bool:
    return isinstance(settings().profile(to), LakeProfile)


def _request(file: ZoneFile, force: bool) -> ZoneRequest:
    run = current_run()
    return ZoneRequest(
        file=file,
        zones=read_zones(file.content, name=file.url.rpartition("/")[2]),
        run_id=run.id if run else "",
        run_name=run.name if run else "",
        force=force,
    )
