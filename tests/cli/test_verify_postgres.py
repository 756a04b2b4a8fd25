"""`taxietl verify` on PostgreSQL finds what it finds on DuckDB."""

from __future__ import annotations

import uuid
from contextlib import closing
from pathlib import Path

import psycopg2
from command import Taxietl, check_refused

from taxietl.extract.synthetic import write

GREEN = ("--color", "green", "--year", "2021", "--month", "1")


def test_a_cent_changed_in_postgresql_is_found(
    taxietl: Taxietl, warehouse: str, tmp_path: Path
) -> None:
    Path("taxietl.toml").write_text(
        f'[profiles.warehouse]\ntype = "postgres"\nurl = "{warehouse}"\n'
    )
    write(tmp_path / "green_tripdata_2021-01.parquet", "green", 2021, 1, rows=400)
    taxietl("ingest", *GREEN, "--source", tmp_path)

    whole = taxietl("verify", "--color", "green", "--json").document
    connection = psycopg2.connect(warehouse)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE green_trips SET tip_amount = tip_amount + 0.01 "
            'WHERE "VendorID" = 2 AND tip_amount = (SELECT max(tip_amount) FROM green_trips)'
        )
    connection.close()
    changed = taxietl("verify", "--color", "green", "--json").document

    assert [each["ok"] for each in whole["months"]] == [True]
    assert changed["exit_code"] == 4
    (difference,) = changed["months"][0]["differences"]
    assert (difference["what"], difference["column"]) == ("sum", "tip_amount")


def test_who_may_not_read_the_ledger_is_told_so(
    taxietl: Taxietl, warehouse: str, tmp_path: Path
) -> None:
    reader = f"reader_{uuid.uuid4().hex[:12]}"
    theirs = f"postgresql://{reader}:x@{warehouse.split('@')[1]}"
    Path("taxietl.toml").write_text(
        f'[profiles.warehouse]\ntype = "postgres"\nurl = "{warehouse}"\n'
        f'[profiles.theirs]\ntype = "postgres"\nurl = "{theirs}"\n'
    )
    write(tmp_path / "green_tripdata_2021-01.parquet", "green", 2021, 1, rows=10)
    taxietl("ingest", *GREEN, "--source", tmp_path)
    with closing(psycopg2.connect(warehouse)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {reader} LOGIN PASSWORD 'x'")
        connection.commit()
        try:
            refused = taxietl("verify", "--color", "green", "--on", "theirs")
        finally:
            cursor.execute(f"DROP ROLE {reader}")
            connection.commit()

    check_refused(refused, 5, "permission denied for view taxietl_months", "GRANT SELECT")
