"""A month of any size goes into PostgreSQL in bounded memory: the whole process, by its peak."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from taxietl.extract.synthetic import write

MOST_MB = 400

# Linux counts what a process held before its exec, too: the tests' own memory. So a small process
# stands between.
_MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""

FORMS = pytest.mark.parametrize(
    ("year", "form"), [(2021, "csv.gz"), (2025, "parquet")], ids=["csv.gz", "parquet"]
)


@FORMS
def test_a_million_rows_take_little_memory(
    tmp_path: Path, warehouse: str, year: int, form: str
) -> None:
    assert peak_mb(tmp_path, warehouse, year, form, rows=1_000_000) < MOST_MB


@pytest.mark.torture
@FORMS
def test_five_million_rows_take_no_more(
    tmp_path: Path, warehouse: str, year: int, form: str
) -> None:
    peak = peak_mb(tmp_path, warehouse, year, form, rows=5_000_000)
    print(f"fhvhv, {form}, 5,000,000 rows: {peak:.0f} MB at most")
    assert peak < MOST_MB


def peak_mb(folder: Path, url: str, year: int, form: str, *, rows: int) -> float:
    """Ingest a synthetic fhvhv month of March in a process of its own; its peak in MB."""
    file = folder / f"fhvhv_tripdata_{year}-03.{form}"
    write(file, "fhvhv", year, 3, rows=rows)
    (folder / "taxietl.toml").write_text(
        '[profiles.warehouse]\ntype = "postgres"\nurl = { env = "WAREHOUSE" }\n'
    )
    month = ("--color", "fhvhv", "--year", str(year), "--month", "3", "--source", str(file))
    command = [sys.executable, "-m", "taxietl", "--home", "home", "ingest", *month, "-q"]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *command],
        cwd=folder,
        env=os.environ | {"WAREHOUSE": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{rows:,} read = {rows:,} loaded" in done.stdout
    peak = int(done.stdout.splitlines()[-1])
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
