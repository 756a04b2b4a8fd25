"""One statement that only reads: what passes, what is refused, and that nothing else is reached."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import months
import pyarrow as pa
import pytest
from months import Duck
from punctual import check_in_time

from taxietl.errors import ConfigError, TargetError
from taxietl.load.duckdb import DuckDBLoader
from taxietl.load.duckdb.profile import DuckDBProfile


@pytest.fixture
def loaded(duck: Duck) -> Duck:
    """A file with three trips."""
    duck.load(3)
    return duck


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Duck:
    """The same for those that do not change it."""
    kept = Duck(tmp_path_factory.mktemp("kept") / "taxi.duckdb")
    kept.load(3)
    return kept


def asked(duck: Duck, statement: str) -> pa.Table:
    """The statement's answer."""
    with duck.loader.query(statement) as rows:
        return rows.read_all()


def files_beside(duck: Duck) -> dict[str, bytes]:
    """The file, and whatever lies in its folder, such as its write-ahead log."""
    return {each.name: each.read_bytes() for each in duck.path.parent.iterdir()}


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process of its own that knows the test helpers."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(months.__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT * FROM yellow_trips", 3),
        ("select 1; -- done", 1),
        ("WITH a AS (SELECT 1) FROM a", 1),
        ("FROM yellow_trips", 3),
        ("VALUES (1), (2)", 2),
        ("TABLE yellow_trips", 3),
        ("EXPLAIN SELECT 1", 1),
        ("EXPLAIN ANALYZE SELECT 1", 1),
        ("SHOW TABLES", 5),
        ("DESCRIBE taxietl_rejects", 6),
        ("SUMMARIZE taxietl_rejects", 6),
        ("PRAGMA table_info('taxietl_rejects')", 6),
        ("PIVOT yellow_trips ON passenger_count IN (1, 2) USING count(*) GROUP BY airport_fee", 1),
        ("SELECT 1 WHERE false", 0),
    ],
)
def test_a_statement_that_reads_is_answered(kept: Duck, statement: str, rows: int) -> None:
    assert asked(kept, statement).num_rows == rows


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO yellow_trips (passenger_count, source_month) VALUES (1, '2021-01-01')",
        "UPDATE yellow_trips SET passenger_count = 9",
        "DELETE FROM yellow_trips",
        "DROP TABLE yellow_trips",
        "CREATE TABLE x (a INTEGER)",
        "CREATE TEMP TABLE x (a INTEGER)",
        "EXPLAIN ANALYZE DELETE FROM yellow_trips",
        "BEGIN",
        "CHECKPOINT",
        "VACUUM",
        "COPY yellow_trips TO '{outside}/new.csv'",
        "COPY (SELECT 1) TO '{outside}/new.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/new.csv'",
        "EXPORT DATABASE '{outside}/new'",
        "ATTACH '{outside}/new.duckdb'",
        "SELECT * FROM read_csv('{outside}/secret.csv')",
        "SELECT * FROM read_text('{outside}/secret.csv')",
        "SELECT * FROM read_blob('{outside}/*')",
        "SELECT * FROM '{outside}/secret.csv'",
        "SELECT * FROM glob('{outside}/*')",
        "SELECT * FROM sniff_csv('{outside}/secret.csv')",
        "FROM query('COPY (SELECT 1) TO ''{outside}/new.csv''')",
        "SELECT * FROM connection",
        "SELECT * FROM statement",
        "SET threads = 1",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "PRAGMA threads = 1",
        "PRAGMA enable_external_access = true",
        "RESET lock_configuration",
        "INSTALL httpfs",
        "LOAD httpfs",
        "CALL pragma_version()",
        "PREPARE p AS SELECT 1",
        "COMMIT; CREATE TABLE x (a INTEGER)",
        "SELECT 1; SELECT 2",
        "PIVOT yellow_trips ON passenger_count USING count(*)",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT",
        "SELECT nosuch FROM yellow_trips",
        "FROM nosuch",
        "SELECT 'a'::INTEGER",
        "SELECT error('told')",
    ],
)
def test_a_statement_that_does_more_or_is_wrong_is_refused(
    kept: Duck, tmp_path: Path, statement: str
) -> None:
    (tmp_path / "secret.csv").write_text("a\nsecret\n")
    before = files_beside(kept)

    with pytest.raises(ConfigError) as refused:
        asked(kept, statement.replace("{outside}", str(tmp_path)))

    assert refused.value.exit_code == 2
    assert "^" not in refused.value.message + refused.value.hint
    assert "\n" not in refused.value.message + refused.value.hint
    assert files_beside(kept) == before
    assert [each.name for each in tmp_path.iterdir()] == ["secret.csv"]


