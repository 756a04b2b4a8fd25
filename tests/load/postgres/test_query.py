"""Asking PostgreSQL: one statement that only reads, whatever is tried."""

from __future__ import annotations

import datetime
import decimal
import uuid
from contextlib import closing
from typing import Any

import pytest
from months import Postgres

from taxietl.errors import ConfigError, TargetError, TryLaterError


def answer(server: Postgres, statement: str) -> list[dict[str, Any]]:
    """The statement's rows."""
    with server.loader.query(statement) as rows:
        found: list[dict[str, Any]] = rows.read_all().to_pylist()
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 AS a",
        "SELECT 1 AS a ; ",
        "WITH w AS (SELECT 1 AS a) SELECT * FROM w",
        "VALUES (1)",
        "SHOW transaction_read_only",
        "EXPLAIN SELECT 1",
        "TABLE pg_am",
        "-- about\nSELECT 1 /* ; */ AS a -- end",
    ],
)
def test_one_statement_that_gives_rows_is_answered(server: Postgres, statement: str) -> None:
    assert len(answer(server, statement)) >= 1


@pytest.mark.parametrize(
    "statement",
    [
        "commit; create table evil (a int)",
        "select 1; commit; create table evil (a int)",
        "select 1; select 2",
        "commit",
        "rollback",
        "create table evil (a int)",
        "select 1 into evil",
        "insert into kept values (2) returning a",
        "with w as (insert into kept values (2) returning a) select * from w",
        "with w as (delete from kept returning a) select * from w",
        "delete from kept",
        "select set_config('transaction_read_only', 'off', false)",
        "set transaction read write",
        "copy kept to program 'true'",
        "call nothing()",
        "do $$ begin end $$",
        "explain analyze insert into kept values (2)",
        "$taxietl$; commit; create table evil (a int); $taxietl$",
        "select nextval('counted')",
        "",
        " ; ",
        "selec 1",
        "select 'a\0b'",
        "select * from nowhere",
    ],
)
def test_anything_else_is_refused_and_changes_nothing(server: Postgres, statement: str) -> None:
    server.do("CREATE TABLE kept AS SELECT 1 AS a", "CREATE SEQUENCE counted")

    with pytest.raises(ConfigError) as refused:
        answer(server, statement)

    assert refused.value.exit_code == 2
    assert refused.value.hint
    assert server.ask("SELECT a, to_regclass('evil') FROM kept") == [(1, None)]


def test_a_schema_that_cannot_be_looked_into_is_not_passed_over(server: Postgres) -> None:
    server.load(1)
    user = f"looker_{uuid.uuid4().hex[:12]}"
    server.do(
        f"CREATE ROLE {user} LOGIN PASSWORD 'x'",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}",
        "CREATE SCHEMA closed",
    )
    try:
        address = server.url.split("@")[1]
        looker = Postgres(f"postgresql://{user}:x@{address}", schema="closed")

        with pytest.raises(TargetError, match=r"schema is missing in .*: there is no nowhere"):
            answer(Postgres(server.url, schema="nowhere"), "SELECT count(*) FROM trips")
        with pytest.raises(TargetError, match="may not look into schema closed of") as refused:
            answer(looker, "SELECT count(*) FROM trips")
        assert "GRANT USAGE" in refused.value.hint
    finally:
        server.do(f"DROP OWNED BY {user}", f"DROP ROLE {user}")


