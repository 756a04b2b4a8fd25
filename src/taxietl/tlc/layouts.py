"""Which era a file is of, told by the names of its columns, and how they answer to the contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from taxietl.errors import ConfigError, SchemaError, UnknownNameError
from taxietl.tlc.blanks import trimmed
from taxietl.tlc.column_rules import AS_PUBLISHED, ColumnRules, NewColumns
from taxietl.tlc.eras import ERAS, Era, by_case, contract_era, contract_name
from taxietl.tlc.trip_file import TripFile

IGNORED = frozenset({"", "__index_level_0__", "unnamed: 0", "source_month"})
"""Columns that are no data of the TLC's: a pandas index, stored with the file by its writer; and
the one that taxietl adds to its tables, in a file written from such a table."""


MOST_COLUMNS = 1_000
"""Trip files have up to 25, PostgreSQL's tables up to 1,600."""


@dataclass(frozen=True)
class Layout:
    """How one file's columns answer to the contract."""

    era: Era
    columns: Mapping[str, str]
    """Contract column -> the file's own name for it, as spelt there."""

    new_columns: tuple[str, ...] = ()
    """The file's columns that no era has, as spelt there, to be added as text."""

    absent: tuple[str, ...] = ()
    """Contract columns that files of that month should have, and this one has not."""

    spare: Mapping[str, str] = field(default_factory=dict)
    """Contract column -> a second column of the file for it, where the first is empty."""

    ignored: tuple[str, ...] = ()
    """The file's columns that no era has, and that are to be left out."""


def match(
    published: Sequence[str], trip_file: TripFile, rules: ColumnRules = AS_PUBLISHED
) -> Layout:
    """Find the era of a file from its column names.

    Args:
        published: the file's column names, in its order and spelling.
        trip_file: whose month it is said to be; settles which era a wrong file is compared with.
        rules: other names for its columns, and what to do with those that no era has.

    Raises:
        ConfigError: a column that is to be renamed is not there, or the new name is unknown.
        SchemaError: a column is missing, stands there twice, or too few are known; or one is new,
            and that is not allowed.
    """
    spelt = _spellings(published, trip_file)
    given = _take_renamed(spelt, trip_file, rules.renames)
    covering = [era for era in ERAS if era.color == trip_file.color and era.covers(trip_file)]
    whole = contract_era(trip_file.color)
    complete = [era for era in (*covering, whole) if _is_of(era, spelt, given)]
    if not complete:
        raise _not_of_any_era(spelt.keys(), given, covering, trip_file)
    if len(published) > MOST_COLUMNS:
        raise SchemaError(
            f"The {trip_file} file has {len(published):,} columns; no trip file has as many.",
            hint="Leave out what is no data of the TLC's; "
            f"`taxietl schema --color {trip_file.color}` lists the columns of every era.",
        )
    era = max(complete, key=lambda each: len(each.published))
    columns = given | {
        name: spelt[each] for name, each in era.contract.items() if name not in given
    }
    new = _place_others(era, spelt, columns, trip_file)
    if new and rules.new is NewColumns.FAIL:
        raise _new_columns(new, trip_file)
    spare = {name: spelt[each] for name, each in era.spare.items() if each in spelt}
    absent = () if era is whole else _absent(era, columns, covering)
    if rules.new is NewColumns.IGNORE:
        return Layout(era, columns, (), absent, spare, ignored=new)
    return Layout(era, columns, new, absent, spare)


