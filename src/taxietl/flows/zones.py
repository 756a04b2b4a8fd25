"""Bring the zone look-up table into a warehouse or a lake."""

from __future__ import annotations

from taxietl.config import LakeProfile, settings
from taxietl.errors import ConfigError
from taxietl.extract.zones import zone_file
from taxietl.flows import retries
from taxietl.flows.warehouse import loader
from taxietl.orchestrator import current_cancellation, current_run, flow, get_run_logger, task
from taxietl.steps.zones import ZoneFile, ZoneLoader, ZoneReport, ZoneRequest
from taxietl.transform.zones import read_zones


@task(retry=retries.TRANSFERS, tags={"tlc"})
def extract_zones(source: str) -> ZoneFile:
    """Have the file's bytes."""
    return zone_file(source, cancellation=current_cancellation())


@task
def load_zones(file: ZoneFile, to: str) -> ZoneReport:
    """Replace the table whole, or leave it if it is as it should be."""
    return zone_loader(to).load_zones(_request(file), current_cancellation())


@task(persist_result=False, tags={"gcs"})
def upload_zones(file: ZoneFile, to: str) -> ZoneReport:
    """The same in a lake, whose tasks share a limit."""
    return zone_loader(to).load_zones(_request(file), current_cancellation())


@flow(name="Load zones")
def ingest_zones(source: str, to: str) -> ZoneReport:
    """Bring the zone look-up table into warehouse or lake; a second run leaves it as it is."""
    file = extract_zones(source)
    report = upload_zones(file, to) if _is_lake(to) else load_zones(file, to)
    get_run_logger().info("%s: %s", report.table, report.reason)
    return report


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


def _request(file: ZoneFile) -> ZoneRequest:
    run = current_run()
    return ZoneRequest(
        file=file,
        zones=read_zones(file.content, name=file.url.rpartition("/")[2]),
        run_id=run.id if run else "",
        run_name=run.name if run else "",
    )
