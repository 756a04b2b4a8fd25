"""What is attached to a run is kept with it, bounded and masked, and goes with it."""

from __future__ import annotations

import base64
import importlib
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from taxietl.errors import ConfigError
from taxietl.orchestrator import (
    Engine,
    attach_event,
    attach_image,
    attach_link,
    attach_markdown,
    attach_table,
    flow,
    task,
)
from taxietl.orchestrator.query.runs import tree_of
from taxietl.orchestrator.run.attachments import MAX_PICTURE_BYTES
from taxietl.orchestrator.store.attached_rows import AttachmentRow
from taxietl.orchestrator.store.retention import prune

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MODULE = """
from taxietl.orchestrator import attach_event, attach_table, task


@task(isolate=True)
def apart():
    attach_table({"rows": 3}, name="counts")
    attach_event("late", "nothing yet", rows=0)
"""


def attached(engine: Engine, work: Callable[[], Any]) -> list[AttachmentRow]:
    """What a flow of that code attaches."""
    run = engine.run(flow(name="attaching")(work))
    run.result()
    return tree_of(engine.history, engine.history.run(run.id)).attachments.get(run.id, [])


def test_attachments_of_a_run_and_its_tasks_are_kept_and_pruned_with_it(engine: Engine) -> None:
    @task
    def check(number: int) -> None:
        attach_table({"number": number}, name="of a task")

    def work() -> None:
        attach_markdown("# Good", name="report", description="what was found")
        check(1)
        check.submit(2).wait()
        attach_link("https://example.com/x", text="page")

    first, *tables, last = attached(engine, work)

    assert (first.kind, first.name, first.description) == ("markdown", "report", "what was found")
    assert (first.content, first.task_run_id) == ({"text": "# Good"}, None)
    assert [each.content["rows"] for each in tables] == [[[1]], [[2]]]
    assert len({each.task_run_id for each in tables} - {None}) == 2
    assert (last.kind, last.content) == ("link", {"url": "https://example.com/x", "text": "page"})

    prune(engine.history.database)
    assert engine.history.database.rows("SELECT * FROM attachments") == []


def test_what_an_isolated_task_attaches_is_kept_with_it(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "attaching_apart.py").write_text(MODULE)
    module = importlib.import_module("attaching_apart")
    run = engine.run(flow(lambda: module.apart()))
    del sys.modules["attaching_apart"]
    (task_run,) = engine.history.task_runs(run.id)
    tree = tree_of(engine.history, engine.history.run(run.id))
    (table,), (event,) = tree.attachments[run.id], tree.events[run.id]

    assert table.content == {"columns": ["rows"], "rows": [[3]], "row_count": 1}
    assert (event.name, event.message, event.details) == ("late", "nothing yet", {"rows": 0})
    assert table.task_run_id == event.task_run_id == task_run.id
    assert "Event 'late': nothing yet" in [each.message for each in engine.history.logs(run.id)]


@pytest.mark.parametrize(
    ("given", "columns", "rows"),
    [
        ([{"a": 1}, {"b": None, "a": 2}], ["a", "b"], [[1, None], [2, None]]),
        ([[1, "x"], (2,)], ["1", "2"], [[1, "x"], [2, None]]),
        ({"a": [1, 2], "b": ["x"]}, ["a", "b"], [[1, "x"], [2, None]]),
        ({"a": 1, "b": 1.5}, ["a", "b"], [[1, 1.5]]),
        ([], [], []),
        (pd.DataFrame({"a": [1, 2], 3: ["x", None]}), ["a", "3"], [[1, "x"], [2, None]]),
        (pd.DataFrame({"a": [1]}, index=pd.Index(["x"], name="i")), ["i", "a"], [["x", 1]]),
        (pd.DataFrame({"a": [1.5, None]}, dtype="float32"), ["a"], [[1.5], [None]]),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["a", "a"], [[1, 2]]),
        (pd.Series([1, 2], name="n"), ["n"], [[1], [2]]),
        (pa.table({"a": [1, None]}), ["a"], [[1], [None]]),
        (pa.record_batch({"a": [1, None]}), ["a"], [[1], [None]]),
        ([{"a": np.int64(1), "b": np.float32(0.5), "c": np.bool_(1)}], [*"abc"], [[1, 0.5, True]]),
    ],
    ids=str,
)
def test_a_table_is_taken_in_many_forms(
    engine: Engine, given: object, columns: list[str], rows: list[list[object]]
) -> None:
    (table,) = attached(engine, lambda: attach_table(given))

    assert table.content == {"columns": columns, "rows": rows, "row_count": len(rows)}


