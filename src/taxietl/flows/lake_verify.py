"""Hold all that lies in a lake to its manifests, as a run: others see when, and what came of it."""

from __future__ import annotations

from taxietl.flows.lake import open_lake
from taxietl.load.lake.inspection import Finding, verify
from taxietl.orchestrator import attach_event, flow, task

LISTED = 100
"""Damaged objects that the event names."""


@task(persist_result=False, tags={"gcs"})
def check_objects(name: str, color: str | None) -> list[Finding]:
    """Hold the objects of a colour, or all there are, to their manifests."""
    return verify(open_lake(name), color=color)


@flow(name="Verify the lake", run_name="verify-{name}")
def verify_lake(name: str, colors: tuple[str, ...] = ()) -> list[Finding]:
    """Compare each object's checksum and footer with its manifest; changes nothing.

    Attaches the event `damaged` where an object is, and else `verified`.

    Args:
        name: the lake's profile.
        colors: only these; left out, all there is, the zone table included.
    """
    found = [each for color in colors or (None,) for each in check_objects(name, color)]
    damaged = [each for each in found if each.problems]
    address, of = open_lake(name).store.address, f" ({', '.join(colors)})" if colors else ""
    if damaged:
        listed = {each.key: "; ".join(each.problems) for each in damaged[:LISTED]}
        said = f"{len(damaged)} of {len(found)} objects in {address}{of} are damaged"
        attach_event("damaged", said, objects=len(found), damaged=len(damaged), problems=listed)
    else:
        said = f"all {len(found)} objects in {address}{of} are whole"
        attach_event("verified", said, objects=len(found))
    return found
