"""The tutorial's second flow, in its words: a month from the web into a bucket."""

from pathlib import Path

import pandas as pd
from prefect_gcp.cloud_storage import GcsBucket

from prefect import flow, task


@task(retries=3)
def fetch(dataset_url: str) -> pd.DataFrame:
    """Read the month"""
    return pd.read_csv(dataset_url)


@task(log_prints=True)
def clean(df: pd.DataFrame) -> pd.DataFrame:
    """Make times of texts"""
    for column in ("tpep_pickup_datetime", "tpep_dropoff_datetime"):
        df[column] = pd.to_datetime(df[column])
    print(f"columns: {df.dtypes}")
    print(f"rows: {len(df)}")
    return df


@task()
def write_local(df: pd.DataFrame, color: str, dataset_file: str) -> Path:
    """Write it as Parquet"""
    path = Path(f"data/{color}/{dataset_file}.parquet")
    df.to_parquet(path, compression="gzip")
    return path


@task()
def write_gcs(path: Path) -> None:
    """Send it to the bucket"""
    gcs_block = GcsBucket.load("zoom-gcs")
    gcs_block.upload_from_path(from_path=path, to_path=path)


@flow()
def etl_web_to_gcs(base_url: str) -> None:
    """The whole"""
    color = "yellow"
    year = 2021
    month = 1
    dataset_file = f"{color}_tripdata_{year}-{month:02}"
    dataset_url = f"{base_url}/{dataset_file}.csv.gz"

    df = fetch(dataset_url)
    df_clean = clean(df)
    path = write_local(df_clean, color, dataset_file)
    write_gcs(path)
