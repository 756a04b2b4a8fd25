"""A home in which something of each kind has happened, to be looked at in the dashboard."""

from __future__ import annotations

from pathlib import Path

from taxietl.orchestrator import (
    Cache,
    Engine,
    Retry,
    attach_event,
    flow,
    get_run_logger,
    task,
)

SCRIPT = "<script>document.title='planted'</script><img src=x onerror=alert(1)>"


@task(retry=Retry(on=OSError, attempts=2), cache=Cache(), tags={"tlc"})
def fetch(number: int) -> int:
    get_run_logger().info("fetching %d", number)
    if number == 13:
        raise OSError("connection reset by peer")
    return number * 10


@task
def load(numbers: list[int]) -> dict[str, object]:
    get_run_logger().warning("2 of %d look odd", len(numbers))
    return {
        "load_id": f"of {numbers}",
        "action": "loaded",
        "rows_read": 1000,
        "rows_loaded": 940,
        "rows_dropped": {"drop-zero-passengers": 50, "drop-outside-month": 8},
        "rows_rejected": 2,
        "values_nulled": {"tip_amount": 7},
    }


@flow(name="Ingest data", run_name="{name}")
def month(name: str, numbers: list[int]) -> None:
    found = [fetch(each) for each in numbers]
    attach_event("restated", "the TLC has changed 3 rows", rows=3)
    load(found)


@flow(name="Ingest months", run_name="both")
def months() -> None:
    month("yellow-2021-01", [1, 2])
    month("yellow-2021-02", [1, 2, 3])


@flow(run_name=SCRIPT)
def planted(text: str) -> None:
    get_run_logger().info(text)
    raise ValueError(text)


def fill(home: Path) -> str:
    """Run some flows there; gives the id of the one that has most to show."""
    with Engine(home) as engine:
        shown = engine.run(months).id
        engine.run(months)
        engine.run(month, "green-2021-13", [13])
        engine.run(planted, SCRIPT)
        for number in range(9):
            engine.run(month, f"fhv-{number}", [])
    return shown
