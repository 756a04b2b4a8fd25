"""A home whose lake is in a stand-in of Cloud Storage, and whose dataset is in one of BigQuery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bigquery import BigQuery
from command import Done
from documents import check
from gcs import Gcs

from taxietl.extract.synthetic import write

MONTH = ("--color", "green", "--year", 2021)
KEY = "data/green/green_tripdata_2021-{:02d}.parquet"


Command = Callable[..., Done]


def configuration(gcs: Gcs, bigquery: BigQuery, **more: str) -> str:
    """What `taxietl.toml` says; `more` is for the profile `bigquery`."""
    extra = "".join(f"{key} = '{value}'\n" for key, value in more.items())
    return (
        "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'gcp'\n"
        f"endpoint = '{gcs.url}'\n"
        "[profiles.bigquery]\ntype = 'bigquery'\nproject = 'p'\ndataset = 'trips'\n"
        f"credentials = 'gcp'\nendpoint = '{bigquery.url}'\n{extra}"
        "[profiles.gcp]\ntype = 'gcp-credentials'\nanonymous = true\n"
    )


@contextmanager
def both() -> Iterator[tuple[Gcs, BigQuery]]:
    """The services, with a bucket `lake` and no dataset yet."""
    gcs = Gcs()
    gcs.bucket("lake")
    bigquery = BigQuery(gcs)
    with gcs.serving(), bigquery.serving():
        yield gcs, bigquery


def write_month(folder: Path, month: int, *, rows: int = 200, seed: int = 0) -> None:
    """A month of green, under the TLC's name."""
    folder.mkdir(exist_ok=True)
    path = folder / f"green_tripdata_2021-{month:02d}.csv.gz"
    write(path, "green", 2021, month, rows=rows, seed=seed)


def only(done: Done) -> Any:
    """The one month that was done."""
    assert done.code == 0, done.err
    check(done.document, "load_bq")
    (month,) = done.document["months"]
    return month


def generation(gcs: Gcs, month: int = 1) -> int:
    """Of the month's object."""
    return gcs.bucket().objects[KEY.format(month)].generation
