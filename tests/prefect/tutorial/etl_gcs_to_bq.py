"""The tutorial's third flow, in its words: a month from the bucket into BigQuery."""

from pathlib import Path

import pandas as pd
from prefect_gcp.cloud_storage import GcsBucket

from prefect import flow, task
from taxietl.flows.load_bq import BigQueryOptions, load_month
from taxietl.tlc.trip_file import TripFile


@task(retries=3)
def extract_from_gcs(color: str, year: int, month: int) -> Path:
    """Fetch the month from the bucket"""
    gcs_path = f"data/{color}/{color}_tripdata_{year}-{month:02}.parquet"
    gcs_block = GcsBucket.load("zoom-gcs")
    gcs_block.get_directory(from_path=gcs_path, local_path="../fetched/")
    return Path(f"../fetched/{gcs_path}")


@task(log_prints=True)
def transform(path: Path) -> pd.DataFrame:
    """Fill in what is missing"""
    df = pd.read_parquet(path)
    print(f"pre: missing passenger count: {df['passenger_count'].isna().sum()}")
    df["passenger_count"] = df["passenger_count"].fillna(0)
    print(f"post: missing passenger count: {df['passenger_count'].isna().sum()}")
    return df


@flow()
def etl_gcs_to_bq() -> None:
    """The whole"""
    color = "yellow"
    year = 2021
    month = 1

    path = extract_from_gcs(color, year, month)
    df = transform(path)
    assert len(df)
    # was: write_bq(df), which calls df.to_gbq(…)
    load_month(TripFile(color, year, month), BigQueryOptions(lake="zoom-gcs", to="bigquery"))
