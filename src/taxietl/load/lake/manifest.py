"""The manifest of a month: every version that the lake was given, in the order recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from taxietl.errors import TargetError
from taxietl.load.lake.values import (
    MANIFESTS,
    ZONES_MANIFEST,
    Facts,
    Form,
    Version,
    facts_in,
    trip_file_of,
)
from taxietl.tlc.datasets import dataset
from taxietl.tlc.trip_file import TripFile
from taxietl.tlc.zones import TABLE as ZONES_TABLE

_FORMAT = 1


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
        return trip_file_of(self.color, self.month)

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
                Version(_demanded(facts_in(each)), int(each["generation"]))
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
