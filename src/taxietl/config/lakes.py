"""Profiles of the lake, where months lie as Parquet files: a bucket, or a folder laid out alike."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from taxietl.config.base import Profile, Text
from taxietl.config.google import GoogleProfile
from taxietl.config.paths import ConfigPath
from taxietl.config.templates import open_fields

if TYPE_CHECKING:
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]

LAKE_KEY = "data/{color}/{color}_tripdata_{year}-{month:02d}.parquet"
"""The object of a month, as the DataTalksClub course lays its lake out."""

_COLORS = ("yellow", "green", "fhv", "fhvhv")
_YEARS = (2009, 2010, 2019, 2020, 2021)
"""Enough to see whether a format leaves months apart."""

_DRIVE = re.compile("[A-Za-z]:")
_BUCKET = re.compile("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def check_key(template: str) -> str:
    """Refuse a template that fails on use, leaves its folder, or lets months share a file."""
    if "\\" in template:
        raise ValueError("must use / between folders, on every platform")
    named = open_fields(template)
    for field in ("color", "year", "month"):
        if field not in named:
            raise ValueError(f"must contain {{{field}}}, or months would overwrite one another")
    keys = [
        template.format(color=color, year=year, month=month)
        for color, year, month in product(_COLORS, _YEARS, range(1, 13))
    ]
    if len(set(keys)) < len(keys):
        raise ValueError("has a format that gives two months one file")
    for key in keys:
        _check_place(key)
    return template


def _check_place(key: str) -> None:
    """Refuse what no bucket takes, and what a folder would put elsewhere."""
    parts = key.split("/")
    if _DRIVE.match(key) or {"", ".", ".."}.intersection(parts):
        raise ValueError("must stay inside the lake: no / at an end, no //, no . and no .. between")
    if parts[0].lower() == "_taxietl":
        raise ValueError("must not lie in _taxietl/, where the manifests are")
    if "*" in key:
        raise ValueError("must not contain *, which BigQuery takes for a pattern")
    if any(unicodedata.category(each) == "Cc" for each in key):
        raise ValueError("must not contain line ends, tabs and the like")


def check_bucket(name: str) -> str:
    """Refuse an address, a folder in a bucket, and what the client only stumbles over later."""
    if not _BUCKET.fullmatch(name):
        raise ValueError(
            "must be a bucket's name alone, without gs:// and folders (those go into `key`)"
        )
    return name


class LakeProfile(Profile):
    """What `gcs` and `folder` share: where in the lake a month lies."""

    key: Annotated[str, AfterValidator(check_key)] = LAKE_KEY

    def object_key(self, *, color: str, year: int, month: int) -> str:
        """The month's name in the lake, with `/` on every platform."""
        return self.key.format(color=color, year=year, month=month)


class FolderProfile(LakeProfile):
    """A lake on disk, laid out as the one in a bucket."""

    type: Literal["folder"] = "folder"
    path: ConfigPath

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

lake = profile("{name}")
january = lake.path / lake.object_key(color="yellow", year=2021, month=1)
"""


class GcsProfile(LakeProfile, GoogleProfile):
    """A lake in a Google Cloud Storage bucket."""

    type: Literal["gcs"] = "gcs"
    # `bucket` is the method.
    bucket_name: Annotated[Text, AfterValidator(check_bucket)] = Field(alias="bucket")

    def bucket(self) -> Bucket:
        """A google-cloud-storage bucket; no request is made yet."""
        from taxietl.config.connections import open_bucket

        return open_bucket(self)

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

lake = profile("{name}")
january = lake.bucket().blob(lake.object_key(color="yellow", year=2021, month=1))
"""
