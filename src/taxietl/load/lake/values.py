"""What the lake knows of an object: facts on the object itself, versions in the manifest.

An object is a month, or the zone table, which has neither colour nor month.

The facts are written with the object, as its custom metadata; the manifest has them too, and is
written last. So a manifest that lacks an object's version can be healed from the object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from taxietl.steps.values import Transform
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.tlc.zones import CONTRACT_VERSION as ZONES_CONTRACT_VERSION

_PREFIX = "taxietl-"

MANIFESTS = "_taxietl/"
"""All that lies in the lake and is no month."""

ZONES_KEY = "data/zones/taxi_zone_lookup.parquet"
"""The zone table's object. No template puts a month there: each names the month."""

ZONES_MANIFEST = f"{MANIFESTS}zones/taxi_zone_lookup.json"


class Form(StrEnum):
    """What an object holds of a month."""

    PARQUET = "parquet"
    RAW = "raw"
    """The published bytes as they are."""


@dataclass(frozen=True)
class StoredObject:
    """An object as the store describes it."""

    key: str
    generation: int
    """Grows with each change: a bucket's own number; on disk the time of the last change."""

    size_bytes: int
    crc32c: str | None
    """Base64, as Google Cloud Storage writes it; None where it was not asked for."""

    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is known of an object before it is in the lake; goes there with it."""

    color: str | None
    month: str | None
    """`2021-01`; neither is there of the zone table."""

    form: Form
    key: str
    size_bytes: int
    crc32c: str
    rows: int | None
    """In the object; None of published bytes, which are not opened."""

    rows_read: int | None
    rows_dropped: Mapping[str, int]
    rows_rejected: int
    values_nulled: Mapping[str, int]
    columns_left_out: tuple[str, ...]
    """Columns of the file that the contract does not know."""

    source: str
    source_url: str
    source_etag: str | None
    source_bytes: int
    source_sha256: str
    era: str | None
    contract_version: str
    schema: str | None
    """A digest of the columns' names and types; the same for all months of a colour."""

    transforms: tuple[Transform, ...]
    run_id: str
    run_name: str
    taxietl_version: str
    uploaded_at: str
    upload_id: str
    """This upload's own, to be known again after a lost answer."""

    @property
    def trip_file(self) -> TripFile | None:
        """The month; None of the zone table."""
        return trip_file_of(self.color, self.month)

    @property
    def current_contract(self) -> str:
        """The contract version that such an object is written under now."""
        if self.color is None:
            return ZONES_CONTRACT_VERSION
        return dataset(self.color).contract_version

    def metadata(self) -> dict[str, str]:
        """As an object's custom metadata; what is None is left out."""
        told = {_NAMES[each.name]: getattr(self, each.name) for each in fields(self)}
        return {
            name: value if isinstance(value, str) else _as_json(value)
            for name, value in told.items()
            if value is not None
        }


_NAMES = {each.name: f"{_PREFIX}{each.name.replace('_', '-')}" for each in fields(Facts)}
"""Of the facts, as an object's custom metadata."""

_as_json = json.JSONEncoder(ensure_ascii=False, default=asdict).encode


@dataclass(frozen=True)
class Version:
    """One generation of a month in the lake."""

    facts: Facts
    generation: int

    def document(self) -> dict[str, Any]:
        """As the manifest has it."""
        return {"generation": self.generation, **asdict(self.facts)}


def trip_file_of(color: str | None, month: str | None) -> TripFile | None:
    if color is None or month is None:
        return None
    return TripFile(color, *map(int, month.split("-")))


def facts_of(metadata: Mapping[str, str]) -> Facts | None:
    """The facts in an object's custom metadata; None if it is not one of ours, or not whole."""
    given: dict[str, Any] = {}
    for each in fields(Facts):
        text = metadata.get(_NAMES[each.name])
        if text is None and "None" not in str(each.type):
            return None
        is_text = each.type in ("str", "str | None", "Form")
        try:
            given[each.name] = text if text is None or is_text else json.loads(text)
        except ValueError:
            return None
    return facts_in(given)


def tells_of_itself(found: StoredObject) -> Facts | None:
    """The facts on an object that are its own: not those of what it was copied from."""
    facts = facts_of(found.metadata)
    is_own = facts is not None and (facts.key, facts.crc32c) == (found.key, found.crc32c)
    return facts if is_own else None


def facts_in(given: Mapping[str, Any]) -> Facts | None:
    """Facts out of JSON values, as a manifest has them; None if something is missing."""
    try:
        made = Facts(**{each.name: given[each.name] for each in fields(Facts)})
        whole = made.key == ZONES_KEY if made.color is None else made.month is not None
        if not whole:
            return None
        return replace(
            made,
            form=Form(made.form),
            columns_left_out=tuple(made.columns_left_out),
            transforms=tuple(Transform(**each) for each in given["transforms"]),
            size_bytes=int(made.size_bytes),
        )
    except (KeyError, TypeError, ValueError):
        return None


def month_of(trip_file: TripFile) -> str:
    """`2021-01`."""
    return f"{trip_file.year:04d}-{trip_file.month:02d}"


def uploaded_at(facts: Facts) -> datetime:
    """When the upload began."""
    return datetime.fromisoformat(facts.uploaded_at)