def test_a_wrong_name_is_answered_with_a_guess(kept: Duck) -> None:
    with pytest.raises(ConfigError, match="yelow_trips does not exist") as refused:
        asked(kept, "FROM yelow_trips")

    assert 'Did you mean "yellow_trips"?' in refused.value.hint


def test_a_value_that_fails_after_many_rows_is_the_statements_fault(kept: Duck) -> None:
    late = "SELECT CAST(IF(i = 90000, 'x', i::TEXT) AS INTEGER) FROM range(100000) r(i)"

    with (
        pytest.raises(ConfigError, match="Could not convert string 'x'"),
        kept.loader.query(late) as rows,
    ):
        for _ in rows:
            pass


def test_a_query_on_no_file_says_what_makes_one(duck: Duck) -> None:
    with pytest.raises(TargetError, match="There is no DuckDB file") as refused:
        asked(duck, "SELECT 1")

    assert "taxietl ingest" in refused.value.hint
    assert not duck.path.exists()


def test_a_half_read_answer_lets_go_of_the_file(loaded: Duck) -> None:
    with loaded.loader.query("FROM range(10000000)") as rows:
        assert next(iter(rows)).num_rows

    assert loaded.load(3, force=True).action == "replaced"


def test_an_answer_larger_than_the_memory_allowed_spills_to_disk(kept: Duck) -> None:
    query = "SELECT md5(i::TEXT) AS m, repeat('x', 100) FROM range(1500000) r(i) ORDER BY m"
    loader = DuckDBLoader(DuckDBProfile(path=kept.path, memory_limit="100MB"))

    with loader.query(query) as rows:
        assert sum(batch.num_rows for batch in rows) == 1_500_000


def test_a_long_answer_is_not_held_in_memory(kept: Duck) -> None:
    """In a process of its own, since memory once used is not given back."""
    script = """
import resource, sys
from pathlib import Path
from months import Duck

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

with Duck(Path(sys.argv[1])).loader.query(sys.argv[2]) as rows:
    next(iter(rows))
    before = peak()
    for _ in rows:
        pass
print(peak() - before)
"""
    query = "SELECT i, md5(i::TEXT), repeat('x', 100) FROM range(3000000) r(i)"

    with python(script, kept.path, query) as process:
        out, _ = process.communicate(timeout=60)

    assert int(out) < 200, "MB more than after the first rows; all of them are 430 MB"


def test_ctrl_c_stops_a_long_query_at_once(kept: Duck) -> None:
    script = """
import sys
from pathlib import Path
from months import Duck

query = Duck(Path(sys.argv[1])).loader.query(
    "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE a.range % 7 = b.range % 3"
)
print("asking", flush=True)
try:
    with query as rows:
        rows.read_all()
except KeyboardInterrupt:
    print("stopped")
"""

    def attempt(_: int) -> float:
        with python(script, kept.path) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "asking\n"
                time.sleep(0.5)
                begun = time.monotonic()
                process.send_signal(signal.SIGINT)
                out, _ = process.communicate(timeout=20)
                seconds = time.monotonic() - begun
            finally:
                process.kill()
        assert out == "stopped\n"
        return seconds

    check_in_time(2, attempt)
