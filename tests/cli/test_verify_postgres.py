"""`taxietl verify` on PostgreSQL finds what it finds on DuckDB."""

from __future__ import annotations

from pathlib import Path

import psycopg2
from command import Taxietl

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
