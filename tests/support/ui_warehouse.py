"""A warehouse and a lake in which months are as months can be, to be looked at in the dashboard."""

from __future__ import annotations

from pathlib import Path

from taxietl.config import activate, load_settings
from taxietl.extract.synthetic import write
from taxietl.flows.drop import DropOptions, drop_month
from taxietl.flows.ingest import IngestOptions, ingest
from taxietl.flows.upload import upload_month
from taxietl.flows.upload_plan import UploadOptions
from taxietl.runtime import open_engine
from taxietl.tlc.trip_file import TripFile

PLANTED = "<script>document.title='planted'</script>"


def fill_warehouse(home: Path, folder: Path, *, config: Path | None = None) -> None:
    """January twice, March once; February is dropped again, April refused; all green, of 2021.

    Args:
        home: of the history and the warehouse.
        folder: where to make the months' files.
        config: has a lake for January and March.
    """
    folder.mkdir(exist_ok=True)
    for month in (1, 2, 3):
        path = folder / f"green_tripdata_2021-{month:02d}.csv"
        write(path, "green", 2021, month, rows=80 * month)
    (folder / "green_tripdata_2021-04.csv").write_text(f"a,{PLANTED}\n1,2\n")
    activate(load_settings(home=home, config=config))
    try:
        with open_engine() as engine:
            for number, rounds in ((1, 2), (2, 1), (3, 1), (4, 1)):
                for again in range(rounds):
                    options = IngestOptions(source=str(folder), force=again > 0)
                    engine.run(ingest, TripFile("green", 2021, number), options)
            engine.run(drop_month, TripFile("green", 2021, 2), DropOptions(on="warehouse"))
            for number in (1, 3) if config else ():
                into_lake = UploadOptions(source=str(folder))
                engine.run(upload_month, TripFile("green", 2021, number), into_lake)
    finally:
        activate(None)
