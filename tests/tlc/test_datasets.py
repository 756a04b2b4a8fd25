"""The contract of each colour holds together."""

from __future__ import annotations

import ast
from pathlib import Path

import pyarrow as pa
import pytest

import taxietl
from taxietl.errors import UnknownNameError
from taxietl.tlc.arrow import arrow_schema
from taxietl.tlc.codes import FLAGS, NUMBERS, TRIMMED
from taxietl.tlc.colors import COLORS
from taxietl.tlc.datasets import DATASETS, Dataset, Kind, dataset


@pytest.mark.parametrize("known", DATASETS.values(), ids=DATASETS.keys())
class TestEveryDataset:
    def test_no_two_columns_are_alike_but_for_case(self, known: Dataset) -> None:
        names = [name.lower() for name in (*known.column_names, "source_month")]

        assert len(set(names)) == len(names)

    def test_a_trip_begins_and_ends(self, known: Dataset) -> None:
        kinds = {column.name: column.kind for column in known.columns}

        assert kinds[known.started_at] is Kind.TIME
        assert kinds[known.ended_at] is Kind.TIME

    def test_arrow_has_the_same_columns_with_the_sql_types_meanings(self, known: Dataset) -> None:
        meant = {
            "INTEGER": pa.int32(),
            "DOUBLE PRECISION": pa.float64(),
            "TIMESTAMP": pa.timestamp("us"),
            "TEXT": pa.string(),
        }

        schema = arrow_schema(known)

        assert schema.names == list(known.column_names)
        assert schema.types == [meant[column.kind.sql_type] for column in known.columns]


def test_an_unknown_colour_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError) as error:
        dataset("blue")
    assert "fhv, fhvhv, green, yellow" in error.value.hint


@pytest.mark.parametrize("column", sorted([*NUMBERS, *FLAGS, *TRIMMED]))
def test_old_codes_are_of_columns_that_exist(column: str) -> None:
    assert any(known.has(column) for known in DATASETS.values())


def test_old_codes_are_keyed_as_they_are_looked_up() -> None:
    for codes in NUMBERS.values():
        assert all(text == text.strip().upper() for text in codes)


def test_no_other_module_lists_the_colours() -> None:
    """What a fifth one would be missing from; synthetic files are made colour by colour."""
    source = Path(taxietl.__file__).parent
    listing = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == COLORS[-1]
    }

    assert tuple(DATASETS) == COLORS
    assert {each for each in listing if "synthetic/" not in each} == {
        *("tlc/colors.py", "tlc/datasets.py", "tlc/eras.py")
    }
