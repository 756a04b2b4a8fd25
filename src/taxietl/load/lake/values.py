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

from taxietl.errors import TargetError
from taxietl.steps.values import Transform
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.tlc.zones import CONTRACT_VERSION as ZONES_CONTRACT_VERSION
from taxietl.tlc.zones import TABLE as ZONES_TABLE

_PREFIX = "taxietl-"
_FORMAT = 1

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
        return _trip_file(self.color, self.month)

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


def _trip_file(color: str | None, month: str | None) -> TripFile | None:
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
    return _facts(given)


def tells_of_itself(found: StoredObject) -> Facts | None:
    """The facts on an object that are its own: not those of what it was copied from."""
    facts = facts_of(found.metadata)
    is_own = facts is not None and (facts.key, facts.crc32c) == (found.key, found.crc32c)
    return facts if is_own else None


def _facts(given: Mapping[str, Any]) -> Facts | None:
    """Facts out of JSON values; None if something is missing."""
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


@dataclass(frozen=True)
class Manifest:
    """Every version of a month that the lake was given, in the order they were recorded.

    Of the zone table, colour and month are None.
    """

    color: str | None
    month: str | None
    versions: tuple[Version, ...] = ()

    @property
    def table(self) -> str:
        """The table of a warehouse that has these rows."""
        return ZONES_TABLE if self.color is None else dataset(self.color).table

    def at(self, key: str, form: Form | None = None) -> Version | None:
        """The newest version at that key, of that form or of any."""
        found = [
            each
            for each in self.versions
            if each.facts.key == key and form in (None, each.facts.form)
        ]
        return max(found, key=lambda each: each.generation, default=None)

    @property
    def trip_file(self) -> TripFile | None:
        """The month; None of the zone table."""
        return _trip_file(self.color, self.month)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Those in which it was ever put there."""
        return tuple(form for form in Form if self.newest(form))

    def newest(self, form: Form) -> Version | None:
        """The version that was recorded last; None if there is none of that form.

        Of two at one key the later generation: the other may have been recorded late. Those of
        different keys have an order only by their places here, whatever a clock said.
        """
        last = next((each for each in reversed(self.versions) if each.facts.form is form), None)
        return last and self.at(last.facts.key, form)

    def holds(self, key: str, generation: int) -> bool:
        """Whether that very object is recorded."""
        return any((each.facts.key, each.generation) == (key, generation) for each in self.versions)

    def with_version(self, version: Version) -> Manifest:
        """With that version at its end, unless it is there."""
        if self.holds(version.facts.key, version.generation):
            return self
        return replace(self, versions=(*self.versions, version))

    def dumped(self) -> bytes:
        """As it lies in the lake."""
        document = {
            "format": _FORMAT,
            "color": self.color,
            "month": self.month,
            "versions": [each.document() for each in self.versions],
        }
        return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def manifest_key(color: str | None, month: str | None) -> str:
    """Where the manifest of a month lies, or with None that of the zone table."""
    return ZONES_MANIFEST if color is None else f"{MANIFESTS}{color}/{month}.json"


def manifest_of_key(key: str) -> tuple[str | None, str | None]:
    """Whose manifest lies there; the reverse of `manifest_key`."""
    if key == ZONES_MANIFEST:
        return None, None
    color, month = key.removesuffix(".json").split("/")[-2:]
    return color, month


def month_of(trip_file: TripFile) -> str:
    """`2021-01`."""
    return f"{trip_file.year:04d}-{trip_file.month:02d}"


_MOVE_IT_AWAY = (
    "It was left as it is. Move it away, and run again: what the objects themselves tell is "
    "written anew."
)
_INSTALL_A_LATER_ONE = (
    "A later taxietl wrote it: install that one (`pip install --upgrade taxietl`). It was left as "
    "it is."
)


class BrokenManifestError(TargetError):
    """What lies in a manifest's place tells nothing of that month; it is left as it is."""

    def __init__(
        self, where: str, color: str | None, month: str | None, why: str, *, hint: str
    ) -> None:
        self.color, self.month, self.why = color, month, why
        super().__init__(f"{where} is not a manifest that this version can read: {why}.", hint=hint)


def manifest_of(data: bytes, where: str, color: str | None, month: str | None) -> Manifest:
    """The manifest of that month as it was read.

    Raises:
        BrokenManifestError: it is not one, or another month's.
    """

    def broken(why: str) -> BrokenManifestError:
        return BrokenManifestError(where, color, month, why, hint=_MOVE_IT_AWAY)

    try:
        document = _document(data)
        if document["format"] != _FORMAT:
            why = f"its format is {document['format']}, not {_FORMAT}"
            raise BrokenManifestError(where, color, month, why, hint=_INSTALL_A_LATER_ONE)
        made = Manifest(
            document["color"],
            document["month"],
            tuple(
                Version(_demanded(_facts(each)), int(each["generation"]))
                for each in document["versions"]
            ),
        )
    except KeyError as error:
        raise broken(f"it lacks {error}") from error
    except (ValueError, TypeError) as error:
        raise broken(str(error)) from error
    named = {(each.facts.color, each.facts.month) for each in made.versions}
    for other in {(made.color, made.month), *named}.difference({(color, month)}):  # a copy
        raise broken(f"it tells of {other[0]} {other[1]}")
    return made


def _document(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict):
        raise TypeError("it is no JSON object")
    return document


def _demanded(facts: Facts | None) -> Facts:
    if facts is None:
        raise ValueError("a version lacks some of its facts")
    return facts


def uploaded_at(facts: Facts) -> datetime:
    """When the upload began."""
    return datetime.fromisoformat(facts.uploaded_at)
