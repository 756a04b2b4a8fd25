"""The tutorial's flows of the cloud, with their imports changed as docs/from-prefect.md says."""

from __future__ import annotations

import functools
import io
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from bigquery import BigQuery
from bq_home import both, configuration
from gcs import Gcs
from pages import run

from taxietl.extract.synthetic import write

KEY = "data/yellow/yellow_tripdata_2021-01.parquet"
TUTORIAL = Path(__file__).parent / "tutorial"


class Quiet(SimpleHTTPRequestHandler):
    """`python -m http.server`, without its log."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has January 2021."""
    folder = tmp_path / "web"
    folder.mkdir()
    write(folder / "yellow_tripdata_2021-01.csv.gz", "yellow", 2021, 1, rows=300, seed=1)
    handler = functools.partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def imports_changed(text: str) -> str:
    text = re.sub(
        r"^from prefect_(gcp|sqlalchemy)[\w.]*", r"from taxietl.prefect.\1", text, flags=re.M
    )
    return re.sub(r"^from prefect\b", "from taxietl.prefect", text, flags=re.M)


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    """A folder with the flows and the folder that they write to."""
    folder = tmp_path / "flows"
    (folder / "data" / "yellow").mkdir(parents=True)
    for file in TUTORIAL.glob("*.py"):
        (folder / file.name).write_text(imports_changed(file.read_text()))
    return folder


def typed(line: str, folder: Path) -> str:
    """What a command says, that has to succeed."""
    done = run(line.split(), folder, with_log=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_month_goes_from_the_web_to_the_bucket(flows: Path, web: str) -> None:
    with both() as (gcs, bigquery):
        configure(flows, gcs, bigquery, web)

        said = typed(f"taxietl run etl_web_to_gcs.py:etl_web_to_gcs -p base_url={web}", flows)

        (sent,) = gcs.bucket("lake").objects.values()
    assert sent.name == KEY
    assert len(pd.read_parquet(io.BytesIO(sent.data))) == 300
    assert "Task run 'clean-0' - rows: 300" in said
    assert "All states completed." in said


def test_a_month_goes_from_the_bucket_to_bigquery(flows: Path, web: str) -> None:
    with both() as (gcs, bigquery):
        configure(flows, gcs, bigquery, web)
        typed("taxietl upload-gcs --color yellow --year 2021 --month 1 --source web", flows)

        said = typed("taxietl run etl_gcs_to_bq.py:etl_gcs_to_bq", flows)
        again = typed("taxietl run etl_gcs_to_bq.py:etl_gcs_to_bq", flows)

    assert len(pd.read_parquet(flows.parent / "fetched" / KEY)) == 300
    (table,) = bigquery.store.datasets["trips"].tables.values()
    assert [each.num_rows for each in table.partitions.values()] == [300]
    assert "post: missing passenger count: 0" in said
    assert "All states completed." in again
    assert len(bigquery.store.jobs) == 1


def configure(folder: Path, gcs: Gcs, bigquery: BigQuery, web: str) -> None:
    text = configuration(gcs, bigquery)
    lake = text[: text.index("[profiles.bigquery]")].replace("profiles.lake", "profiles.zoom-gcs")
    months = f"{web}/{{color}}_tripdata_{{year}}-{{month:02}}.csv.gz"
    (folder / "taxietl.toml").write_text(f"{text}{lake}[sources.web]\nurl = '{months}'\n")
