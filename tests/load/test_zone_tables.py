"""The zone table in each kind of warehouse: replaced whole, left alone when nothing changed."""

from __future__ import annotations

from typing import Any

import pytest
from months import Duck, Postgres

from taxietl.errors import ConfigError, NotOursError
from taxietl.steps.protocols import NEVER
from taxietl.steps.zones import Zone, ZoneFile, ZoneReport, ZoneRequest

TODAY = (
    Zone(1, "EWR", "Newark Airport", "EWR"),
    Zone(264, "Unknown", "N/A", "N/A"),
    Zone(265, "N/A", "Outside of NYC", "N/A"),
)
BEFORE = (TODAY[0], Zone(264, "Unknown", "NV", "N/A"), Zone(265, "Unknown", "NA", "N/A"))


@pytest.fixture(params=["duck", "server"])
def warehouse_of(request: pytest.FixtureRequest) -> Duck | Postgres:
    """An empty warehouse of each kind."""
    made: Duck | Postgres = request.getfixturevalue(request.param)
    return made


def request(zones: tuple[Zone, ...], content: bytes = b"", *, force: bool = False) -> ZoneRequest:
    file = ZoneFile("files", "file:///files/zones.csv", content or repr(zones).encode())
    return ZoneRequest(file, zones, "run-1", "amber-fox", force=force)


def load(
    to: Duck | Postgres, zones: tuple[Zone, ...], content: bytes = b"", *, force: bool = False
) -> ZoneReport:
    return to.loader.load_zones(request(zones, content, force=force), NEVER)


def rows(of: Duck | Postgres) -> list[tuple[Any, ...]]:
    return of.ask("SELECT * FROM taxi_zones ORDER BY 1")


def ledger(of: Duck | Postgres) -> list[tuple[Any, ...]]:
    return of.ask(
        "SELECT load_id, rows_loaded, source_sha256, superseded_at IS NULL "
        "FROM taxietl_zone_loads ORDER BY loaded_at"
    )


def test_texts_stay_texts_and_the_load_is_in_the_ledger(warehouse_of: Duck | Postgres) -> None:
    report = load(warehouse_of, BEFORE)

    assert rows(warehouse_of) == list(BEFORE)
    assert (report.action, report.rows_loaded, report.run_name) == ("loaded", 3, "amber-fox")
    assert ledger(warehouse_of) == [(report.load_id, 3, report.source_sha256, True)]


def test_plain_names_are_in_a_view(warehouse_of: Duck | Postgres) -> None:
    load(warehouse_of, TODAY)

    found = warehouse_of.ask("SELECT borough, zone, service_zone FROM zones WHERE location_id = 1")
    assert found == [("EWR", "Newark Airport", "EWR")]


def test_the_same_file_again_is_nothing_to_do(warehouse_of: Duck | Postgres) -> None:
    first = load(warehouse_of, TODAY)

    second = load(warehouse_of, TODAY)

    assert second.action == "nothing to do"
    assert (second.load_id, second.loaded_at) == (first.load_id, first.loaded_at)
    assert len(ledger(warehouse_of)) == 1


def test_force_replaces_what_has_not_changed(warehouse_of: Duck | Postgres) -> None:
    first = load(warehouse_of, TODAY)

    second = load(warehouse_of, TODAY, force=True)

    assert (second.action, second.reason) == ("replaced", "--force")
    assert [each[3] for each in ledger(warehouse_of)] == [False, True]
    assert first.load_id != second.load_id


def test_a_plan_is_what_a_load_does_and_changes_nothing(warehouse_of: Duck | Postgres) -> None:
    def planned(zones: tuple[Zone, ...], *, force: bool = False) -> str:
        return warehouse_of.loader.plan_zones(request(zones, force=force))[0]

    assert (planned(TODAY), planned(TODAY, force=True)) == ("load", "load")
    load(warehouse_of, BEFORE)
    plans = planned(TODAY), planned(BEFORE), planned(BEFORE, force=True)

    assert plans == ("replace", "nothing", "replace")
    assert rows(warehouse_of) == list(BEFORE)
    assert len(ledger(warehouse_of)) == 1


