"""The Terraform example makes the bucket that `taxietl lake create-bucket` makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
from gcs import Gcs

from taxietl.load.bigquery.profile import BigQueryProfile
from taxietl.load.google.profile import GcpCredentialsProfile
from taxietl.load.lake.gcs_create import REPLACED_DAYS, create
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.refusals import refusal_in

FOLDER = Path(__file__).parents[2] / "deploy" / "terraform"
PLAIN = hcl2.SerializationOptions(
    with_comments=False, explicit_blocks=False, strip_string_quotes=True
)


def blocks(kind: str) -> dict[str, dict[str, Any]]:
    """The blocks of that kind in all files: resources by type, others by name."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.tf")):
        read = hcl2.loads(path.read_text(), serialization_options=PLAIN)
        for each in read.get(kind, []):
            for name, body in each.items():
                assert name not in found, name
                found[name] = body
    return found


RESOURCES = {kind: next(iter(named.values())) for kind, named in blocks("resource").items()}
VARIABLES = blocks("variable")


@pytest.fixture
def gcs() -> Iterator[Gcs]:
    with Gcs().serving() as service:
        yield service


def sent(gcs: Gcs, location: str | None) -> dict[str, Any]:
    """What `create-bucket` asks the service for."""
    profile = GcsProfile(bucket="lake", endpoint=gcs.url)
    profile = profile.referring("credentials", GcpCredentialsProfile(anonymous=True))
    assert create(profile, project="p", location=location)
    return gcs.bucket("lake").resource


def described(terraform: dict[str, Any]) -> dict[str, Any]:
    """The bucket of `main.tf`, as the provider asks the service for it.

    Source: `google_storage_bucket` of hashicorp/google, beside "Buckets" of the JSON API.
    """
    (versioning,) = terraform.pop("versioning")
    rules = terraform.pop("lifecycle_rule")
    asked = {
        "name": terraform.pop("name"),
        "location": terraform.pop("location"),
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": terraform.pop("uniform_bucket_level_access")},
            "publicAccessPrevention": terraform.pop("public_access_prevention"),
        },
        "versioning": versioning,
        "lifecycle": {"rule": [rule_described(**each) for each in rules]},
    }
    assert terraform == {}, "what create-bucket does not ask for"
    return asked


def rule_described(action: list[dict[str, Any]], condition: list[dict[str, Any]]) -> dict[str, Any]:
    (does,), (when,) = action, condition
    days = when.pop("days_since_noncurrent_time")
    assert when == {"send_age_if_zero": False}
    return {"action": does, "condition": {"daysSinceNoncurrentTime": days}}


def test_the_bucket_is_the_one_that_create_bucket_makes(gcs: Gcs) -> None:
    terraform = described(dict(RESOURCES["google_storage_bucket"]))

    asked = sent(gcs, "EU")

    assert (terraform.pop("name"), terraform.pop("location")) == (
        "${var.bucket}",
        "${var.location}",
    )
    assert (asked.pop("name"), asked.pop("location")) == ("lake", "EU")
    assert terraform == asked


def test_without_a_location_both_take_googles_own(gcs: Gcs) -> None:
    assert "location" not in sent(gcs, None)  # which the service takes for US
    assert VARIABLES["location"]["default"] == "US"


def test_the_account_may_write_objects_of_that_bucket_and_no_more() -> None:
    grants = {kind: each for kind, each in RESOURCES.items() if "_iam_" in kind}
    objects = grants.pop("google_storage_bucket_iam_member")

    assert objects == {
        "bucket": "${google_storage_bucket.lake.name}",
        "role": "roles/storage.objectAdmin",
        "member": "${google_service_account.taxietl.member}",
    }
    # The role that our own messages name.
    assert objects["role"] in refusal_in(None, "write", status=403).error.hint
    assert {each["count"] for each in grants.values()} == {"${var.dataset == null ? 0 : 1}"}


def test_the_dataset_lies_where_the_bucket_does_and_is_made_on_demand_only() -> None:
    dataset = RESOURCES["google_bigquery_dataset"]

    assert dataset["location"] == "${google_storage_bucket.lake.location}"
    assert VARIABLES["dataset"]["default"] is None
    assert {
        kind: RESOURCES[kind]["role"]
        for kind in ("google_bigquery_dataset_iam_member", "google_project_iam_member")
    } == {
        "google_bigquery_dataset_iam_member": "roles/bigquery.dataEditor",
        "google_project_iam_member": "roles/bigquery.jobUser",
    }


def test_every_variable_is_used_and_described_and_so_is_every_output() -> None:
    text = (FOLDER / "main.tf").read_text()

    for name, body in {**VARIABLES, **blocks("output")}.items():
        assert body["description"].endswith("."), name
    assert {name for name in VARIABLES if f"var.{name}" not in text} == set()


def test_what_comes_out_goes_into_profiles() -> None:
    outputs = blocks("output")

    assert outputs["bucket"]["value"] == "${google_storage_bucket.lake.name}"
    assert GcsProfile.model_fields["bucket_name"].alias in outputs
    assert set(BigQueryProfile.model_fields) >= {"dataset"}
    assert "dataset" in outputs


@pytest.mark.parametrize("page", ["lake.md", "reference.md"])
def test_the_docs_say_how_long_a_replaced_version_is_kept(page: str) -> None:
    assert f"for {REPLACED_DAYS} days" in (FOLDER.parents[1] / "docs" / page).read_text()
