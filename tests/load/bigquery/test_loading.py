"""One load, whatever happens on the way: random faults, and two at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bigquery import BigQuery
from bigquery_store import JobFailed
from gcs import Gcs
from lakes import BucketLake, Slept

from taxietl.errors import TargetError, TaxietlError
from taxietl.load.bigquery.loading import load
from taxietl.load.bigquery.plan import plan_load
from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.bigquery.service import Service
from taxietl.load.bigquery.source import month_in
from taxietl.load.bigquery.values import PlannedLoad
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.parquet import lake_schema
from taxietl.load.lake.patience import Patience
from taxietl.load.lake.values import Form
from taxietl.tlc.trip_file import TripFile

JANUARY = TripFile("green", 2021, 1)
KEY = "data/green/green_tripdata_2021-01.parquet"
ROWS = 5


@dataclass
class Way:
    """From a lake that has January into BigQuery."""

    lake: BucketLake
    bigquery: BigQuery

    def service(self) -> Service:
        """A client of its own."""
        patience = Patience(attempts=4, silence_seconds=30, sleep=Slept(), rng=Random(1))
        return Service(self.profile, patience=patience)

    @property
    def profile(self) -> BigQueryProfile:
        nobody = GcpCredentialsProfile(anonymous=True)
        made = BigQueryProfile(
            project="p", dataset="trips", location="US", endpoint=self.bigquery.url
        )
        return made.referring("credentials", nobody)

    def plan(self, *, force: bool = False) -> PlannedLoad:
        """What is to be done now."""
        month = month_in(self.lake.lake, JANUARY, heal=True)
        return plan_load(self.service(), month, self.profile, self.lake.profile, force=force)

    def load(self, planned: PlannedLoad) -> str:
        """Do it; the job's name."""
        return load(self.service(), self.lake.lake, planned).id


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    gcs = Gcs()
    gcs.bucket("lake")
    bigquery = BigQuery(gcs)
    schema = lake_schema(JANUARY.dataset)
    empty = pa.nulls(ROWS)
    columns = [empty.cast(each.type) for each in schema][:-1]
    month = pa.array([date(2021, 1, 1)] * ROWS, pa.date32())
    path = tmp_path / "month.parquet"
    pq.write_table(pa.Table.from_arrays([*columns, month], schema=schema), path)
    with gcs.serving(), bigquery.serving():
        lake = BucketLake(gcs)
        lake.put(
            path, color="green", form=Form.PARQUET, key=KEY, rows=ROWS,
            contract_version=JANUARY.dataset.contract_version,
        )  # fmt: skip
        yield Way(lake, bigquery)


def tried(do: Callable[[], object]) -> bool:
    """Whether it was done."""
    try:
        do()
    except TaxietlError:
        return False
    return True


def fail_somewhere(rng: Random, bigquery: BigQuery) -> None:
    """Some faults of requests and of jobs, in any place."""
    kinds = ("dataset.get", "datasets.post", "table.get", "jobs.post", "job.get", "queries.post")
    for _ in range(rng.randrange(1, 8)):
        how = rng.choice(({"lose_answer": True}, {"status": 503}, {"status": 429}))
        bigquery.fail(rng.choice(kinds), **how, after=rng.randrange(4), times=rng.randrange(1, 4))
    reasons = ("backendError", "invalid", "internalError")
    bigquery.store.job_errors = [
        JobFailed(rng.choice(reasons), "no") for _ in range(rng.randrange(3))
    ]
    bigquery.store.polls = rng.randrange(3)


@pytest.mark.parametrize("seed", range(12))
def test_random_faults_end_in_one_load(way: Way, seed: int) -> None:
    fail_somewhere(Random(seed), way.bigquery)

    runs = 1
    while not tried(lambda: way.plan().action == "nothing" or way.load(way.plan())):
        runs += 1
        assert runs < 30

    assert way.plan().action == "nothing"
    assert way.bigquery.rows() == {"202101": ROWS}
    assert len(way.bigquery.store.written) == 1
    failed = [state for state in way.bigquery.states().values() if state != "DONE"]
    assert len(way.bigquery.states()) == len(failed) + 1


def test_two_that_planned_the_same_share_one_job(way: Way) -> None:
    plans = [way.plan(), way.plan()]
    way.bigquery.store.polls = 3
    together, jobs = threading.Barrier(2), []

    def run(planned: PlannedLoad) -> None:
        together.wait()
        jobs.append(way.load(planned))

    threads = [threading.Thread(target=run, args=(each,)) for each in plans]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert jobs == [plans[0].job] * 2
    assert way.bigquery.store.written == [plans[0].job]


def test_a_job_that_vanished_is_told(way: Way) -> None:
    planned = way.plan()
    way.bigquery.store.polls = 10**6
    way.bigquery.fail("job.get", status=404, reason="notFound", after=2)

    with pytest.raises(TargetError, match="is not in BigQuery any more"):
        way.load(planned)


def test_force_while_a_job_is_under_way_waits_for_that_one(way: Way) -> None:
    way.bigquery.store.polls = 2
    begun = way.plan()
    way.service().make_dataset("US")
    way.service().begin(begun.job, begun.month, "US")

    planned = way.plan(force=True)

    assert (planned.action, planned.job) == ("wait", begun.job)
    assert way.load(planned) == begun.job
    assert way.plan(force=True).job.endswith("-a2")
