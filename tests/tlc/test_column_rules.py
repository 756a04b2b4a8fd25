"""What `--rename` takes."""

from __future__ import annotations

import pytest

from taxietl.errors import ConfigError
from taxietl.tlc.column_rules import parse_renames


def test_the_old_name_comes_first_and_is_compared_without_case_and_blanks() -> None:
    assert parse_renames(["Provider = VendorID", "a=b=c"]) == {"provider": "VendorID", "a": "b=c"}


@pytest.mark.parametrize("text", ["", "vendor", "=VendorID", "vendor=", " = "])
def test_what_renames_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="renames nothing") as error:
        parse_renames([text])
    assert "--rename old=new" in error.value.hint


def test_no_column_is_renamed_twice() -> None:
    with pytest.raises(ConfigError, match="The column Vendor is renamed twice"):
        parse_renames(["vendor=VendorID", "Vendor=extra"])
