"""Blocks of Prefect's are profiles and values of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from typing import Any

import pandas as pd
import pytest
from gcs import Gcs
from sqlalchemy import text

from taxietl.config import activate, load_settings
from taxietl.errors import ConfigError, DataError, UnknownNameError
from taxietl.prefect import GcpCredentials, GcsBucket, Secret, SqlAlchemyConnector, Variable

Configure = Callable[[str], Path]


@pytest.fixture
def configure(tmp_path: Path) -> Iterator[Configure]:
    """Puts a configuration in force, and gives its file."""
    file = tmp_path / "taxietl.toml"

    def configure(content: str) -> Path:
        file.write_text(content)
        activate(load_settings(config=file, home=tmp_path / "home"))
        return file

    yield configure
    activate(None)


@pytest.fixture
def bucket(configure: Configure) -> Iterator[tuple[GcsBucket, Gcs]]:
    gcs = Gcs()
    gcs.bucket("lake")
    with gcs.serving():
        configure(
            "[profiles.zoom-gcs]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'creds'\n"
            f"endpoint = '{gcs.url}'\n"
            "[profiles.creds]\ntype = 'gcp-credentials'\nanonymous = true\n"
        )
        yield GcsBucket.load("zoom-gcs"), gcs


def objects(gcs: Gcs) -> dict[str, bytes]:
    return {key: each.data for key, each in gcs.bucket("lake").objects.items()}


def test_a_connector_is_a_profile_of_postgresql(
    configure: Configure, warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", warehouse)
    configure("[profiles.pg-connector]\ntype = 'postgres'\nurl = { env = 'DATABASE_URL' }\n")
    trips = pd.DataFrame({"id": [1, 2, 3]})

    with SqlAlchemyConnector.load("pg-connector") as block:
        with block.get_connection(begin=False) as engine:
            trips.head(0).to_sql("trips", engine, if_exists="replace", index=False)
            trips.to_sql("trips", engine, if_exists="append", index=False)
        block.execute("INSERT INTO trips VALUES (:id)", {"id": 4})
        block.execute_many("INSERT INTO trips VALUES (:id)", [{"id": 5}, {"id": 6}])
        query = "SELECT id FROM trips WHERE id > :least ORDER BY id"
        assert block.fetch_many(query, {"least": 1}, size=2) == [(2,), (3,)]
        assert block.fetch_one(query, {"least": 1}) == (4,)
        assert block.fetch_all(query, {"least": 1}) == [(5,), (6,)]
        block.reset_cursors()
        assert block.fetch_many(query, {"least": 1}) == [(2,)]
        with suppress(ValueError), block.get_connection() as connection:
            connection.execute(text("DELETE FROM trips"))
            raise ValueError
        with block.get_connection(begin=True) as connection:
            connection.execute(text("DELETE FROM trips WHERE id > 1"))
        assert block.fetch_all("SELECT id FROM trips") == [(1,)]


def test_a_bucket_is_a_profile_and_its_keys_have_slashes(
    bucket: tuple[GcsBucket, Gcs], tmp_path: Path
) -> None:
    block, gcs = bucket
    file = tmp_path / "jan.parquet"
    file.write_bytes(b"rows")

    on_windows = str(PureWindowsPath("data", "green", "jan.parquet"))
    assert block.upload_from_path(from_path=file, to_path=on_windows) == "data/green/jan.parquet"
    assert block.upload_from_path(file) == "jan.parquet"
    assert block.write_path("data/note", b"hello") == "data/note"
    assert block.read_path("data/note") == b"hello"
    assert sorted(objects(gcs)) == ["data/green/jan.parquet", "data/note", "jan.parquet"]

    fetched = block.get_directory(from_path=r"data\green", local_path=tmp_path / "local")
    assert [each.read_bytes() for each in fetched] == [b"rows"]
    assert fetched == [tmp_path / "local" / "data" / "green" / "jan.parquet"]
    again = block.download_object_to_path("data/note", tmp_path / "deep" / "note")
    assert again.read_text() == "hello"
    assert block.list_blobs("data/") == ["data/green/jan.parquet", "data/note"]
    assert block.upload_from_folder(tmp_path / "local" / "data", "copy") == "copy"
    assert "copy/green/jan.parquet" in objects(gcs)


def test_an_object_that_leads_out_of_the_folder_is_not_fetched(
    bucket: tuple[GcsBucket, Gcs], tmp_path: Path
) -> None:
    block, gcs = bucket
    gcs.bucket("lake").insert("a/../../b", b"x", {"name": "a/../../b"}, None)

    with pytest.raises(DataError, match="would lie outside"):
        block.get_directory("a", tmp_path)


@pytest.mark.parametrize(
    ("kind", "key"),
    [("csv_gzip", "data/jan.csv.gz"), ("parquet_snappy", "data/jan.snappy.parquet")],
)
def test_a_frame_is_sent_as_csv_or_parquet(
    kind: str, key: str, bucket: tuple[GcsBucket, Gcs], tmp_path: Path
) -> None:
    block, _ = bucket
    trips = pd.DataFrame({"id": [1, 2], "flag": ["Y", "N"]})

    assert block.upload_from_dataframe(trips, r"data\jan", serialization_format=kind) == key

    path = block.download_object_to_path(key, tmp_path / key)
    read: Any = pd.read_csv if "csv" in kind else pd.read_parquet
    pd.testing.assert_frame_equal(read(path), trips)


def test_credentials_are_a_profile(bucket: tuple[GcsBucket, Gcs]) -> None:
    credentials = GcpCredentials.load("creds").get_credentials_from_service_account()
    assert type(credentials).__name__ == "AnonymousCredentials"
    with pytest.raises(ConfigError, match=r"is of type 'gcs'; what is needed here is postgres"):
        SqlAlchemyConnector.load("zoom-gcs")


@pytest.mark.parametrize(
    ("load", "lines"),
    [
        (SqlAlchemyConnector.load, '[profiles.mine]\ntype = "postgres"\nurl = { env = "DATA'),
        (GcsBucket.load, '[profiles.mine]\ntype = "gcs"\nbucket = "NAME"'),
        (GcpCredentials.load, '[profiles.mine]\ntype = "gcp-credentials"\nservice_account_file ='),
        (Secret.load, '[variables]\nmine = { env = "MINE" }'),
    ],
)
def test_a_block_that_is_not_there_says_what_to_write(
    load: Callable[[str], object], lines: str, configure: Configure
) -> None:
    file = configure("")

    with pytest.raises(UnknownNameError, match="'mine'") as refused:
        load("mine")

    assert f"Write in {file}:\n{lines}" in refused.value.hint


def test_a_block_is_neither_made_nor_saved_in_code() -> None:
    for kind in (SqlAlchemyConnector, GcsBucket, GcpCredentials):
        with pytest.raises(ConfigError, match="is a profile") as refused:
            kind(name="x")
        assert "taxietl profiles add" in refused.value.hint


def test_variables_are_values_of_the_configuration(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_URL", "https://hooks.example.com/s3cret")
    monkeypatch.setenv("TAXIETL_VARIABLES__YEAR", "2022")
    file = configure(
        "[variables]\nbucket = 'mine'\nyear = 2021\nmonths = [1, 2]\n"
        "slack = { env = 'SLACK_URL' }\n"
    )

    assert [Variable.get(each) for each in ("bucket", "months", "year")] == ["mine", [1, 2], "2022"]
    assert Variable.get("other", default=3) == 3
    assert Secret.load("slack").get() == "https://hooks.example.com/s3cret"
    assert Secret.load("bucket").get() == "mine"
    assert "s3cret" not in repr(Secret.load("slack"))
    with pytest.raises(ConfigError, match="slack is a secret"):
        Variable.get("slack")
    with pytest.raises(ConfigError, match="does not change") as refused:
        Variable.set("bucket", "yours")
    assert f"[variables] in {file}: bucket = …" in refused.value.hint


def test_a_variable_that_is_a_table_is_a_secrets_place(configure: Configure) -> None:
    with pytest.raises(ConfigError, match=r"variables\.slack: unknown key 'vault' in a secret"):
        configure("[variables]\nslack = { vault = 'x' }\n")
