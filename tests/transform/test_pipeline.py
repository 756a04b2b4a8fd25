"""The stream of clean batches as a whole: transformers, counts, limits, changing files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
from threads import new_threads

from taxietl.errors import ConfigError, DataError, SchemaError, SourceError
from taxietl.steps.values import NOTES_KEPT, Transform
from taxietl.tlc.datasets import Dataset
from taxietl.transform.pipeline import clean_batches
from taxietl.transform.zero_passengers import DropZeroPassengers

DROP = (Transform("drop-zero-passengers", "1"), DropZeroPassengers())


@dataclass
class Returning:
    """A transformer that returns what it was told to."""

    answer: Any
    version: str = "1"

    def transform(self, batch: pa.RecordBatch, dataset: Dataset) -> Any:
        return self.answer(batch)


def named(transformer: object) -> tuple[Transform, Any]:
    return Transform("mine", "7"), transformer


class TestTransformers:
    def test_dropped_rows_are_counted_under_the_rule_that_dropped_them(self, trips: Any) -> None:
        lines = [trips.line(passenger_count=count) for count in ("1", "0", "", "2", "0", "0")]
        first_only = named(Returning(lambda batch: batch[:1]))

        cleaned = trips.clean(trips.csv(*lines), transformers=[DROP, first_only])

        cleaned.assert_adds_up()
        assert cleaned.tally.rows_dropped == {"drop-zero-passengers": 3, "mine": 2}
        assert cleaned.tally.missing_passenger_count == (3, 0)
        assert cleaned.column("passenger_count") == [1]

    def test_without_any_every_row_stays(self, trips: Any) -> None:
        cleaned = trips.clean(trips.csv(trips.line(passenger_count="0"), trips.line()))

        assert cleaned.column("passenger_count") == [0, 1]
        assert cleaned.tally.rows_dropped == {}
        assert cleaned.tally.missing_passenger_count == (1, 1)

    def test_a_file_of_which_nothing_stays_is_counted_all_the_same(self, trips: Any) -> None:
        cleaned = trips.clean(
            trips.csv(*[trips.line(passenger_count="0")] * 3), transformers=[DROP]
        )

        cleaned.assert_adds_up()
        assert cleaned.batches == []
        assert cleaned.tally.rows_dropped == {"drop-zero-passengers": 3}

    @pytest.mark.parametrize(
        ("answer", "error", "told"),
        [
            pytest.param(
                lambda batch: batch.select([0]), SchemaError, "changed the columns", id="columns"
            ),
            pytest.param(
                lambda batch: batch.to_pylist(), SchemaError, "changed the columns", id="no-batch"
            ),
            pytest.param(
                lambda batch: batch.take([0, 0, 0]), DataError, "added 2 rows", id="more-rows"
            ),
            pytest.param(lambda batch: 1 / 0, DataError, "failed: ZeroDivisionError", id="error"),
        ],
    )
    def test_one_that_breaks_its_promise_is_named(
        self, trips: Any, answer: Any, error: type[DataError], told: str
    ) -> None:
        path = trips.csv(trips.line())

        with pytest.raises(error, match=f"'mine' {told}"):
            trips.clean(path, transformers=[named(Returning(answer))])

    def test_an_error_it_chose_itself_goes_through(self, trips: Any) -> None:
        def refuse(batch: pa.RecordBatch) -> pa.RecordBatch:
            raise ConfigError("no such zone")

        with pytest.raises(ConfigError, match="no such zone"):
            trips.clean(trips.csv(trips.line()), transformers=[named(Returning(refuse))])


class TestNotes:
    def test_they_come_in_the_order_of_the_lines(self, trips: Any) -> None:
        lines = [trips.line()] * 300
        lines[10] = trips.line(total_amount="?")
        lines[20] = "dirt"
        lines[30] = trips.line(PULocationID="?")

        cleaned = trips.clean(trips.csv(*lines))

        assert [note.line for note in cleaned.tally.notes] == [12, 22, 32]

    def test_only_so_many_are_kept_but_all_are_counted(self, trips: Any) -> None:
        lines = [trips.line(extra="?"), *["x"] * (NOTES_KEPT + 10)]

        cleaned = trips.clean(trips.csv(*[trips.line()] * 200, *lines))

        cleaned.assert_adds_up()
        assert len(cleaned.tally.notes) == NOTES_KEPT
        assert cleaned.tally.rows_rejected == NOTES_KEPT + 10
        assert cleaned.tally.values_nulled == {"extra": 1}

    def test_an_unreadable_column_is_named_even_after_too_many_rejects(self, trips: Any) -> None:
        path = trips.csv(*["x"] * (NOTES_KEPT + 10), *[trips.line(extra="?")] * 10)

        with pytest.raises(SchemaError, match=r"10 of 10 values of extra .* line 100012: '\?'"):
            trips.clean(path, block_bytes=1 << 16)


class TestChangingFiles:
    def test_a_file_of_another_size_than_was_hashed_is_refused(self, trips: Any) -> None:
        path = trips.csv(trips.line())
        file = trips.file(path)
        path.write_text(path.read_text() + trips.line() + "\n")

        with pytest.raises(SourceError, match="changed since it was fetched"):
            list(clean_batches(file, []))

    def test_a_file_that_is_written_to_while_it_is_read_is_refused(self, trips: Any) -> None:
        path = trips.csv(*[trips.line()] * 100)
        stream = clean_batches(trips.file(path), [], block_bytes=1000)
        next(stream)
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content.replace(b"11.8", b"11.9"))

        with pytest.raises(SourceError, match="changed while it was read"):
            list(stream)


@pytest.mark.parametrize("packed", [False, True], ids=["csv", "gzip"])
def test_closing_the_stream_early_leaves_no_thread(trips: Any, packed: bool) -> None:
    lines = "\n".join([trips.header, *[trips.line()] * 5000])
    path = trips.write(lines.encode(), name="t.csv.gz" if packed else "t.csv")
    left = new_threads()
    stream = clean_batches(trips.file(path), [], block_bytes=1000)
    next(stream)
    assert left() != []

    stream.close()

    assert left() == []


def test_an_error_downstream_of_the_reader_leaves_no_thread(trips: Any) -> None:
    path = trips.csv(*[trips.line()] * 5000)
    left = new_threads()
    failing = named(Returning(lambda batch: 1 / 0))

    with pytest.raises(DataError):
        list(clean_batches(trips.file(path), [failing], block_bytes=1000))

    assert left() == []
