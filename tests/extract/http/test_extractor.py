"""What a server's answers to a look at a month lead to."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from file_server import Announce, FileServer, Hang, Status

from taxietl.config.sources import MIRROR
from taxietl.errors import (
    ConfigError,
    CorruptFileError,
    MissingFileError,
    NotPublishedError,
    SourceError,
    TransferError,
)
from taxietl.extract.http import Http
from taxietl.extract.http.client import Patience
from taxietl.steps.protocols import NEVER
from taxietl.tlc.trip_file import TripFile

pytestmark = pytest.mark.dates

JANUARY = TripFile("green", 2021, 1)
LATER = TripFile("green", 2026, 9)
EARLIER = TripFile("green", 2013, 9)
YEAR_AGO = TripFile("green", 2025, 11)
JANUARY_NAME = "green_tripdata_2021-01.parquet"
FORBIDDEN = Status(403, body=b"<Error><Code>AccessDenied</Code></Error>")


@pytest.fixture
def source(server: FileServer) -> Http:
    return Http("tlc", server.template, today=lambda: date(2026, 11, 30))


class TestAVersion:
    def test_is_address_etag_and_length(self, server: FileServer, source: Http) -> None:
        modified = datetime(2024, 3, 21, 15, 35, 44, tzinfo=UTC)
        server.put(JANUARY_NAME, b"PAR1 trips", etag='"abc-8"', last_modified=modified)

        version = source.probe(JANUARY)

        assert (version.source, version.url) == ("tlc", f"{server.url}/{JANUARY_NAME}")
        assert (version.etag, version.size_bytes) == ('"abc-8"', 10)
        assert version.last_modified == modified
        assert not version.at_hand
        assert [each.method for each in server.requests] == ["HEAD"]

    def test_asks_with_an_honest_name_for_bytes_as_they_are(
        self, server: FileServer, source: Http
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        source.probe(JANUARY)

        (asked,) = server.requests
        assert asked.headers["user-agent"].startswith("taxietl/")
        assert asked.headers["accept-encoding"] == "identity"

    @pytest.mark.parametrize("status", [405, 501])
    def test_is_had_by_one_byte_where_head_is_refused(
        self, server: FileServer, source: Http, status: int
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips", etag='"abc"')
        server.answers[f"HEAD /{JANUARY_NAME}"] = Status(status)

        version = source.probe(JANUARY)

        assert (version.etag, version.size_bytes) == ('"abc"', 10)
        assert server.requests[-1].range == "bytes=0-0"
        assert server.sent_bytes <= 1  # the client need not wait for it

    def test_is_had_even_if_that_server_knows_no_ranges(
        self, server: FileServer, source: Http
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips", has_ranges=False)
        server.answers[f"HEAD /{JANUARY_NAME}"] = Status(405)

        assert source.probe(JANUARY).size_bytes == 10

    def test_has_no_key_without_an_etag(self, server: FileServer, source: Http) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips", etag=None, is_chunked=True)

        version = source.probe(JANUARY)

        assert (version.etag, version.size_bytes, version.key) == (None, None, None)

    def test_has_a_key_that_changes_with_each_part_of_it(
        self, server: FileServer, source: Http
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        version = source.probe(JANUARY)

        others = [
            replace(version, etag='"other"'),
            replace(version, size_bytes=11),
            replace(version, url=version.url + "x"),
            replace(version, source="mirror"),
        ]

        assert len({version.key, *(each.key for each in others)}) == 5
        assert replace(version, last_modified=datetime.now(UTC)).key == version.key

    def test_never_holds_the_query_of_its_address(self, server: FileServer) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        source = Http("company", f"{server.template}?token=hunter2")

        version = source.probe(JANUARY)

        assert server.requests[0].path == f"/{JANUARY_NAME}?token=hunter2"
        assert "hunter2" not in repr(version)

    def test_of_one_file_is_had_for_any_month(self, server: FileServer) -> None:
        server.put("trips.csv", b"VendorID\r\n")
        address = f"{server.url}/trips.csv"

        version = Http(address, address).probe(JANUARY)

        assert (version.source, version.url) == (address, address)


class TestARefusal:
    @pytest.mark.parametrize("status", [403, 404, 410])
    def test_of_a_later_month_than_one_that_is_there_means_not_yet(
        self, server: FileServer, source: Http, status: int
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        server.answers["/green_tripdata_2026-09.parquet"] = replace(FORBIDDEN, status=status)

        with pytest.raises(NotPublishedError, match="green-2026-09 is not published yet") as error:
            source.probe(LATER)

        assert error.value.exit_code == 75
        assert len(server.requests) == 3  # it, one that is there, it again

    def test_that_ended_meanwhile_is_forgotten(self, server: FileServer, source: Http) -> None:
        server.put("green_tripdata_2026-09.parquet", b"PAR1 new trips")
        server.put(JANUARY_NAME, b"PAR1 trips")
        server.head_faults.append(FORBIDDEN)

        assert source.probe(LATER).size_bytes == 14

    @pytest.mark.parametrize("month", [EARLIER, TripFile("green", 2021, 2), YEAR_AGO], ids=str)
    def test_of_a_month_that_is_long_ago_means_never(
        self, server: FileServer, source: Http, month: TripFile
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        server.answers[f"/{month.stem}.parquet"] = FORBIDDEN

        with pytest.raises(MissingFileError, match=f"no file of {month}") as error:
            source.probe(month)
        assert error.value.exit_code == 3
        assert "later" not in error.value.hint

    @pytest.mark.parametrize("month", [LATER, EARLIER, JANUARY], ids=str)
    def test_of_all_months_means_that_this_machine_is_blocked(
        self, server: FileServer, source: Http, month: TripFile
    ) -> None:
        server.put(JANUARY_NAME, b"PAR1 trips")
        server.answers["*"] = FORBIDDEN

        with pytest.raises(TransferError, match="blocks or throttles") as error:
            source.probe(month)

        assert error.value.exit_code == 3
        assert len(server.requests) == (1 if month == JANUARY else 2)

    def test_by_not_found_for_all_months_points_at_the_address(
        self, server: FileServer, source: Http
    ) -> None:
        with pytest.raises(
            MissingFileError, match="HTTP 404, and HTTP 404 for green-2021-01"
        ) as error:
            source.probe(LATER)
        assert "[sources.tlc]" in error.value.hint

    def test_is_not_judged_by_a_server_that_is_busy(self, server: FileServer, source: Http) -> None:
        server.answers["/green_tripdata_2026-09.parquet"] = FORBIDDEN
        server.answers[f"/{JANUARY_NAME}"] = Status(429, {"Retry-After": "90"})

        with pytest.raises(TransferError, match="HTTP 429") as error:
            source.probe(LATER)
        assert error.value.retry_after_seconds == 90

    @pytest.mark.parametrize("status", [403, 404])
    def test_of_a_single_address_is_no_matter_of_months(
        self, server: FileServer, status: int
    ) -> None:
        address = f"{server.url}/trips.csv"
        server.answers["*"] = Status(status)

        with pytest.raises(SourceError, match=f"HTTP {status}") as error:
            Http(address, address).probe(LATER)

        assert error.value.exit_code == 3
        assert not isinstance(error.value, TransferError)
        assert len(server.requests) == 1

    def test_by_the_mirror_is_final_since_it_is_frozen(self) -> None:
        # The mirror is known by its address, which is not asked for here.
        error = Http("mirror", MIRROR.url)._absent(LATER, 404, NEVER)

        assert type(error) is MissingFileError
        assert "it is frozen" in error.message
        assert "--source tlc" in error.hint


class TestAnAnswerThatIsNoFile:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_of_a_busy_or_broken_server_is_worth_another_try(
        self, server: FileServer, source: Http, status: int
    ) -> None:
        server.answers["*"] = Status(status)

        with pytest.raises(TransferError, match=f"HTTP {status}"):
            source.probe(JANUARY)
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("status", "said"), [(400, "cannot be had"), (401, "log-in"), (451, "cannot be had")]
    )
    def test_of_another_kind_is_not(
        self, server: FileServer, source: Http, status: int, said: str
    ) -> None:
        server.answers["*"] = Status(status)

        with pytest.raises(SourceError, match=said) as error:
            source.probe(JANUARY)
        assert not isinstance(error.value, TransferError)

    def test_a_web_page_is_told(self, server: FileServer, source: Http) -> None:
        server.put(JANUARY_NAME, b"<html>", content_type="text/html; charset=utf-8")

        with pytest.raises(CorruptFileError, match="is a web page"):
            source.probe(JANUARY)

    def test_a_packed_transfer_is_refused(self, server: FileServer, source: Http) -> None:
        server.put(JANUARY_NAME, b"packed", headers={"Content-Encoding": "br"})

        with pytest.raises(CorruptFileError, match=r"comes packed \(br\)"):
            source.probe(JANUARY)

    def test_a_gzip_said_to_be_packed_is_just_a_gzip(self, server: FileServer) -> None:
        server.put("trips.csv.gz", b"\x1f\x8b...", headers={"Content-Encoding": "gzip"})
        address = f"{server.url}/trips.csv.gz"

        assert Http(address, address).probe(JANUARY).size_bytes == 5

    def test_none_at_all_is_a_stall(self, server: FileServer, source: Http) -> None:
        server.head_faults.append(Hang())

        with pytest.raises(TransferError, match=r"no byte came for 0\.3 s"):
            replace(source, patience=Patience(stall=0.3)).probe(JANUARY)

    def test_a_port_at_which_nobody_listens_is_told(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}/trips.csv"

            with pytest.raises(TransferError, match="nobody answers at that port") as error:
                Http(address, address).probe(JANUARY)
        assert "--source FOLDER" in error.value.hint


class TestARedirect:
    def test_is_followed(self, server: FileServer, source: Http) -> None:
        server.put("elsewhere", b"PAR1 trips", etag='"there"')
        server.answers[f"/{JANUARY_NAME}"] = Status(302, {"Location": "/elsewhere?signed=hunter2"})

        version = source.probe(JANUARY)

        assert version.etag == '"there"'
        assert version.url == f"{server.url}/{JANUARY_NAME}"

    def test_in_a_circle_ends(self, server: FileServer, source: Http) -> None:
        server.answers["*"] = Status(302, {"Location": f"/{JANUARY_NAME}"})

        with pytest.raises(SourceError, match="leads from one address to the next"):
            source.probe(JANUARY)
        assert len(server.requests) == 10

    @pytest.mark.parametrize("to", ["ftp://127.0.0.1/x", "http://127.0.0.1:port/x", "http://"])
    def test_to_no_address_of_ours_is_refused(
        self, server: FileServer, source: Http, to: str
    ) -> None:
        server.answers["*"] = Status(302, {"Location": to})

        with pytest.raises(SourceError):
            source.probe(JANUARY)


class TestAnAddress:
    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("ftp://example.org/a.csv", "must begin with http"),
            ("https://me:hunter2@example.org/a.csv", "no user name and no password"),
            ("https://example.org/{year}.csv", r"both \{year\} and \{month\}"),
            ("https://example.org/a.csv?token=hunter2", "has a query"),
        ],
    )
    def test_that_cannot_be_right_is_refused_without_repeating_it(
        self, address: str, said: str
    ) -> None:
        with pytest.raises(ConfigError, match=said) as error:
            Http(address, address)
        assert "hunter2" not in repr(error.value) + error.value.hint


def test_a_head_that_lies_about_the_length_is_taken_at_its_word(
    server: FileServer, source: Http
) -> None:
    server.put(JANUARY_NAME, b"PAR1 trips")
    server.head_faults.append(Announce(99))

    assert source.probe(JANUARY).size_bytes == 99
