"""A profile of type bigquery: added, shown, checked, and used in a flow of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from bigquery import BigQuery
from bq_home import Command
from command import Taxietl
from documents import check
from gcs import Gcs


def test_a_profile_is_added_by_its_keys(taxietl: Taxietl, home: Path) -> None:
    done = taxietl(
        *("profiles", "add", "bq", "--type", "bigquery"),
        *("--set", "project=p", "--set", "dataset=trips", "--set", "location=EU"),
    )

    assert done.code == 0, done.err
    shown = taxietl("profiles", "show", "bq", "--json").document
    check(shown, "profile")
    assert shown["values"] == {
        "type": "bigquery", "project": "p", "dataset": "trips", "location": "EU",
    }  # fmt: skip
    assert "client()" in shown["snippet"]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("dataset", "p.trips", "the project has a key of its own"),
        ("project", "my `project`", "must be a project's id"),
    ],
)
def test_names_that_could_not_be_are_refused(
    taxietl: Taxietl, home: Path, key: str, value: str, said: str
) -> None:
    values = {"project": "p", "dataset": "trips", key: value}
    given = [each for pair in values.items() for each in ("--set", "=".join(pair))]

    done = taxietl("profiles", "add", "bq", "--type", "bigquery", *given)

    assert done.code == 2
    assert said in done.err


def test_a_dataset_that_is_not_there_yet_is_fine(taxietl: Taxietl, bigquery: BigQuery) -> None:
    done = taxietl("profiles", "check", "bigquery", "--json")

    check(done.document, "profile_check")
    assert done.code == 0
    (found,) = done.document["checks"]
    assert found["message"] == (
        "p.trips: jobs can be run; the dataset is not there yet, and would be made where the "
        "bucket is."
    )
    assert bigquery.store.datasets == {}
    assert bigquery.states() == {}


def test_a_dataset_that_is_there_comes_with_its_place(taxietl: Taxietl, bigquery: BigQuery) -> None:
    bigquery.store.make("trips", "europe-west6", {})

    done = taxietl("profiles", "check", "bigquery")

    assert done.code == 0
    assert "the dataset is in europe-west6" in done.out


def test_a_place_that_differs_from_the_profiles_is_told(
    taxietl: Taxietl, bigquery: BigQuery
) -> None:
    bigquery.store.make("trips", "US", {})
    toml = Path("taxietl.toml")
    toml.write_text(toml.read_text().replace("dataset = ", "location = 'EU'\ndataset = "))

    done = taxietl("profiles", "check", "bigquery")

    assert done.code == 5
    assert "is in US, and the profile says EU" in done.out


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("token", ("credentials are not accepted",)),
        ("api", ("gcloud services enable bigquery.googleapis.com",)),
        ("project", ("Not found: Project p", "Check `project`")),
        ("bigquery.jobs.create", ("roles/bigquery.jobUser",)),
        ("bigquery.datasets.get", ("lacks bigquery.datasets.get",)),
    ],
)
def test_what_is_wrong_has_its_own_words(
    taxietl: Taxietl, bigquery: BigQuery, wrong: str, words: tuple[str, ...]
) -> None:
    match wrong:
        case "token":
            bigquery.token = "another"
        case "api":
            bigquery.is_on = False
        case "project":
            bigquery.store.project = "other"
        case _:
            bigquery.denied.add(wrong)

    done = taxietl("profiles", "check", "bigquery")

    assert done.code == 5, done.out
    for word in words:
        assert word in done.out


def test_a_flow_of_ones_own_has_googles_client(
    taxietl: Taxietl, upload: Command, load: Command, gcs: Gcs, tmp_path: Path
) -> None:
    upload()
    load()
    flow = tmp_path / "own.py"
    flow.write_text(
        "from taxietl import flow, profile\n"
        "@flow\n"
        "def size() -> str:\n"
        "    target = profile('bigquery')\n"
        "    return target.client().get_table(f'{target.dataset}.green_trips').num_rows\n"
    )

    done = taxietl("run", f"{flow}:size", "--json")

    assert done.code == 0, done.err
    assert done.document["result"] == 200
