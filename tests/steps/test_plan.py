"""The whole decision table: version, bytes, ledger and options against what is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from taxietl.errors import RefusedLoadError
from taxietl.steps.month_class import MonthClass, class_of_published, class_of_unpublished
from taxietl.steps.plan import Plan, decide
from taxietl.steps.values import Entry, LoadReport, SourceVersion, Transform
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

JANUARY = TripFile("yellow", 2021, 1)
SHA, OTHER_SHA = "a" * 64, "b" * 64
DROP = Transform("drop-zero-passengers", "1")
SAME = SourceVersion(JANUARY, "file:///trips", "file:///trips/y.csv", "etag", 100)
TOUCHED = replace(SAME, etag="later")
ELSEWHERE = replace(SAME, source="file:///other", url="file:///other/y.csv", etag="else")
FAR_AWAY = replace(SAME, source="tlc", url="https://example.org/y.parquet", etag="far")

REPORT = LoadReport(
    action="loaded",
    reason="not loaded yet",
    load_id="1",
    trip_file=JANUARY,
    target="DuckDB",
    table="yellow_trips",
    source=SAME.source,
    source_url=SAME.url,
    source_etag=SAME.etag,
    source_bytes=SAME.size_bytes,
    source_sha256=SHA,
    era="yellow 2019",
    contract_version=JANUARY.dataset.contract_version,
    rows_read=12,
    rows_loaded=10,
    rows_dropped={"drop-zero-passengers": 2},
    rows_rejected=0,
    values_nulled={},
    column_stats={},
    transforms=(DROP,),
    new_columns=(),
    run_id="r",
    run_name="brave-otter",
    taxietl_version="0.1.0",
    loaded_at=datetime(2026, 1, 1, tzinfo=UTC),
)
LOADED = Entry(REPORT, 10)


def but(entry: Entry = LOADED, *, rows_present: int | None = 10, **changes: Any) -> Entry:
    return Entry(replace(entry.report, **changes), rows_present)


def decided(
    version: SourceVersion = SAME,
    sha256: str | None = None,
    entry: Entry | None = LOADED,
    transforms: tuple[Transform, ...] = (DROP,),
    force: bool = False,
) -> Plan:
    return decide(version, sha256, entry, transforms=transforms, force=force)


OLD_CONTRACT = but(contract_version="0")
OTHER_RULES = (replace(DROP, version="2"),)

TABLE = [
    # version, SHA-256, entry -> action, words of the reason
    pytest.param(SAME, None, None, "load", "not loaded yet", id="new"),
    pytest.param(FAR_AWAY, SHA, None, "load", "not loaded yet", id="new-from-afar"),
    pytest.param(SAME, None, but(rows_present=None), "load", "the table is gone", id="no-table"),
    pytest.param(ELSEWHERE, SHA, but(rows_present=None), "load", "gone", id="no-table-elsewhere"),
    pytest.param(SAME, None, LOADED, "nothing", "version is unchanged", id="same"),
    pytest.param(SAME, SHA, LOADED, "nothing", "version is unchanged", id="same-bytes-read"),
    pytest.param(SAME, OTHER_SHA, LOADED, "replace", "restated", id="same-version-other-bytes"),
    pytest.param(
        replace(SAME, size_bytes=None), None, LOADED, "nothing", "unchanged", id="size-unknown"
    ),
    pytest.param(
        replace(SAME, size_bytes=101), None, LOADED, "compare", "version changed", id="size-differs"
    ),
    pytest.param(
        replace(SAME, url="file:///trips/y.parquet"),
        *(None, LOADED, "compare", "version changed"),
        id="other-file-of-the-folder",
    ),
    pytest.param(
        replace(SAME, etag=None),
        *(None, but(source_etag=None), "compare", "version changed"),
        id="a-source-without-versions",
    ),
    pytest.param(TOUCHED, None, LOADED, "compare", "version changed", id="touched"),
    pytest.param(TOUCHED, SHA, LOADED, "nothing", "bytes are the same", id="touched-bytes-read"),
    pytest.param(
        TOUCHED, OTHER_SHA, LOADED, "replace", "restated: SHA-256 aaaaaaaaaaaa", id="restated"
    ),
    pytest.param(ELSEWHERE, None, LOADED, "compare", "other source", id="elsewhere-at-hand"),
    pytest.param(ELSEWHERE, SHA, LOADED, "nothing", "loaded from file:///trips", id="copied"),
    pytest.param(ELSEWHERE, OTHER_SHA, LOADED, "refuse", "another source", id="other-bytes"),
    pytest.param(FAR_AWAY, None, LOADED, "refuse", "another source", id="far-away"),
    pytest.param(FAR_AWAY, SHA, LOADED, "nothing", "loaded from file:///trips", id="far-same"),
    pytest.param(FAR_AWAY, OTHER_SHA, LOADED, "refuse", "another source", id="far-other"),
    pytest.param(SAME, None, but(rows_present=9), "replace", "9 of the 10 rows", id="rows-lost"),
    pytest.param(SAME, None, but(rows_present=0), "replace", "0 of the 10 rows", id="emptied"),
    pytest.param(TOUCHED, None, but(rows_present=9), "compare", "changed", id="touched-rows-lost"),
    pytest.param(ELSEWHERE, SHA, but(rows_present=9), "replace", "9 of the 10", id="copy-restores"),
    pytest.param(
        ELSEWHERE, OTHER_SHA, but(rows_present=9), "refuse", "another", id="other-bytes-rows-lost"
    ),
    pytest.param(SAME, None, OLD_CONTRACT, "replace", "under contract 0", id="old-contract"),
    pytest.param(TOUCHED, SHA, OLD_CONTRACT, "replace", "under contract 0", id="touched-contract"),
]


@pytest.mark.parametrize(("version", "sha256", "entry", "action", "words"), TABLE)
def test_what_is_done_follows_from_version_bytes_and_ledger(
    version: SourceVersion, sha256: str | None, entry: Entry | None, action: str, words: str
) -> None:
    plan = decided(version, sha256, entry)

    assert plan.action == action
    assert words in plan.reason


@pytest.mark.parametrize(("version", "sha256", "entry", "action", "words"), TABLE)
def test_force_loads_whatever_is_there(
    version: SourceVersion, sha256: str | None, entry: Entry | None, action: str, words: str
) -> None:
    plan = decided(version, sha256, entry, force=True)

    assert plan.action == ("load" if action == "load" else "replace")


@pytest.mark.parametrize(
    ("entry", "force", "action"),
    [
        (None, False, "refuse"),
        (None, True, "load"),
        (but(source_sha256=OTHER_SHA), False, "refuse"),
        (but(source_sha256=OTHER_SHA), True, "replace"),
        (but(rows_present=None, source_sha256=OTHER_SHA), False, "refuse"),
        pytest.param(LOADED, False, "nothing", id="as-both-months-by-force"),
    ],
)
def test_bytes_that_are_loaded_as_another_month_are_refused(
    entry: Entry | None, force: bool, action: str
) -> None:
    plan = decide(SAME, SHA, entry, transforms=(DROP,), force=force, same_bytes_as="2020-12")

    assert plan.action == action
    assert action != "refuse" or "2020-12" in plan.reason


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        pytest.param((DROP,), (), "other transforms: none instead of drop-", id="left-out"),
        pytest.param((), (DROP,), "other transforms: drop-zero-passengers instead", id="added"),
        pytest.param((DROP,), OTHER_RULES, "version or options of drop-", id="version"),
        pytest.param(
            (DROP,), (replace(DROP, options={"least": 2}),), "version or options", id="options"
        ),
        pytest.param(
            (DROP, Transform("b", "1")), (Transform("b", "1"), DROP), "other transforms", id="order"
        ),
    ],
)
def test_other_rules_load_the_same_bytes_again(
    before: tuple[Transform, ...], after: tuple[Transform, ...], reason: str
) -> None:
    plan = decided(entry=but(transforms=before), transforms=after)

    assert plan.action == "replace"
    assert reason in plan.reason


def test_nothing_to_do_says_by_what_it_was_known() -> None:
    assert decided().reason == (
        "the source's version is unchanged (SHA-256 aaaaaaaaaaaa), "
        f"contract {JANUARY.dataset.contract_version}, transforms drop-zero-passengers; "
        "10 rows loaded by run 'brave-otter'"
    )


def test_a_refusal_says_what_to_type() -> None:
    plan = decided(ELSEWHERE, OTHER_SHA)

    with pytest.raises(RefusedLoadError, match="yellow-2021-01 was loaded from another") as error:
        plan.allowed()
    assert "--force" in error.value.hint


def test_any_other_plan_is_allowed() -> None:
    plan = decided()

    assert plan.allowed() is plan


NOON = datetime(2024, 3, 21, 12, tzinfo=UTC)
BEHIND = replace(TOUCHED, last_modified=NOON)


def with_loaded(
    version: SourceVersion, loaded: datetime | None, *, force: bool = False, **changes: Any
) -> Plan:
    return decide(
        version,
        None,
        but(**changes),
        transforms=(DROP,),
        force=force,
        loaded_last_modified=loaded,
    )


def test_an_older_file_than_the_one_loaded_is_ignored() -> None:
    plan = with_loaded(BEHIND, NOON + timedelta(hours=1))

    assert plan.action == "nothing"
    assert "the source shows an older file, of 2024-03-21 12:00, ignored" in plan.reason


@pytest.mark.parametrize(
    ("version", "loaded"),
    [(BEHIND, NOON), (BEHIND, NOON - timedelta(hours=1)), (BEHIND, None), (TOUCHED, NOON)],
    ids=["as-old", "newer", "loaded-unknown", "shown-unknown"],
)
def test_a_file_that_is_not_known_to_be_older_is_compared(
    version: SourceVersion, loaded: datetime | None
) -> None:
    assert with_loaded(version, loaded).action == "compare"


def test_an_older_file_does_not_mend_what_the_newer_one_loaded() -> None:
    plan = with_loaded(BEHIND, NOON + timedelta(hours=1), rows_present=9)

    assert plan.action == "refuse"
    assert "9 of the 10 rows" in plan.reason
    assert "--force" in plan.hint
    assert with_loaded(BEHIND, NOON + timedelta(hours=1), force=True).action == "replace"


@pytest.mark.parametrize(
    ("version", "sha256", "is_loaded", "expected"),
    [
        (SAME, None, False, "new"),
        (SAME, None, True, "unchanged"),
        (SAME, SHA, True, "unchanged"),
        (replace(SAME, size_bytes=None), None, True, "unchanged"),
        (replace(SAME, size_bytes=7), None, True, "changed"),
        (SAME, OTHER_SHA, True, "restated"),
        (TOUCHED, None, True, "changed"),
        (TOUCHED, SHA, True, "touched"),
        (TOUCHED, OTHER_SHA, True, "restated"),
        (BEHIND, None, True, "older"),
        (BEHIND, OTHER_SHA, True, "restated"),
        (ELSEWHERE, None, True, "other source"),
        (ELSEWHERE, SHA, True, "other source"),
        (ELSEWHERE, None, False, "new"),
    ],
)
def test_a_month_that_is_published(
    version: SourceVersion, sha256: str | None, is_loaded: bool, expected: str
) -> None:
    loaded = REPORT if is_loaded else None

    found = class_of_published(
        version, loaded, sha256=sha256, loaded_last_modified=NOON + timedelta(hours=1)
    )

    assert found == expected


@pytest.mark.parametrize(
    ("is_loaded", "today", "expected"),
    [
        (True, date(2026, 1, 1), MonthClass.WITHDRAWN),
        (False, date(2021, 4, 1), MonthClass.NOT_PUBLISHED),
        (False, date(2021, 8, 1), MonthClass.OVERDUE),
    ],
)
def test_a_month_that_is_not(is_loaded: bool, today: date, expected: MonthClass) -> None:
    assert class_of_unpublished(SAME.trip_file, is_loaded=is_loaded, today=today) is expected
