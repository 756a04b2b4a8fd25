"""What a user says of a file's columns beyond the eras: other names, and the place of new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from taxietl.errors import ConfigError
from taxietl.tlc.blanks import trimmed


class NewColumns(StrEnum):
    """What becomes of columns that no era has."""

    ADD = "add"
    IGNORE = "ignore"
    FAIL = "fail"


@dataclass(frozen=True)
class ColumnRules:
    """How to read a file whose columns are not those of any era."""

    renames: Mapping[str, str] = field(default_factory=dict)
    """The file's name, in lower case and without blanks -> the contract's or an era's."""

    new: NewColumns = NewColumns.ADD


AS_PUBLISHED = ColumnRules()
"""For files that are what they should be."""


def parse_renames(texts: Sequence[str]) -> dict[str, str]:
    """What `--rename old=new` asks for, by the old names as they are compared.

    Raises:
        ConfigError: not of that form, or one column twice.
    """
    renames: dict[str, str] = {}
    for text in texts:
        old, sign, new = (trimmed(part) for part in text.partition("="))
        if not (old and sign and new):
            raise ConfigError(
                f"{text!r} renames nothing.",
                hint="Write --rename old=new, the file's name first: --rename vendor=VendorID.",
            )
        if old.lower() in renames:
            raise ConfigError(
                f"The column {old} is renamed twice.", hint="Give one --rename for each column."
            )
        renames[old.lower()] = new
    return renames
