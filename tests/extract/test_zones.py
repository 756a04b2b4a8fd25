"""Finding the zone look-up file in what `--source` names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer

from taxietl.config import activate, load_settings
from taxietl.errors import ConfigError, CorruptFileError, MissingFileError, UnknownNameError
from taxietl.extract.zones import LARGEST_BYTES, zone_file
from taxietl.steps.zones import ZoneFile


@pytest.mark.parametrize(
    "place", ["taxi_zone_lookup.csv", "misc/taxi_zone_lookup.csv", "taxi+_zone_lookup.csv"]
)
def test_a_folder_has_it_under_one_of_its_names(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"zones")

    found = zone_file(str(tmp_path))

    assert (found.content, found.source, found.url) == (b"zones", str(tmp_path), path.as_uri())


def test_a_file_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "z.txt").write_bytes(b"zones")

    assert zone_file(str(tmp_path / "z.txt")).content == b"zones"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="has no zone table") as error:
        zone_file(str(tmp_path))
    assert "taxi_zone_lookup.csv" in error.value.hint
    with pytest.raises(MissingFileError, match="There is nothing at"):
        zone_file(str(tmp_path / "none.csv"))
    with pytest.raises(UnknownNameError, match="no source named 'tcl'") as unknown:
        zone_file("tcl")
    assert "Did you mean 'tlc'?" in unknown.value.hint


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """On loopback, which is asked without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer() as server:
        yield server
    activate(None)


def test_a_server_of_the_configuration_and_an_address_are_asked(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b'"LocationID","Borough","Zone","service_zone"\r\n1,"EWR","Newark Airport","EWR"\r\n'
    server.put("misc/zones.csv", content)
    address = f"{server.url}/misc/zones.csv"
    monkeypatch.setenv("TAXIETL_SOURCES__OURS__URL", server.template)
    monkeypatch.setenv("TAXIETL_SOURCES__OURS__ZONES", address)
    monkeypatch.setenv("TAXIETL_SOURCES__OTHER__URL", server.template)
    activate(load_settings(home=tmp_path))

    assert zone_file("ours") == ZoneFile("ours", address, content)
    assert zone_file(f"{address}?token=abc") == ZoneFile(address, address, content)
    with pytest.raises(ConfigError, match="'other' has no zone table"):
        zone_file("other")


def test_a_month_of_trips_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / "big.csv").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)

    with pytest.raises(CorruptFileError, match="too large to be the zone table"):
        zone_file(str(tmp_path / "big.csv"))
