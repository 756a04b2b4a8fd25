"""Indexes and constraints that users have put on a trip table."""

from __future__ import annotations

import pytest
from months import FEBRUARY, Postgres, batch_of

from taxietl.errors import TargetError

INDEXES = (
    "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'taxietl_parts'"
)
EACH_TIME_ONCE = "(tpep_pickup_datetime, source_month)"


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("rest", ["", " NOT VALID"])
def test_a_check_holds_for_new_months_and_what_breaks_it_is_named(
    server: Postgres, rest: str, connections: int
) -> None:
    server.load(2)
    server.do(
        "CREATE FUNCTION most() RETURNS float LANGUAGE sql IMMUTABLE AS 'SELECT 100'",
        f'ALTER TABLE yellow_trips ADD CONSTRAINT "at % most" CHECK (fare_amount < most()){rest}',
    )
    assert server.load(3, force=True, connections=connections).action == "replaced"
    assert server.load(3, FEBRUARY, connections=connections).action == "loaded"
    before = server.facts()
    dear = batch_of("yellow", 3, fare_amount=[99, None, 300.5])

    with pytest.raises(TargetError) as refused:
        server.load([dear], force=True, connections=connections)

    assert refused.value.message.startswith("yellow-2021-01 breaks constraint at % most, CHECK ((")
    assert refused.value.message.endswith(" of yellow_trips: fare_amount = 300.5.")
    assert 'ALTER TABLE "public"."yellow_trips" DROP CONSTRAINT "at % most";' in refused.value.hint
    assert refused.value.exit_code == 5
    assert server.facts() == before
    assert server.left_behind() == []


@pytest.mark.parametrize(
    ("rule", "said", "dropping"),
    [
        (
            f"CREATE UNIQUE INDEX once ON yellow_trips {EACH_TIME_ONCE}",
            "index once",
            'DROP INDEX "public"."once";',
        ),
        (
            f"ALTER TABLE yellow_trips ADD CONSTRAINT once UNIQUE {EACH_TIME_ONCE}",
            f"constraint once, UNIQUE {EACH_TIME_ONCE},",
            'DROP CONSTRAINT "once";',
        ),
    ],
    ids=["index", "constraint"],
)
def test_what_is_unique_stays_so_by_one_index_and_the_key_that_comes_twice_is_named(
    server: Postgres, rule: str, said: str, dropping: str
) -> None:
    server.load(2)
    server.do(rule)
    assert server.load(3, force=True).action == "replaced"
    assert server.ask(INDEXES) == [(2,)]  # and that on the time
    before = server.facts()

    with pytest.raises(TargetError) as refused:
        server.load([batch_of("yellow", 2)] * 2, force=True)

    key = f"Key {EACH_TIME_ONCE}=(2021-01-01 12:00:0"
    assert refused.value.message.startswith(f"yellow-2021-01 breaks {said} of yellow_trips: {key}")
    assert dropping in refused.value.hint
    assert refused.value.exit_code == 5
    assert server.facts() == before


def test_a_primary_key_is_one_of_each_new_month(server: Postgres) -> None:
    server.load(2)
    server.do(f"ALTER TABLE yellow_trips ADD PRIMARY KEY {EACH_TIME_ONCE}")

    server.load(3, force=True)
    server.load(3, FEBRUARY)

    assert server.ask(f"{INDEXES} AND i.indisprimary") == [(2,)]
    assert server.ask(INDEXES) == [(4,)]


@pytest.mark.parametrize(
    ("rules", "said", "hint"),
    [
        (
            ["ALTER TABLE yellow_trips ALTER fare_amount SET NOT NULL"],
            "without a value where a table .* demands one: null value in column .fare_amount.",
            "DROP NOT NULL",
        ),
        (
            [
                'CREATE TABLE mine ("LocationID" int PRIMARY KEY)',
                'ALTER TABLE yellow_trips ADD FOREIGN KEY ("PULocationID") REFERENCES mine',
            ],
            r"Key \(PULocationID\)=\(7\) is not present in table .mine.",
            "do without the rule",
        ),
        (
            [
                "CREATE UNIQUE INDEX once ON yellow_trips (tpep_pickup_datetime, source_month)",
                "CREATE TABLE mine (a timestamp, b date, FOREIGN KEY (a, b) REFERENCES "
                "yellow_trips (tpep_pickup_datetime, source_month))",
            ],
            "Something of yours stands on .*: constraint mine_a_b_fkey on table public.mine",
            "Drop that",
        ),
        (
            [
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'not on weekdays'; END $$",
                "CREATE TRIGGER no BEFORE INSERT ON taxietl_loads EXECUTE FUNCTION no()",
            ],
            "A trigger or function of yours refused .*: not on weekdays",
            "Whoever made it",
        ),
    ],
    ids=["not null", "foreign key", "referenced", "trigger"],
)
def test_what_a_user_forbids_is_told_and_the_month_stays(
    server: Postgres, rules: list[str], said: str, hint: str
) -> None:
    server.load(2)
    server.do(*rules)
    before = server.facts()
    month = batch_of("yellow", 2, fare_amount=[1, None], PULocationID=[7, None])

    with pytest.raises(TargetError, match=said) as refused:
        server.load([month], force=True)

    assert hint in refused.value.hint
    assert server.facts() == before


def test_months_and_the_ledger_can_be_replaced_where_all_tables_are_published(
    server: Postgres,
) -> None:
    server.do("CREATE PUBLICATION everything FOR ALL TABLES")

    assert server.load(2).action == "loaded"
    assert server.load(3, force=True).action == "replaced"