def test_values_come_in_arrows_types(server: Postgres) -> None:
    (row,) = answer(
        server,
        "SELECT true AS b, 1::int2 AS i2, 2 AS i4, 3::int8 AS i8, 1.5::float4 AS f4, 0.1 AS n, "
        "0.30000000000000004::float8 AS f8, 'é' AS t, DATE '2021-01-02' AS d, "
        "TIMESTAMP '2021-01-02 03:04:05.000006' AS ts, "
        "TIMESTAMPTZ '2021-01-02 03:04:05+01' AS tz, '{\"a\": 1}'::json AS j, "
        "ARRAY[1, 2] AS a, NULL::int AS nothing, sum(x) AS total, avg(x) AS mean "
        "FROM generate_series(1::int8, 4) AS x",
    )

    assert row == {
        "b": True,
        "i2": 1,
        "i4": 2,
        "i8": 3,
        "f4": 1.5,
        "n": decimal.Decimal("0.1"),
        "f8": 0.30000000000000004,
        "t": "é",
        "d": datetime.date(2021, 1, 2),
        "ts": datetime.datetime(2021, 1, 2, 3, 4, 5, 6),
        "tz": datetime.datetime(2021, 1, 2, 2, 4, 5, tzinfo=row["tz"].tzinfo),
        "j": '{"a": 1}',
        "a": "{1,2}",
        "nothing": None,
        "total": decimal.Decimal(10),
        "mean": decimal.Decimal("2.5"),
    }


def test_rows_come_in_batches_as_they_are_asked_for(server: Postgres) -> None:
    with server.loader.query("SELECT generate_series(1, 100000000) AS g") as rows:
        first = rows.read_next_batch()

    assert first.num_rows == 16_384


def test_an_answer_without_rows_has_its_columns(server: Postgres) -> None:
    with server.loader.query("SELECT 1 AS a, 'x' AS b, 2.5 AS c WHERE false") as rows:
        found = rows.read_all()

    assert found.schema.names == ["a", "b", "c"]
    assert found.num_rows == 0


def test_a_number_with_more_digits_than_the_first_rows_is_refused_not_rounded(
    server: Postgres,
) -> None:
    with pytest.raises(ConfigError, match="more digits"):
        answer(server, "SELECT CASE g WHEN 20000 THEN 0.001 ELSE 1 END AS n "
               "FROM generate_series(1, 20000) AS g")  # fmt: skip


def test_numbers_that_are_none_are_floats(server: Postgres) -> None:
    rows = answer(server, "SELECT x FROM (VALUES ('NaN'::numeric), (1.5), (NULL)) AS v (x)")

    assert str(rows[0]["x"]) == "nan"
    assert [each["x"] for each in rows[1:]] == [1.5, None]


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
@pytest.mark.parametrize("value", ["infinity", "-infinity"])
def test_infinity_is_not_told_as_a_day(server: Postgres, kind: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"{value} is no time") as refused:
        answer(server, f"SELECT '{value}'::{kind}")

    assert "::text" in refused.value.hint


def test_a_time_beyond_pythons_is_refused_with_a_way_out(server: Postgres) -> None:
    with pytest.raises(ConfigError, match="cannot be shown") as refused:
        answer(server, "SELECT TIMESTAMP '20000-01-01' AS t")

    assert "::text" in refused.value.hint


def test_a_server_that_has_gone_is_not_the_statements_fault(server: Postgres) -> None:
    with pytest.raises(TargetError):
        answer(server, "SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_number_has_all_its_digits_whatever_the_database_shows(server: Postgres) -> None:
    server.set_for_database("extra_float_digits", "-10")

    assert answer(server, "SELECT 0.1::float8 + 0.2 AS a") == [{"a": 0.1 + 0.2}]


def test_who_may_not_read_a_table_is_told_how_to_be_allowed(server: Postgres) -> None:
    server.load(1)
    reader = f"reader_{uuid.uuid4().hex[:12]}"
    server.do(f"CREATE ROLE {reader} LOGIN PASSWORD 'x'")
    try:
        theirs = Postgres(f"postgresql://{reader}:x@{server.url.split('@')[1]}")
        with pytest.raises(TargetError, match="permission denied for view trips") as refused:
            answer(theirs, "SELECT * FROM trips")
    finally:
        server.do(f"DROP ROLE {reader}")

    assert "GRANT SELECT" in refused.value.hint


def test_a_query_that_waits_for_a_locked_table_can_be_asked_later(server: Postgres) -> None:
    statement = (
        "SELECT * FROM (SELECT set_config('lock_timeout', '50', true)) AS s, "
        "query_to_xml('TABLE yellow_trips', true, true, '') AS t"
    )
    server.load(1)
    with closing(server.connect()) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE yellow_trips IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TryLaterError, match="holds a lock"):
            answer(server, statement)
