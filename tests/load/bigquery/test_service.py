"""What BigQuery answers, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bigquery import BigQuery
from lakes import JANUARY, Slept

from taxietl.errors import TargetError
from taxietl.load.bigquery.service import Service
from taxietl.load.bigquery.values import LakeMonth, job_id

MONTH = LakeMonth(JANUARY, "a.parquet", "gs://lake/a.parquet", 17, None, 3, is_recorded=True)


def refused(do: Callable[[], object]) -> TargetError:
    with pytest.raises(TargetError) as caught:
        do()
    return caught.value


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_answer_that_may_pass_is_asked_for_again_until_it_does(
    service: Service, bigquery: BigQuery, slept: Slept, status: int
) -> None:
    bigquery.store.make("trips", "EU", {})
    bigquery.fail("dataset.get", status=status, times=3)

    assert service.location() == "EU"
    assert bigquery.kinds() == ["dataset.get"] * 4
    assert slept.seconds == sorted(slept.seconds)
    assert len(slept.seconds) == 3


@pytest.mark.parametrize("reason", ["rateLimitExceeded", "quotaExceeded"])
def test_a_rate_limit_is_waited_out_and_then_told(
    service: Service, bigquery: BigQuery, slept: Slept, reason: str
) -> None:
    bigquery.fail("dataset.get", status=403, reason=reason, message="too many", times=4)

    error = refused(service.location)

    assert "too many requests, or a quota is used up" in error.message
    assert reason in error.message
    assert "quotas" in error.hint
    assert len(slept.seconds) == 3


def test_as_long_is_waited_as_the_service_asks(
    service: Service, bigquery: BigQuery, slept: Slept
) -> None:
    bigquery.store.make("trips", "EU", {})
    bigquery.fail("dataset.get", status=503, retry_after=7)

    service.location()

    assert slept.seconds == [7.0]


def test_a_service_that_stays_down_is_told(service: Service, bigquery: BigQuery) -> None:
    bigquery.fail("dataset.get", status=500, times=4)

    error = refused(service.location)

    assert "Cannot look at the dataset p.trips (HTTP 500)" in error.message
    assert "Google's side failed" in error.hint


def test_a_line_that_breaks_is_told_without_the_address(
    service: Service, bigquery: BigQuery
) -> None:
    bigquery.fail("dataset.get", lose_answer=True, times=4)

    error = refused(service.location)

    assert "no answer" in error.message
    assert bigquery.url not in error.message + error.hint


@pytest.mark.parametrize(
    ("status", "reason", "message", "hint"),
    [
        (403, "accessDenied", "Permission bigquery.tables.updateData denied", "dataEditor"),
        (403, "accessDenied", "Permission bigquery.jobs.get denied", "another account began"),
        (403, "accessDenied", "no", "docs/bigquery.md"),
        (403, "accessDenied", "File gs://lake/a: Access Denied", "storage.objectViewer"),
        (403, "billingNotEnabled", "Billing has not been enabled", "Switch billing on"),
        (404, "notFound", "Not found: Dataset p:trips", "Check `dataset`"),
        (404, "notFound", "Not found: Project p", "Check `project`"),
        (400, "invalid", "what is that", "taxietl profiles check"),
    ],
)
def test_what_stays_refused_is_asked_once_and_has_its_hint(
    service: Service, bigquery: BigQuery, status: int, reason: str, message: str, hint: str
) -> None:
    bigquery.store.make("trips", "US", {})
    bigquery.fail("jobs.post", status=status, reason=reason, message=message)

    error = refused(lambda: service.begin("taxietl-1", MONTH, "US"))

    assert hint in error.hint
    assert message in error.message
    assert bigquery.kinds().count("jobs.post") == 1


def test_a_job_is_begun_once_under_its_name(service: Service, bigquery: BigQuery) -> None:
    bigquery.store.make("trips", "US", {})
    bigquery.store.polls = 5

    begun = [service.begin("taxietl-1", MONTH, "US") for _ in range(2)]

    assert [each.id for each in begun] == ["taxietl-1"] * 2
    assert not begun[1].is_done
    assert len(bigquery.store.jobs) == 1


def test_a_job_that_exists_and_is_not_found_is_told(service: Service, bigquery: BigQuery) -> None:
    bigquery.store.make("trips", "US", {})
    service.begin("taxietl-1", MONTH, "US")
    bigquery.fail("job.get", status=404, reason="notFound", times=5)

    error = refused(lambda: service.begin("taxietl-1", MONTH, "US"))

    assert "BigQuery knows job taxietl-1" in error.message


def test_a_dataset_that_somebody_made_meanwhile_is_taken(
    service: Service, bigquery: BigQuery
) -> None:
    bigquery.store.make("trips", "EU", {})

    service.make_dataset("US")

    assert service.location() == "EU"


def test_a_place_that_bigquery_does_not_have_is_told(service: Service, bigquery: BigQuery) -> None:
    error = refused(lambda: service.make_dataset("EUR4"))

    assert "EUR4 is not a valid value" in error.message


def test_the_name_of_a_job_tells_what_it_loads() -> None:
    assert job_id("trips", JANUARY, 17, 2) == "taxietl-trips-yellow_trips-202101-g17-a2"
