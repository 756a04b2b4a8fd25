"""Small files at an address: whole, text, or refused."""

from __future__ import annotations

import pytest
from file_server import Cut, FileServer, Status

from taxietl.errors import ConfigError, CorruptFileError, MissingFileError, TransferError
from taxietl.extract.http.small import content_of

ZONES = b'"LocationID","Borough","Zone","service_zone"\r\n1,"EWR","Newark Airport","EWR"\r\n'


def test_it_comes_whole(server: FileServer) -> None:
    server.put("zones.csv", ZONES)

    assert content_of(f"{server.url}/zones.csv?token=1") == ZONES


def test_one_that_is_not_there_is_told(server: FileServer) -> None:
    with pytest.raises(MissingFileError, match=r"no file http://.*/zones\.csv"):
        content_of(f"{server.url}/zones.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Log in</html>", "web page or an error message"),
        (b"", "is empty"),
        (b"1,2\r\n" * 300_000, "longer than 1,048,576 bytes"),
        (b"GIF89a\x00\x00", "is neither CSV"),
    ],
    ids=["page", "empty", "long", "binary"],
)
def test_something_else_is_refused(server: FileServer, content: bytes, said: str) -> None:
    server.put("zones.csv", content)

    with pytest.raises(CorruptFileError, match=said):
        content_of(f"{server.url}/zones.csv")


def test_one_whose_end_nothing_proves_is_refused(server: FileServer) -> None:
    server.put("zones.csv", ZONES, until_close=True)

    with pytest.raises(CorruptFileError, match="came without its length"):
        content_of(f"{server.url}/zones.csv")


@pytest.mark.parametrize("fault", [Cut(after=20), Status(503)], ids=repr)
def test_one_that_does_not_come_this_time_is_worth_another_try(
    server: FileServer, fault: Cut | Status
) -> None:
    server.put("zones.csv", ZONES)
    server.faults.append(fault)

    with pytest.raises(TransferError):
        content_of(f"{server.url}/zones.csv")


@pytest.mark.parametrize(
    "address", ["zones.csv", "ftp://h/zones.csv", "https://h/{year}-{month}.csv"]
)
def test_what_is_no_address_of_a_file_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        content_of(address)
