"""Files that a command writes, one a month: `--out '{color}-{year}-{month:02d}.parquet'`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taxietl.errors import ConfigError
from taxietl.tlc.trip_file import TripFile


def files_of(months: Sequence[TripFile], given: Path, option: str) -> dict[TripFile, Path]:
    """The file of each month; of a single one it is the path as given, unless that has fields.

    Raises:
        ConfigError: the path has fields that no month has, or several months share a file.
    """
    from taxietl.config.templates import open_fields

    if len(months) == 1 and not any(
        f"{{{each}" in str(given) for each in ("color", "year", "month")
    ):
        return {months[0]: given}
    try:
        open_fields(str(given))
    except ValueError as error:
        raise ConfigError(f"{option} {given} {error}.", hint=_hint(option, given)) from None
    files = {
        each: Path(str(given).format(color=each.color, year=each.year, month=each.month))
        for each in months
    }
    if len(set(files.values())) < len(months):
        raise ConfigError(
            f"{option} {given} is one file for several of {len(months)} months.",
            hint=_hint(option, given),
        )
    return files


def _hint(option: str, given: Path) -> str:
    ending = "".join(given.suffixes[-2:]) or (".html" if option == "--html" else ".parquet")
    name = f"{{color}}-{{year}}-{{month:02d}}{ending}"
    return f"Write {option} '{given.with_name(name)}'."
