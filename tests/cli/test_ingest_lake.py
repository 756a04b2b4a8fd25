"""`taxietl ingest --source lake`: from the web into the lake, and on into a warehouse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from command import Taxietl, check_refused
from gcs import Gcs

from taxietl.extract.synthetic import write

MONTHS = [("yellow", 2009, 1), ("yellow", 2021, 1), ("green", 2013, 8), ("fhv", 2018, 2)]


@pytest.mark.parametrize(
    ("color", "year", "month"), [*MONTHS, ("fhvhv", 2019, 2), ("fhvhv", 2025, 1)]
)
def test_what_goes_through_the_lake_is_what_comes_from_the_file(
    taxietl: Taxietl, tmp_path: Path, color: str, year: int, month: int
) -> None:
    Path("taxietl.toml").write_text(
        "[profiles.lake]\ntype = 'folder'\npath = 'lake'\n"
        "[profiles.direct]\ntype = 'duckdb'\npath = 'direct.duckdb'\n"
        "[profiles.through]\ntype = 'duckdb'\npath = 'through.duckdb'\n"
    )
    file = tmp_path / f"{color}_tripdata_{year}-{month:02d}.csv.gz"
    write(file, color, year, month, rows=300)
    trips = ("--color", color, "--year", year, "--month", month)

    assert taxietl("upload-gcs", *trips, "--source", file).code == 0
    assert taxietl("ingest", *trips, "--source", file, "--to", "direct").code == 0
    assert taxietl("ingest", *trips, "--source", "lake", "--to", "through").code == 0
    again = taxietl("ingest", *trips, "--source", "lake", "--to", "through", "--json")

    assert again.document["months"][0]["action"] == "nothing to do"
    with duckdb.connect() as both:
        for name in ("direct", "through"):
            both.execute(f"ATTACH '{name}.duckdb' AS {name} (READ_ONLY)")
        for one, other in (("direct", "through"), ("through", "direct")):
            assert (
                both.execute(
                    f"SELECT * FROM {one}.{color}_trips EXCEPT ALL FROM {other}.{color}_trips"
                ).fetchall()
                == []
            )
        assert both.execute(f"SELECT count(*) > 200 FROM through.{color}_trips").fetchall() == [
            (True,)
        ]


def test_a_month_that_is_not_in_the_lake_is_a_matter_of_the_source(taxietl: Taxietl) -> None:
    Path("taxietl.toml").write_text("[profiles.lake]\ntype = 'folder'\npath = 'lake'\n")

    done = taxietl("ingest", "--color", "green", "--year", 2021, "--month", 1, "--source", "lake")

    check_refused(done, 3, "has no green-2021-01", "taxietl upload-gcs")


@pytest.mark.parametrize("scheme", ["gs", "gcs"])
def test_a_buckets_address_is_asked_as_the_profile_of_that_bucket_says(
    taxietl: Taxietl, tmp_path: Path, scheme: str
) -> None:
    file = tmp_path / "month.csv.gz"
    write(file, "green", 2021, 1, rows=200)
    service = Gcs()
    service.bucket("trips")
    with service.serving():
        service.bucket("trips").insert("in/green-2021-01.csv.gz", file.read_bytes(), {}, None)
        Path("taxietl.toml").write_text(
            f"[profiles.theirs]\ntype = 'gcs'\nbucket = 'trips'\nendpoint = '{service.url}'\n"
            "credentials = 'nobody'\n"
            "[profiles.nobody]\ntype = 'gcp-credentials'\nanonymous = true\n"
        )
        trips = ("--color", "green", "--year", 2021, "--month", 1)
        address = f"{scheme}://trips/in/{{color}}-{{year}}-{{month:02}}.csv.gz"
        done = taxietl("ingest", *trips, "--source", address, "--json")
        none = taxietl("ingest", *trips, "--source", f"{scheme}://", "--json")

    assert done.code == 0, done.err
    assert done.document["months"][0]["rows_read"] == 200
    check_refused(none, 2, "names no bucket", "gs://BUCKET/KEY")


@pytest.mark.parametrize(
    ("profile", "command"),
    [
        ("type = 'folder'\npath = 'lake'", "taxietl upload-gcs"),
        ("type = 'gcs'\nbucket = 'lake'", "taxietl upload-gcs"),
        ("type = 'bigquery'\nproject = 'my-project'\ndataset = 'trips'", "taxietl load-bq"),
    ],
    ids=["folder", "gcs", "bigquery"],
)
def test_a_profile_that_is_no_warehouse_comes_with_what_brings_months_there(
    taxietl: Taxietl, profile: str, command: str
) -> None:
    Path("taxietl.toml").write_text(f"[profiles.other]\n{profile}\n")
    month = ("--color", "green", "--year", 2021, "--month", 1)

    done = taxietl("ingest", *month, "--source", "synthetic", "--to", "other")

    check_refused(done, 2, "is no warehouse", command, "Profiles of these: warehouse.")
