"""What `--table` means, and that a schema of its own holds a month as the warehouse's own does."""

from __future__ import annotations

import pytest
from months import FEBRUARY, JANUARY, Duck, Postgres, batch_of

from taxietl.errors import ConfigError
from taxietl.load.table_names import table_name


@pytest.mark.parametrize(
    ("text", "own", "ledger", "sql"),
    [
        ("yellow", "public", "yellow", '"yellow"'),
        ("raw.yellow", "public", "raw.yellow", '"raw"."yellow"'),
        ("public.yellow", "public", "yellow", '"yellow"'),
        ("Public.yellow", "public", "Public.yellow", '"Public"."yellow"'),
        ("Main.yellow", "main", "yellow", '"yellow"'),
        ("my trips", "main", "my trips", '"my trips"'),
    ],
)
def test_a_name_may_have_a_schema(text: str, own: str, ledger: str, sql: str) -> None:
    name = table_name(text, own)

    assert (str(name), name.sql) == (ledger, sql)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "raw.",
        ".yellow",
        "a.b.c",
        'raw"."yellow',
        'x"; DROP TABLE y; --',
        "a;b",
        "a\nb",
        " ",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no table's name") as refused:
        table_name(text, "main")
    assert "SCHEMA.NAME" in refused.value.hint


@pytest.mark.parametrize("schema", ["information_schema", "PG_Catalog", "pg_temp", "taxietl_parts"])
def test_a_schema_for_other_things_is_refused(schema: str) -> None:
    with pytest.raises(ConfigError, match=f"The schema {schema} is none for tables of trips"):
        table_name(f"{schema}.yellow", "public")


@pytest.mark.parametrize("schema", ["temp", "System"])
def test_a_schema_called_like_a_database_of_duckdbs_is_refused(duck: Duck, schema: str) -> None:
    with pytest.raises(ConfigError, match=f"The schema {schema} is called like one of DuckDB's"):
        duck.load(1, table=f"{schema}.yellow")


@pytest.fixture(params=["duckdb", "postgres"])
def either(request: pytest.FixtureRequest) -> Duck | Postgres:
    """A warehouse of either kind."""
    kind = {"duckdb": "duck", "postgres": "server"}[request.param]
    found: Duck | Postgres = request.getfixturevalue(kind)
    return found


@pytest.mark.parametrize("schema", ["raw", "Raw Data"])
def test_a_schema_is_made_and_the_month_replaced_in_it(
    either: Duck | Postgres, schema: str
) -> None:
    table = f"{schema}.yellow_trips"

    first = either.load(3, table=table)
    again = either.load(3, table=table)
    more = either.load([batch_of("yellow", 4, extra_text=["x"] * 4)], etag="2", sha256="b" * 64,
                       table=table)  # fmt: skip
    other = either.load(2, FEBRUARY, table=table)
    own = either.load(1)

    assert [each.action for each in (first, again, more, other, own)] == [
        "loaded", "nothing to do", "replaced", "loaded", "loaded"
    ]  # fmt: skip
    assert {each.table for each in (first, more, other)} == {table}
    found = either.ask(f'SELECT count(*), count(extra_text) FROM "{schema}".yellow_trips')
    assert found == [(6, 4)]
    assert either.ask("SELECT count(*) FROM yellow_trips") == [(1,)]
    assert either.ask("SELECT count(*) FROM trips") == [(1,)]
    entry = either.loader.entry(JANUARY, table)
    assert entry is not None
    assert entry.rows_present == 4


def test_the_warehouse_s_own_schema_may_be_said(either: Duck | Postgres) -> None:
    own = {"Duck": "main", "Postgres": "public"}[type(either).__name__]
    either.load(3)

    again = either.load(3, table=f"{own}.yellow_trips")

    assert (again.action, again.table) == ("nothing to do", "yellow_trips")


def test_a_load_that_fails_leaves_no_schema(either: Duck | Postgres) -> None:
    with pytest.raises(ConfigError):
        either.load(3, table="raw.taxietl_loads")

    ((schemas,),) = either.ask(
        "SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'raw'"
    )
    assert schemas == 0


def test_a_schema_called_like_the_database_is_refused(duck: Duck) -> None:
    with pytest.raises(ConfigError, match="like the database itself"):
        duck.load(3, table=f"{duck.path.stem}.yellow_trips")
