"""Bring the zone look-up table into a warehouse."""

from __future__ import annotations

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
    run = current_run()
    request = ZoneRequest(
        file=file,
        zones=read_zones(file.content, name=file.url.rpartition("/")[2]),
        run_id=run.id if run else "",
        run_name=run.name if run else "",
    )
    return zone_loader(to).load_zones(request, current_cancellation())


@flow(name="Load zones")
def ingest_zones(source: str, to: str) -> ZoneReport:
    """Bring the zone look-up table into the warehouse; a second run leaves it as it is."""
    report = load_zones(extract_zones(source), to)
    get_run_logger().info("%s: %s", report.table, report.reason)
    return report


def zone_loader(to: str) -> ZoneLoader:
    """The loader for the profile of that name.

    Raises:
        UnknownNameError: no such profile.
        ConfigError: none that the zone table can be loaded into.
    """
    found = loader(to)
    if not isinstance(found, ZoneLoader):
        raise ConfigError(
            f"The zone table cannot be loaded into {to!r}.", hint="Name another profile with --to."
        )
    return found
