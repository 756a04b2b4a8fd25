"""`taxietl load-bq` as a user types it: real client, real HTTP, a stand-in that is strict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bigquery import BigQuery
from bq_home import KEY, MONTH, Command, generation, only
from command import Taxietl, check_refused
from documents import check
from gcs import Gcs


def test_a_month_goes_from_the_lake_into_its_partition(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()

    done = load("-q")

    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "green-2021-01  loaded: 200 rows",
        "  p.trips.green_trips, partition 202101, in US",
        f"  job taxietl-trips-green_trips-202101-g{generation(gcs)}-a1",
        "  run 'green-2021-01-2'",
    ]
    assert bigquery.rows() == {"202101": 200}


def test_a_second_run_loads_nothing_and_says_so(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()

    first, second = only(load("--json")), only(load("--json"))

    assert (first["action"], second["action"]) == ("loaded", "nothing to do")
    assert second["reason"] == f"200 rows loaded by job {first['job']}"
    assert second["job"] == first["job"]
    assert len(bigquery.states()) == 1


def test_the_columns_are_those_of_the_contract(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()

    table = bigquery.table("green_trips")
    kinds = {each["name"]: (each["type"], each["mode"]) for each in table.schema}
    assert kinds["VendorID"] == ("INTEGER", "NULLABLE")
    assert kinds["lpep_pickup_datetime"] == ("DATETIME", "NULLABLE")
    assert kinds["fare_amount"] == ("FLOAT", "NULLABLE")
    assert kinds["store_and_fwd_flag"] == ("STRING", "NULLABLE")
    assert kinds["source_month"] == ("DATE", "REQUIRED")
    assert table.partitioning == {"type": "MONTH", "field": "source_month"}


def test_a_restated_month_replaces_its_partition_and_no_other(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    for month in (1, 2):
        upload(month)
    load(month="1-2")
    february = bigquery.table("green_trips").partitions["202102"]
    upload(1, rows=210, seed=7)

    replaced = only(load("--json"))

    assert (replaced["action"], replaced["rows"], replaced["rows_before"]) == ("replaced", 210, 200)
    assert replaced["reason"] == "the lake has a newer version"
    assert replaced["generation"] == generation(gcs)
    assert bigquery.rows() == {"202101": 210, "202102": 200}
    assert bigquery.table("green_trips").partitions["202102"] is february


def test_a_table_that_was_dropped_is_loaded_again(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    first = only(load("--json"))
    del bigquery.store.datasets["trips"].tables["green_trips"]

    again = only(load("--json"))

    assert again["action"] == "loaded"
    assert again["reason"] == "the table has 0 rows of the month instead of 200"
    assert again["job"] == first["job"].replace("-a1", "-a2")
    assert bigquery.rows() == {"202101": 200}


def test_rows_that_somebody_took_away_come_back(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    partitions = bigquery.table("green_trips").partitions
    partitions["202101"] = partitions["202101"].slice(3)

    assert only(load("--json"))["action"] == "replaced"
    assert bigquery.rows() == {"202101": 200}


def test_force_loads_again_by_the_next_job(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()

    forced = only(load("--force", "--json"))

    assert (forced["action"], forced["reason"]) == ("replaced", "--force")
    assert forced["job"].endswith("-a2")
    assert [each[-3:] for each in bigquery.store.written] == ["-a1", "-a2"]


def test_jobs_that_bigquery_has_forgotten_are_no_matter(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    bigquery.store.jobs.clear()  # as after six months

    again = only(load("--json"))

    assert (again["action"], again["reason"]) == ("replaced", "no job of this version is known")
    assert bigquery.rows() == {"202101": 200}


def test_a_dry_run_changes_nothing(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    del gcs.bucket().objects["_taxietl/green/2021-01.json"]

    before = load("--dry-run", "--json", month="1-2")
    assert bigquery.store.datasets == {}
    assert bigquery.states() == {}
    assert "_taxietl/green/2021-01.json" not in gcs.bucket().objects
    load()
    after = load("--dry-run", "--json")

    check(before.document, "load_bq_plans")
    check(after.document, "load_bq_plans")
    assert [each["action"] for each in before.document["plans"]] == ["load", "failed"]
    assert before.code == 3
    assert [each["action"] for each in after.document["plans"]] == ["nothing to do"]


def test_thirty_months_are_child_runs_and_one_failure_stops_no_other(
    taxietl: Taxietl, bigquery: BigQuery, gcs: Gcs, tmp_path: Path
) -> None:
    from taxietl.extract.synthetic import write

    files = tmp_path / "files"
    files.mkdir()
    months = [(2019, range(1, 13)), (2020, range(1, 13)), (2021, range(1, 7))]
    for year, numbers in months:
        for month in numbers:
            write(files / f"green_tripdata_{year}-{month:02d}.csv.gz", "green", year, month, rows=9)
        done = taxietl(
            *("upload-gcs", "--color", "green", "--year", year, "--month", f"1-{len(numbers)}"),
            *("--source", files, "-q"),
        )
        assert done.code == 0, done.err
    del gcs.bucket().objects["data/green/green_tripdata_2020-05.parquet"]

    codes = []
    for year, numbers in months:
        done = taxietl(
            *("load-bq", "--color", "green", "--year", year, "--month", f"1-{len(numbers)}"),
            "--json",
        )
        check(done.document, "load_bq")
        codes.append(done.code)

    assert codes == [0, 5, 0]
    assert len(bigquery.rows()) == 29
    assert set(bigquery.rows().values()) == {9}
    assert len(bigquery.store.written) == 29


# What can be wrong before anything is loaded


def test_a_month_that_is_not_in_the_lake_comes_with_the_line_that_brings_it(
    load: Command, bigquery: BigQuery
) -> None:
    done = load("-q")

    check_refused(done, 3, "is not there", "taxietl upload-gcs --color green --year 2021 --month 1")
    assert bigquery.store.datasets == {}


def test_an_object_that_is_not_what_was_put_there_is_not_loaded(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.bucket().insert(KEY.format(1), b"theirs", {"name": KEY.format(1)}, None)
    check_refused(load("-q"), 5, "is not what run", "Upload it again")

    del gcs.bucket().objects["_taxietl/green/2021-01.json"]
    check_refused(load("-q"), 5, "was not put there by taxietl", "--force")
    assert bigquery.states() == {}


def test_an_object_of_an_older_contract_is_refused_naming_both(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.bucket().objects[KEY.format(1)].resource["metadata"]["taxietl-contract-version"] = "0"
    del gcs.bucket().objects["_taxietl/green/2021-01.json"]

    check_refused(load("-q"), 3, "uploaded under contract 0; the current one is", "upload-gcs")
    assert bigquery.states() == {}

    (month,) = upload().document["months"]
    assert month["action"] == "replaced"
    assert "under contract 0; the current one is" in month["reason"]
    assert only(load("--json"))["action"] == "loaded"


def test_an_object_that_was_only_copied_is_loaded_by_its_new_generation(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    data = gcs.bucket().objects[KEY.format(1)].data
    gcs.bucket().insert(KEY.format(1), data, {"name": KEY.format(1)}, None)

    assert only(load("--json"))["generation"] == generation(gcs)
    assert only(load("--json"))["action"] == "nothing to do"


def test_a_manifest_that_lacks_its_object_is_healed(
    upload: Command, load: Command, gcs: Gcs
) -> None:
    upload()
    del gcs.bucket().objects["_taxietl/green/2021-01.json"]

    done = only(load("--json"))

    assert (done["action"], done["is_healed"]) == ("loaded", True)
    assert "_taxietl/green/2021-01.json" in gcs.bucket().objects
    assert only(load("--json"))["is_healed"] is False


def test_a_lake_on_disk_is_refused(taxietl: Taxietl, home: Path) -> None:
    Path("taxietl.toml").write_text(
        "[profiles.lake]\ntype = 'folder'\npath = 'lake'\n"
        "[profiles.bigquery]\ntype = 'bigquery'\nproject = 'p'\ndataset = 'trips'\n"
    )

    done = taxietl("load-bq", *MONTH, "--month", 1)

    check_refused(done, 2, "BigQuery reads from a bucket only", "--source PROFILE")


def test_without_a_dataset_the_lines_to_paste_are_told(
    taxietl: Taxietl, gcs: Gcs, bigquery: BigQuery
) -> None:
    toml = Path("taxietl.toml")
    toml.write_text(f"[profiles.lake]\ntype = 'gcs'\nbucket = 'b'\nendpoint = '{gcs.url}'\n")

    done = taxietl("load-bq", *MONTH, "--month", 1)

    check_refused(done, 2, "no profile named 'bigquery'", "no BigQuery dataset")
    pasted = done.err.split("\n\n", 1)[1]
    toml.write_text(f"[profiles.lake]\ntype = 'gcs'\nbucket = 'b'\n{pasted}")
    assert taxietl("profiles", "show", "bigquery").code == 0


def test_a_misspelt_dataset_comes_with_the_one_that_is_meant(
    taxietl: Taxietl, gcs: Gcs, bigquery: BigQuery
) -> None:
    done = taxietl("load-bq", *MONTH, "--month", 1, "--to", "bigqery")

    check_refused(done, 2, "no profile named 'bigqery'", "Did you mean 'bigquery'?")


def test_a_profile_of_another_type_is_refused(
    taxietl: Taxietl, gcs: Gcs, bigquery: BigQuery
) -> None:
    done = taxietl("load-bq", *MONTH, "--month", 1, "--to", "warehouse")

    check_refused(done, 2, "what is needed here is bigquery")


@pytest.mark.parametrize(
    "partitioning", [None, {"type": "DAY", "field": "source_month"}, {"type": "MONTH"}]
)
def test_a_table_of_another_kind_is_never_touched(
    upload: Command, load: Command, bigquery: BigQuery, partitioning: Any
) -> None:
    upload()
    load()
    table = bigquery.table("green_trips")
    table.partitioning = partitioning

    done = load("--force", "-q")

    check_refused(done, 5, "is not partitioned by month on source_month", "Drop or rename it")
    assert len(bigquery.store.written) == 1


def test_a_table_that_somebody_clustered_stays_so(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    bigquery.table("green_trips").clustering = {"fields": ["VendorID"]}
    upload(rows=210, seed=7)

    assert only(load("--json"))["action"] == "replaced"
    assert bigquery.table("green_trips").clustering == {"fields": ["VendorID"]}


def test_a_table_whose_partitions_expire_later_stays_so(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    partitioning = bigquery.table("green_trips").partitioning
    assert partitioning is not None
    partitioning["expirationMs"] = str(200 * 365 * 24 * 3600 * 1000)
    upload(rows=210, seed=7)

    assert only(load("--json"))["action"] == "replaced"
    assert "expirationMs" in partitioning


def test_columns_that_the_table_lacks_are_added(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    del bigquery.table("green_trips").schema[3]

    assert only(load("--force", "--json"))["action"] == "replaced"


def test_a_table_with_other_columns_is_told(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    bigquery.table("green_trips").schema[0]["type"] = "STRING"

    done = load("--force", "-q")

    check_refused(done, 5, "has changed type from STRING to INTEGER", "Drop or rename it")
