"""What the types of profiles share that are lakes, where months lie as Parquet files."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from taxietl.config.base import Profile
from taxietl.config.templates import open_fields

LAKE_KEY = "data/{color}/{color}_tripdata_{year}-{month:02d}.parquet"
"""The object of a month, as the DataTalksClub course lays its lake out."""

_COLORS = ("one", "another")
_YEARS = (2009, 2010, 2019, 2020, 2021)
"""Enough to see whether a format leaves months apart."""

_DRIVE = re.compile("[A-Za-z]:")


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


class LakeProfile(Profile):
    """A lake: where in it a month lies."""

    filled_by: ClassVar[str] = "taxietl upload-gcs"

    key: Annotated[str, AfterValidator(check_key)] = LAKE_KEY

    def open_store(self) -> Any:
        """Where its objects lie, a `taxietl.load.lake.store.Store`; no request is made yet."""
        raise NotImplementedError

    def object_key(self, *, color: str, year: int, month: int) -> str:
        """The month's name in the lake, with `/` on every platform."""
        return self.key.format(color=color, year=year, month=month)
