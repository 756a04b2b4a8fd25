"""Headers read rightly: times to wait, parts, ETags."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxietl.errors import TransferError
from taxietl.extract.http.answers import described, is_strong, retry_after_seconds

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = "https://taxi.invalid/trips.csv"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 12:05:00 GMT", 300.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("Sun Nov 22 12:00:30 2026", 30.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
    ],
)
def test_how_long_to_wait_is_said_in_seconds_or_by_a_time(text: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": text}, NOON) == seconds


def test_nothing_said_is_nothing_to_wait_for() -> None:
    assert retry_after_seconds({}, NOON) is None


@pytest.mark.parametrize(
    "said", ["", "bytes */100", "bytes 5-9/*", "bytes 5-9", "lines 5-9/100", "bytes x-9/100"]
)
def test_a_part_that_does_not_say_which_it_is_is_not_taken(said: str) -> None:
    with pytest.raises(TransferError, match="without saying which"):
        described(206, {"content-range": said}, NAME)


def test_a_part_says_where_it_begins_and_how_long_all_is() -> None:
    file = described(206, {"content-range": "bytes 5-9/100", "content-length": "5"}, NAME)

    assert (file.first_byte, file.size_bytes) == (5, 100)


@pytest.mark.parametrize("length", ["", "-1", "many", "1e3"])
def test_a_length_that_is_no_number_is_not_known(length: str) -> None:
    file = described(200, {"content-length": length}, NAME)

    assert (file.size_bytes, file.is_delimited) == (None, False)


def test_a_time_that_cannot_be_read_is_not_known() -> None:
    assert described(200, {"last-modified": "yesterday"}, NAME).last_modified is None


def test_only_a_strong_etag_promises_the_same_bytes() -> None:
    assert is_strong('"abc"')
    assert not is_strong('W/"abc"')
    assert not is_strong(None)