def test_another_edition_replaces_the_table_whole(warehouse_of: Duck | Postgres) -> None:
    first = load(warehouse_of, BEFORE)

    second = load(warehouse_of, TODAY[:2])

    assert (second.action, second.reason[:8]) == ("replaced", "restated")
    assert rows(warehouse_of) == list(TODAY[:2])
    assert [(each[0], each[3]) for each in ledger(warehouse_of)] == [
        (first.load_id, False),
        (second.load_id, True),
    ]


@pytest.mark.parametrize(
    ("statement", "action", "told"),
    [
        ('DELETE FROM taxi_zones WHERE "LocationID" = 1', "replaced", "other rows"),
        ('UPDATE taxi_zones SET "Zone" = NULL', "replaced", "other rows"),
        ("DROP TABLE taxi_zones CASCADE", "loaded", "the table is gone"),
    ],
    ids=["a row lost", "texts lost", "dropped"],
)
def test_what_was_changed_by_hand_is_mended(
    warehouse_of: Duck | Postgres, statement: str, action: str, told: str
) -> None:
    load(warehouse_of, TODAY)
    warehouse_of.do(statement)

    report = load(warehouse_of, TODAY)

    assert report.action == action
    assert told in report.reason
    assert rows(warehouse_of) == list(TODAY)
    assert warehouse_of.ask("SELECT count(*) FROM zones") == [(3,)]


@pytest.mark.parametrize("name", ["taxi_zones", "taxietl_zone_loads"])
def test_a_table_of_the_users_own_is_left_alone(warehouse_of: Duck | Postgres, name: str) -> None:
    warehouse_of.do(f"CREATE TABLE {name} (a INTEGER)")

    with pytest.raises(NotOursError, match=f"{name} that taxietl did not make") as error:
        load(warehouse_of, TODAY)

    assert "--table" not in error.value.hint
    assert warehouse_of.ask(f"SELECT * FROM {name}") == []
    other = {"taxi_zones", "taxietl_zone_loads"} - {name}
    made = warehouse_of.ask("SELECT table_name FROM information_schema.tables")
    assert not other & {each for (each,) in made}


def test_a_view_of_the_users_own_stays(warehouse_of: Duck | Postgres) -> None:
    warehouse_of.do("CREATE VIEW zones AS SELECT 7 AS mine")

    load(warehouse_of, TODAY)

    assert warehouse_of.ask("SELECT mine FROM zones") == [(7,)]
    assert rows(warehouse_of) == list(TODAY)


def test_trips_are_not_loaded_into_it(warehouse_of: Duck | Postgres) -> None:
    load(warehouse_of, TODAY)

    with pytest.raises(ConfigError, match="taxi_zones"):
        warehouse_of.load(3, table="taxi_zones")
    assert rows(warehouse_of) == list(TODAY)


def test_readers_see_the_rows_of_before_until_the_commit(server: Postgres) -> None:
    load(server, BEFORE)
    with server.connect() as reader, reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM taxi_zones")

        load(server, TODAY)  # does not wait for the reader

        cursor.execute('SELECT "Zone" FROM taxi_zones WHERE "LocationID" = 265')
        assert cursor.fetchall() == [("NA",)]
    reader.close()


def test_another_edition_can_be_loaded_where_all_tables_are_published(server: Postgres) -> None:
    server.do("CREATE PUBLICATION everything FOR ALL TABLES")

    assert load(server, BEFORE).action == "loaded"
    assert load(server, TODAY).action == "replaced"


def test_the_schema_may_have_any_name(server: Postgres) -> None:
    server.do('CREATE SCHEMA "o\'dd %s"')
    odd = Postgres(server.url, schema="o'dd %s")

    assert [load(odd, zones).action for zones in (BEFORE, TODAY)] == ["loaded", "replaced"]