def _is_of(era: Era, spelt: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Whether the file has every column of the era, one way or the other."""
    return spelt.keys() >= {each for name, each in era.contract.items() if name not in given}


def _place_others(
    era: Era, spelt: Mapping[str, str], columns: dict[str, str], trip_file: TripFile
) -> tuple[str, ...]:
    """Add to the columns what the era has not, and the contract has; return what is left."""
    new: list[str] = []
    taken = set(columns.values())
    for plain, name in spelt.items():
        if plain in era.derived or plain in era.spare.values() or name in taken:
            continue
        known = contract_name(plain, era.dataset) if plain in era.published else None
        known = known or by_case(era.dataset).get(plain)
        if known is None:
            new.append(name)
        elif known in columns:
            raise _twice((columns[known], name), trip_file)
        else:
            columns[known] = name
    return tuple(new)


def _absent(era: Era, columns: Mapping[str, str], covering: Sequence[Era]) -> tuple[str, ...]:
    """What the latest era has that names all of these columns and more, and this file has not.

    An era of other columns (zones instead of coordinates) says nothing of this file.
    """
    alike = [each for each in covering if each.contract.keys() >= era.contract.keys()]
    latest = max(alike, key=lambda each: each.since)
    absent = latest.contract.keys() - columns.keys()
    return tuple(name for name in era.dataset.column_names if name in absent)


def _spellings(published: Sequence[str], trip_file: TripFile) -> dict[str, str]:
    """Each published name as compared -> as spelt, without what is no data."""
    spelt: dict[str, str] = {}
    for name in published:
        plain = trimmed(name).lower()
        if plain in IGNORED:
            continue
        if plain in spelt:
            raise _twice((spelt[plain], name), trip_file)
        spelt[plain] = name
    return spelt


def _take_renamed(
    spelt: dict[str, str], trip_file: TripFile, renames: Mapping[str, str]
) -> dict[str, str]:
    """Take the renamed columns out of the others; contract column -> name as spelt."""
    given: dict[str, str] = {}
    for old, new in renames.items():
        known = contract_name(new.lower(), trip_file.dataset)
        if known is None:
            raise UnknownNameError(f"{trip_file.color} column", new, trip_file.dataset.column_names)
        if old not in spelt:
            raise ConfigError(
                f"The {trip_file} file has no column {old} to rename.",
                hint=f"It has {_listed(list(spelt.values()))}.",
            )
        if known in given:
            raise _twice((given[known], spelt[old]), trip_file)
        given[known] = spelt.pop(old)
    return given


def _twice(both: tuple[str, str], trip_file: TripFile) -> SchemaError:
    return SchemaError(
        f"The {trip_file} file has one column twice: {_listed(both)}.",
        hint="Rename or remove one of them; which holds the trips cannot be told.",
    )


def _new_columns(names: Sequence[str], trip_file: TripFile) -> SchemaError:
    return SchemaError(
        f"The {trip_file} file has columns that no era knows: {_listed(names)}.",
        hint="--new-columns add keeps them as text, ignore leaves them out; "
        "--rename old=new says that they are known ones.",
    )


def _not_of_any_era(
    names: Collection[str], given: Mapping[str, str], covering: Sequence[Era], trip_file: TripFile
) -> SchemaError:
    """Name what is missing from the nearest era of that month, and whose columns they are."""
    nearest = min(covering, key=lambda era: len(set(era.published) ^ set(names)))
    missing = {
        known: each
        for known, each in nearest.contract.items()
        if each not in names and known not in given
    }
    told = [
        known if known.lower() == each else f"{known} (published as {each})"
        for known, each in missing.items()
    ]
    other = next((era.name for era in ERAS if set(era.published) == set(names)), None)
    unknown = sorted(set(names) - set(nearest.published))
    also = f"; these are the columns of {other!r}" if other else ""
    also = also or (f"; unknown are {_listed(unknown)}" if unknown else "")
    return SchemaError(
        f"The file is no {trip_file}: it has no {', '.join(told)}{also}.",
        hint=f"Compared with {nearest.name!r}, the nearest era of that month. "
        f"{_renames_for(missing, [] if other else unknown, trip_file)}"
        f"`taxietl schema --color {trip_file.color}` lists the columns of every era.",
    )


def _renames_for(missing: Collection[str], unknown: Sequence[str], trip_file: TripFile) -> str:
    """The options to paste if unknown columns are missing ones under names known elsewhere."""
    of = trip_file.dataset
    meant = {"pickup_datetime": of.started_at, "dropoff_datetime": of.ended_at}
    squeezed = {name.lower().replace("_", ""): name for name in missing}
    zones = by_case(of)
    squeezed |= {
        "pickuplocationid": zones["pulocationid"],
        "dropofflocationid": zones["dolocationid"],
    }
    options = []
    for name in unknown:
        known = meant.get(name) or contract_name(name, of) or squeezed.get(name.replace("_", ""))
        if known in missing:
            options.append(f"--rename {name}={known}")
    if options:
        return f"If the names alone are others, add {' '.join(options)}. "
    return "If a name alone is another, add --rename old=new. " if unknown else ""


def _listed(names: Sequence[str]) -> str:
    """The names, cut to what can be read: the first line of any text may stand in for a header."""
    cut = (name.strip() if len(name) <= 40 else f"{name.strip()[:40]}…" for name in names[:10])
    shown = ", ".join(cut)
    return f"{shown} and {len(names) - 10:,} more" if len(names) > 10 else shown
