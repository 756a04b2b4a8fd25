"""Whatever was done to a lake, all commands take the same object for the month, or none does.

What is expected comes of a model of a few lines, which knows nothing of manifests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lakes import BucketLake, FolderLake, LakeOfATest, facts
from months import JANUARY, batch_of

from taxietl.errors import TargetError
from taxietl.load.bigquery.source import month_in
from taxietl.load.lake.extractor import LakeMonths
from taxietl.load.lake.inspection import leftovers, verify
from taxietl.load.lake.parquet import lake_schema, schema_digest, write_parquet
from taxietl.load.lake.query import queried
from taxietl.load.lake.survey import survey
from taxietl.load.lake.upload import decide_upload, destination
from taxietl.load.lake.values import Form
from taxietl.steps.protocols import NEVER, untold
from taxietl.steps.values import SourceVersion
from taxietl.tlc.datasets import DATASETS

TEMPLATES = {"A": "a/{color}/{year}-{month:02d}.parquet", "B": "b/{color}/{year}-{month}.parquet"}
PLACES = {"A": "a/yellow/2021-01.parquet", "B": "b/yellow/2021-1.parquet"}
DIGEST = schema_digest(lake_schema(DATASETS["yellow"]))
STEPS = ("A", "B", "remove", "replace", "crash", "gc")

WHOLE, MISSING, FOREIGN, UNRECORDED = "whole", "missing", "foreign", "unrecorded"


@dataclass
class Model:
    """Where the month lies, and what lies at either place."""

    month: str = "A"
    key: str = "A"
    there: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return self.there.get(self.month, MISSING)

    def upload(self, key: str) -> None:
        self.key = key
        for place in (self.month, key):  # what a crash kept from the manifest is healed first
            if self.there.get(place) == UNRECORDED:
                self.there[place] = WHOLE
                self.month = place
        self.there[key], self.month = WHOLE, key

    def do(self, step: str) -> None:
        match step:
            case "A" | "B":
                self.upload(step)
            case "remove":
                self.there.pop(self.month, None)
            case "replace":
                self.there[self.month] = FOREIGN
            case "crash":
                self.there[self.key] = UNRECORDED
            case "gc":
                if self.state == WHOLE:
                    others = [each for each in self.there if each != self.month]
                    for each in others:
                        if self.there[each] == WHOLE:
                            del self.there[each]


class Real:
    """The same done to a lake; each upload has one row more."""

    def __init__(self, lake: LakeOfATest, folder: Path) -> None:
        self.lake, self.path, self.rows, self.key = lake, folder / "month.parquet", 10, "A"

    def do(self, step: str, month: str) -> None:
        match step:
            case "A" | "B":
                self.key = step
                self._upload(is_recorded=True)
            case "remove":
                if self.lake.bytes_at(PLACES[month]) is not None:
                    self.lake.plant(PLACES[month], None)
            case "replace":
                self.lake.plant(PLACES[month], b"theirs")
            case "crash":
                self._upload(is_recorded=False)
            case "gc":
                surveyed = survey(self.lake.lake, self.lake.lake.manifests())
                for each in leftovers(self.lake.lake, surveyed):
                    self.lake.store.delete(each.key, each.generation)

    def _upload(self, *, is_recorded: bool) -> None:
        """As the flow does; a crash is one of an upload by force, between object and manifest."""
        template = TEMPLATES[self.key]
        self.lake.profile = self.lake.profile.model_copy(update={"key": template})
        lake = self.lake.lake
        source = SourceVersion(JANUARY, "file:///files", "file:///files/yellow.csv", "1", 10)
        goes_to = destination(lake, JANUARY, Form.PARQUET, "")
        if is_recorded:
            for each in goes_to.lacking:
                lake.record(each)
            plan = decide_upload(source, None, goes_to, transforms=(), force=False)
            if plan.action == "nothing":
                return
        self.rows += 1
        rows = write_parquet([batch_of("yellow", self.rows)], JANUARY, self.path)
        told = facts(self.path, key=PLACES[self.key], rows=rows, schema=DIGEST, source_etag="1",
                     source_url=source.url)  # fmt: skip
        version = lake.put(
            self.path,
            told,
            if_generation=goes_to.generation,
            cancellation=NEVER,
            progress=untold,
        )
        if is_recorded:
            lake.record(version)


def refused(work: Any) -> TargetError | None:
    """How it was refused as a month that is not whole; None if it was not."""
    try:
        work()
    except TargetError as error:
        return error
    return None


def check(lake: LakeOfATest, model: Model) -> None:
    """All commands take the object of the model for the month, or say what is wrong with it."""
    key = PLACES[model.month]
    uri, is_whole = lake.store.uri(key), model.state == WHOLE
    listed = survey(lake.lake, lake.lake.manifests()).standings
    assert [(each.key, str(each.state)) for each in listed] == [(key, model.state)]
    verified = {each.key: each.problems for each in verify(lake.lake)}
    assert (verified[key] == ()) is is_whole
    surveyed = survey(lake.lake, lake.lake.manifests())
    assert key not in {each.key for each in leftovers(lake.lake, surveyed)}

    months = LakeMonths(lake.profile)
    if is_whole:
        assert months.probe(JANUARY).url == uri
        assert month_in(lake.lake, JANUARY, heal=False).uri == uri
        return
    ingested = refused(lambda: months.probe(JANUARY))
    assert ingested is not None
    assert uri in ingested.message
    loaded = refused(lambda: month_in(lake.lake, JANUARY, heal=False))
    # What a crash kept from the manifest is healed by what loads it, as by an upload.
    assert (loaded is None) is (model.state == UNRECORDED)


def check_sql(lake: LakeOfATest, model: Model) -> None:
    def ask() -> list[Any]:
        with queried(lake.lake, "SELECT count(*) AS n FROM yellow_trips") as reader:
            rows: list[Any] = reader.read_all().to_pylist()
        return rows

    if model.state == WHOLE:
        (version,) = [each.version for each in survey(lake.lake, lake.lake.manifests()).standings]
        assert version is not None
        assert ask() == [{"n": version.facts.rows}]
    else:
        error = refused(ask)
        assert error is not None
        assert lake.store.uri(PLACES[model.month]) in error.message
        assert error.exit_code == 5


SEQUENCES = {
    "any two": [(first, second) for first in STEPS for second in STEPS],
    "there and back": [("B", "A", "gc"), ("B", "A", "remove"), ("B", "gc", "A", "replace")],
    "crashes": [("B", "crash", "A"), ("crash", "B", "gc"), ("B", "A", "crash", "gc", "A")],
    "by hand": [("B", "remove", "gc", "A"), ("remove", "B", "replace", "gc"), ("replace", "B")],
}


@pytest.mark.parametrize("named", SEQUENCES)
@pytest.mark.parametrize("kind", ["bucket", "folder"])
def test_all_commands_agree_on_the_object_that_a_month_is(
    kind: str, named: str, bucket: BucketLake, tmp_path: Path
) -> None:
    sequences = SEQUENCES[named][:: 5 if (kind, named) == ("bucket", "any two") else 1]
    for number, steps in enumerate(sequences):
        if kind == "bucket":
            bucket.gcs.buckets.clear()
            bucket.gcs.bucket("lake")
        lake: LakeOfATest = bucket if kind == "bucket" else FolderLake(tmp_path / str(number))
        model, real = Model(), Real(lake, tmp_path)
        for step in ("A", *steps):
            model.do(step)
            real.do(step, model.month)
        try:
            check(lake, model)
            check_sql(lake, model)
        except AssertionError as error:
            raise AssertionError(f"after A, {', '.join(steps)}: {error}") from error