def test_secrets_are_masked(engine: Engine) -> None:
    def work() -> None:
        attach_markdown("password='abc123'", name="token=abc123", description="pwd=abc123")
        attach_table([{"password": "abc123", "url": "postgresql://me:abc123@host/db"}])
        attach_link("https://me:abc123@example.com", text="secret=abc123")
        attach_image("https://example.com/x.png?sig=abc123")

    found = attached(engine, work)

    assert len(found) == 4
    assert "abc123" not in "".join(map(str, found))


def test_what_is_long_is_cut_with_a_warning(engine: Engine) -> None:
    def work() -> None:
        attach_markdown("é" * 100_000, name="report")
        attach_table([{"n": n} for n in range(5000)], name="numbers")
        attach_table({"text": ["x" * 10_000] * 10})

    report, numbers, texts = attached(engine, work)
    (run,) = engine.history.runs()
    said = [each.message for each in engine.history.logs(run.id) if each.level == "WARNING"]

    assert len(report.content["text"]) == 32_768
    assert (len(numbers.content["rows"]), numbers.content["row_count"]) == (1000, 5000)
    assert (len(texts.content["rows"]), texts.content["row_count"]) == (6, 10)
    assert said == [
        "The markdown 'report' has 100,000 characters; the first 32,768 are kept.",
        "The table 'numbers' has 5,000 rows; the first 1,000 are kept.",
        "The table has 10 rows; the first 6 are kept.",
    ]


def test_a_picture_is_kept_with_its_bytes_or_by_its_address(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(PNG)

    def work() -> None:
        attach_image(path)
        attach_image(str(path))
        attach_image("https://example.com/plot.png")

    first, second, third = attached(engine, work)

    kind, _, data = first.content["url"].partition(";base64,")
    assert (kind, base64.b64decode(data)) == ("data:image/png", PNG)
    assert second.content == first.content
    assert third.content == {"url": "https://example.com/plot.png"}


@pytest.mark.parametrize(
    ("attach", "says"),
    [
        (lambda _: attach_markdown(3), "given a int, which is no text"),  # type: ignore[arg-type]
        (lambda _: attach_table("abc"), "A str is no table"),
        (lambda _: attach_table([1, 2]), "A list is no table"),
        (lambda _: attach_link("javascript:alert(1)"), "no address"),
        (lambda _: attach_link("https://" + "x" * 5000), "no address"),
        (lambda _: attach_image("file://plot.png"), "no address"),
        (lambda folder: attach_image(folder / "none.png"), "cannot be read: No such file"),
        (lambda folder: attach_image(folder / "text.png"), "is no picture"),
        (lambda folder: attach_image(folder / "big.png"), "takes more than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_attached_is_refused(
    tmp_path: Path, attach: Callable[[Path], None], says: str
) -> None:
    (tmp_path / "text.png").write_text("abc")
    (tmp_path / "big.png").write_bytes(PNG + bytes(MAX_PICTURE_BYTES))

    with pytest.raises(ConfigError, match=says):
        attach(tmp_path)


def test_outside_any_run_nothing_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="taxietl"):
        attach_table({"a": 1}, name="counts")
        attach_event("late")

    assert caplog.messages == [
        "The table 'counts' is not kept: this is part of no run.",
        "Event 'late'",
    ]


def test_what_somebody_edited_is_shown_as_it_is(engine: Engine) -> None:
    attached(engine, lambda: attach_markdown("x"))
    with engine.history.database.transaction() as connection:
        connection.execute("UPDATE attachments SET content = 'x', at = 'y'")
    (run,) = engine.history.runs()

    (row,) = tree_of(engine.history, run).attachments[run.id]

    assert row.content == {"unreadable": "x"}
    assert json.dumps(row.content)
