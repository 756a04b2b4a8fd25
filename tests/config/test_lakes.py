"""Profiles of lakes: where a month lies, and which templates are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import LakeProfile, load_settings
from taxietl.errors import ConfigError
from taxietl.load.lake.folder_profile import FolderProfile
from taxietl.load.lake.gcs_profile import GcsProfile

Write = Callable[[str], Path]


def folder(write: Write, key: str) -> FolderProfile:
    text = f"[profiles.lake]\ntype = 'folder'\npath = 'lake'\nkey = '{key}'\n"
    return load_settings(config=write(text)).profile("lake", FolderProfile)


@pytest.mark.parametrize(
    "text",
    ['type = "gcs"\nbucket = "dtc_data_lake"', 'type = "folder"\npath = "lake"'],
    ids=["gcs", "folder"],
)
def test_a_month_lies_where_the_course_puts_it(write: Write, text: str) -> None:
    lake = load_settings(config=write(f"[profiles.lake]\n{text}\n")).profile("lake", LakeProfile)

    key = lake.object_key(color="green", year=2021, month=1)

    assert key == "data/green/green_tripdata_2021-01.parquet"


def test_spaces_and_letters_of_any_script_may_stand_in_a_template(write: Write) -> None:
    lake = folder(write, "a b/Zürich – 税/{color}={year}-{month:02d}?x#y%20.parquet")

    key = lake.object_key(color="fhv", year=2019, month=2)

    assert key == "a b/Zürich – 税/fhv=2019-02?x#y%20.parquet"


def test_a_template_of_ones_own_is_followed(write: Write, tmp_path: Path) -> None:
    lake = folder(write, "{color}/{year}/{month}.parquet")

    assert lake.object_key(color="fhv", year=2019, month=2) == "fhv/2019/2.parquet"
    assert lake.path == tmp_path / "lake"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("{color}/{year}.parquet", "must contain {month}"),
        ("{color}/{month}.parquet", "must contain {year}"),
        ("{year}/{month}.parquet", "must contain {color}"),
        ("", "must contain {color}"),
        ("{color}{year}{month}{day}", "has an unknown field {day}"),
        ("{color.__class__}{year}{month}", "has an unknown field {color.__class__}"),
        ("{}{year}{month}", "has an unknown field {}"),
        ("{color}{year}{month", "has an unpaired { or }"),
        ("{color}{year}{month:.2}", "has a format that does not fit {month}"),
        ("{color}{year}{month:{width}}", "has a format that does not fit {month}"),
        ("{color}{year}{month:99999999d}", "has a format that does not fit {month}"),
        ("{color}{year}{month:>1000000}", "has a format that does not fit {month}"),
        ("{color:99999999}{year}{month}", "has a format that does not fit {color}"),
        ("{color}{year!r}{month}", "has a format that does not fit {year}"),
        ("{color}{year:.99999999f}{month}", "has a format that does not fit {year}"),
        ("{color}\\{year}{month}", "must use / between folders"),
        ("/{color}{year}{month}", "must stay inside the lake"),
        ("a/../{color}{year}{month}", "must stay inside the lake"),
        ("_taxietl/{color}{year}{month}", "must not lie in _taxietl/"),
        ("_TAXIETL/{color}{year}{month}", "must not lie in _taxietl/"),
        ("./_taxietl/{color}{year}{month}", "must stay inside the lake"),
        ("a//{color}{year}{month}", "must stay inside the lake"),
        ("{color}/{year}/{month}/", "must stay inside the lake"),
        ("C:/{color}{year}{month}", "must stay inside the lake"),
        ("{color:.1}/{year}/{month}", "has a format that does not fit {color}"),
        ("{color}/{year:.1e}/{month}", "has a format that does not fit {year}"),
        ("{color}/{year}/{month:c}", "has a format that does not fit {month}"),
        ("{color}\t{year}{month}", "must not contain line ends"),
        ("{color}*/{year}/{month}", "must not contain *"),
    ],
)
def test_a_wrong_template_is_refused(write: Write, key: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        folder(write, key)

    assert f"profiles.lake.key: {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "profiles.lake.bucket: is missing"),
        ('bucket = ""', "profiles.lake.bucket: must not be empty"),
        ('bucket_name = "b"\nbucket = "b"', "profiles.lake.bucket_name: unknown key. Did you mean"),
        ('bucket = "gs://b"', "profiles.lake.bucket: must be a bucket's name alone"),
        ('bucket = "b/folder"', "profiles.lake.bucket: must be a bucket's name alone"),
        ('bucket = " b"', "profiles.lake.bucket: must be a bucket's name alone"),
        ('bucket = "b"\nendpoint = "http://a:99999"', "profiles.lake.endpoint: must be an address"),
        (
            'bucket = "b"\nendpoint = "http://me:pw@a"',
            "profiles.lake.endpoint: must hold no password",
        ),
        ('bucket = "b"\nendpoint = "http://[::1"', "profiles.lake.endpoint: must be an address"),
        ('bucket = "b"\nendpoint = "localhost:4443"', "profiles.lake.endpoint: must be an address"),
        (
            'bucket = "b"\ncredentials = "gpc"\n[profiles.gcp]\ntype = "gcp-credentials"\n'
            "anonymous = true",
            "profiles.lake.credentials: must be the name of a gcp-credentials profile. "
            "Did you mean 'gcp'?",
        ),
        (
            'bucket = "b"\ncredentials = "warehouse"',
            "profiles.lake.credentials: must be the name of a gcp-credentials profile",
        ),
    ],
)
def test_a_wrong_gcs_profile_is_refused(write: Write, lines: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(f'[profiles.lake]\ntype = "gcs"\n{lines}\n'))

    assert said in str(caught.value)


def test_a_bucket_opens_with_the_named_account_at_the_named_address(write: Write) -> None:
    found = load_settings(
        config=write(
            '[profiles.lake]\ntype = "gcs"\nbucket = "b"\ncredentials = "nobody"\n'
            'endpoint = "http://localhost:4443"\n'
            '[profiles.nobody]\ntype = "gcp-credentials"\nanonymous = true\n'
        )
    ).profile("lake", GcsProfile)

    bucket = found.bucket()

    assert bucket.name == "b"
    assert bucket.client.api_endpoint == "http://localhost:4443"
    assert type(bucket.client._credentials).__name__ == "AnonymousCredentials"
    assert found.describe() == {
        "type": "gcs",
        "bucket": "b",
        "key": "data/{color}/{color}_tripdata_{year}-{month:02d}.parquet",
        "credentials": "nobody",
        "endpoint": "http://localhost:4443",
    }


def test_a_bucket_may_be_named_by_its_url() -> None:
    found = load_settings().profile("gs://my-lake", LakeProfile)

    assert isinstance(found, GcsProfile)
    assert (found.bucket_name, found.name) == ("my-lake", "gs://my-lake")
    with pytest.raises(ConfigError, match="gs://my-lake/folder: must be a bucket's name alone"):
        load_settings().profile("gs://my-lake/folder")
