"""What a server's answer means. Pure functions of status and headers.

The TLC's server answers 403 both for a month that is not published and for a client it blocks;
so what a refusal means is known only beside the answer for a month that is there for certain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from taxietl.errors import (
    CorruptFileError,
    MissingFileError,
    NotPublishedError,
    SourceError,
    TaxietlError,
    TransferError,
)
from taxietl.tlc.trip_file import TripFile

REFUSALS = (403, 404, 410)
"""What servers answer for a file they do not have."""

NO_HEAD = (405, 501)
"""What they answer where they know GET alone."""

OVERDUE_MONTHS = 12
"""A month that was so long ago and is not there will not come."""

_BUSY = (408, 425, 429)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class Described:
    """What the headers of a good answer say of the file."""

    etag: str | None
    size_bytes: int | None
    last_modified: datetime | None
    first_byte: int
    """Where the body begins in the file: more than 0 after a request for a part."""

    is_delimited: bool
    """Whether a cut body can be told from a whole one."""


def described(status: int, headers: Mapping[str, str], name: str) -> Described:
    """Read the headers of an answer.

    Raises:
        SourceError: the answer is no file; TransferError where the next one may be.
    """
    if status not in (200, 206):
        raise error_of(status, headers, name)
    if headers.get("content-type", "").startswith("text/html"):
        raise CorruptFileError(
            f"{name} is a web page, not the file asked for.",
            hint="Check the address, and whether the network wants a log-in first.",
        )
    packed = headers.get("content-encoding", "identity")
    if packed != "identity" and not (packed == "gzip" and name.endswith(".gz")):
        raise CorruptFileError(
            f"{name} comes packed ({packed}), though that was not asked for.",
            hint="Its bytes are not those of the file. Have the server, or the proxy before it, "
            "send files as they are.",
        )
    length = headers.get("content-length", "")
    size: int | None = int(length) if length.isdecimal() else None
    first = 0
    if status == 206:
        part = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if part is None:
            raise TransferError(f"{name}: a part was sent without saying which.", hint="Run again.")
        first, size = int(part[1]), int(part[3])
    return Described(
        etag=headers.get("etag") or None,
        size_bytes=size,
        last_modified=_time(headers.get("last-modified", "")),
        first_byte=first,
        is_delimited=size is not None or "chunked" in headers.get("transfer-encoding", ""),
    )


def error_of(
    status: int, headers: Mapping[str, str], name: str, *, now: datetime | None = None
) -> SourceError:
    """The error that an answer other than a file is."""
    if status in _BUSY or status >= 500:
        seconds = retry_after_seconds(headers, now or datetime.now(UTC))
        later = f" in {seconds:,.0f} s" if seconds else ""
        return TransferError(
            f"{name}: the server is busy or broken (HTTP {status}).",
            hint=f"Run again{later or ' later'}.",
            retry_after_seconds=seconds,
        )
    if status in (404, 410):
        return MissingFileError(
            f"There is no file {name} (HTTP {status}).", hint="Check the address."
        )
    if status == 403:
        return SourceError(
            f"{name} is refused (HTTP 403).",
            hint="It is not there, or not for everybody. Check the address.",
        )
    if status in (401, 407):
        who = "proxy" if status == 407 else "server"
        return SourceError(
            f"{name}: the {who} wants a log-in (HTTP {status}).",
            hint="Files behind one cannot be fetched; name a folder of them: --source FOLDER.",
        )
    return SourceError(f"{name} cannot be had (HTTP {status}).", hint="Check the address.")


def absent(
    trip_file: TripFile,
    *,
    source: str,
    status: int,
    control: TripFile,
    control_error: TaxietlError | None,
    control_status: int,
    today: date,
) -> TaxietlError:
    """What it means that a month was refused.

    Args:
        trip_file: the month.
        source: the source's name.
        status: what it answered for the month, one of `REFUSALS`.
        control: a month that was published long ago.
        control_error: what asking for that one ended with; None if it is there.
        control_status: what it answered for that one.
        today: by which a month is still to come, or long overdue.
    """
    if control_error is None and trip_file.months_before(today) < OVERDUE_MONTHS:
        return NotPublishedError(
            f"{trip_file} is not published yet: {source} answers HTTP {status} for it, "
            f"and has {control}.",
            hint="The TLC publishes about two months late; run the same command again later.",
        )
    if control_error is None:
        return MissingFileError(
            f"{source} has no file of {trip_file} (HTTP {status}), though it has {control}.",
            hint="It is too long ago to be still to come. Name another source with --source.",
        )
    too = "" if control == trip_file else f", and HTTP {control_status} for {control}"
    if control_status == 403:
        return TransferError(
            f"{source} blocks or throttles this machine: HTTP {status} for {trip_file}{too}.",
            hint="Wait some minutes, ask for fewer months at once, or name another source: "
            "--source mirror, --source FOLDER.",
        )
    if control_status in REFUSALS:
        return MissingFileError(
            f"{source} has no file of {trip_file}: HTTP {status}{too}.",
            hint=f"Check the address in [sources.{source}]."
            if "://" not in source
            else "Check the address.",
        )
    return control_error


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """What `Retry-After` says, as seconds or as a time; None if it says nothing that can be read.

    Source: RFC 9110, section 10.2.3.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    time = _time(text)
    return max(0.0, (time - now).total_seconds()) if time else None


def served_at(headers: Mapping[str, str]) -> datetime | None:
    """The server's time, by the headers of any answer; None if it says none.

    A cache gives the time at which it got the answer, and how old that is by now.
    Source: RFC 9110, section 6.6.1; RFC 9111, section 5.1.
    """
    time, age = _time(headers.get("date", "")), headers.get("age", "").strip()
    return time + timedelta(seconds=int(age)) if time and age.isdecimal() else time


def is_strong(etag: str | None) -> bool:
    """Whether an ETag promises the same bytes, so that parts may be put together.

    Source: RFC 9110, section 8.8.3.
    """
    return etag is not None and not etag.startswith("W/")


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
