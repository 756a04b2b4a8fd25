"""Addresses of sources: what is built in, what changes it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from taxietl.config import load_settings
from taxietl.errors import ConfigError

Write = Callable[[str], Path]
MONTH = "https://example.org/{color}/{year}-{month:02}.parquet"


def test_the_tlc_and_the_mirror_need_no_configuration() -> None:
    found = load_settings().sources

    assert found["tlc"].url.format(color="green", year=2021, month=1) == (
        "https://d37ci6vzurychx.cloudfront.net/trip-data/green_tripdata_2021-01.parquet"
    )
    assert found["mirror"].url.format(color="fhv", year=2019, month=12) == (
        "https://github.com/DataTalksClub/nyc-tlc-data/releases/download/"
        "fhv/fhv_tripdata_2019-12.csv.gz"
    )
    assert all(source.zones for source in found.values())


def test_one_of_your_own_is_one_line(write: Write) -> None:
    found = load_settings(config=write(f'[sources.My-Own]\nurl = "{MONTH}"\n')).sources

    assert sorted(found) == ["My-Own", "mirror", "tlc"]
    assert (found["My-Own"].url, found["My-Own"].zones) == (MONTH, None)


def test_a_section_of_a_built_in_name_changes_what_it_sets(write: Write) -> None:
    found = load_settings(config=write(f'[sources.tlc]\nurl = "{MONTH}"\n')).sources

    assert found["tlc"].url == MONTH
    assert found["tlc"].zones == load_settings().sources["tlc"].zones


def test_the_environment_wins(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(f'[sources.My-Own]\nurl = "{MONTH}"\n')
    monkeypatch.setenv("TAXIETL_SOURCES__MY_OWN__ZONES", "https://example.org/zones.csv")

    found = load_settings(config=file).sources["My-Own"]

    assert (found.url, found.zones) == (MONTH, "https://example.org/zones.csv")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with http:// or https://"),
        ("ftp://example.org/{year}{month}", "must begin with http:// or https://"),
        ("https:///{year}-{month}.csv", "and a host"),
        ("https://me:hunter2@example.org/{year}-{month}", "must hold no user name and no password"),
        ("https://me@example.org/{year}-{month}", "must hold no user name and no password"),
        ("https://example.org:port/{year}-{month}", "is not an address"),
        ("https://example.org/{year} {month}", "must hold no blanks"),
        ("https://example.org/{year}#{month}", "no #"),
        ("https://example.org/trips.parquet", "must contain {year} and {month}"),
        ("https://example.org/{year}.parquet", "both {year} and {month}"),
        ("https://example.org/{color}.parquet", "both {year} and {month}"),
        ("https://example.org/{year}-{mnth}.parquet", "unknown field"),
        ("https://example.org/{year}-{month}-{}.parquet", "unknown field"),
        ("https://example.org/{year}-{month.real}.parquet", "unknown field"),
        ("https://example.org/{year}-{month:x2}.parquet", "a format that does not fit {month}"),
        ("https://example.org/{year}-{month:99999999d}", "a format that does not fit {month}"),
        ("https://example.org/{year!r}-{month}", "a format that does not fit {year}"),
        ("https://example.org/{year}-{month.parquet", "unpaired"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(write: Write, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(f"[sources.own]\nurl = '{url}'\n"))

    assert "sources.own.url: " in str(caught.value)
    assert said in str(caught.value)
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sources.own]\n", "sources.own.url: is missing"),
        ("[sources]\nown = 1\n", "sources.own: must be a table: [sources.own]"),
        (f'[sources."a b"]\nurl = "{MONTH}"\n', "a source's name has letters, digits, - and _"),
        (f'[sources.own]\nurl = "{MONTH}"\nzone = "x"\n', "Did you mean 'zones'?"),
    ],
)
def test_a_wrong_section_is_told_with_its_place(write: Write, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(config=write(text))

    assert said in str(caught.value)
