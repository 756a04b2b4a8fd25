"""Opening what a profile describes."""

from __future__ import annotations

import socket
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from taxietl.errors import ConfigError, TargetError, TryLaterError
from taxietl.load.duckdb.profile import DuckDBProfile
from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.postgres.profile import PostgresProfile

PLANTED = "hunter2-planted"

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_duckdb_connection_makes_the_file_and_obeys_the_limit(tmp_path: Path) -> None:
    profile = DuckDBProfile(path=tmp_path / "new" / "taxi.duckdb", memory_limit="100 MiB")

    with profile.connect() as connection:
        [limit] = connection.execute("SELECT current_setting('memory_limit')").fetchone()
        [tags] = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchone()

    assert limit == "100.0 MiB"
    assert tags["storage_version"] == "v1.2.0+"  # older clients open it, too
    assert profile.path.is_file()


def test_a_duckdb_file_that_another_process_holds_is_for_later(tmp_path: Path) -> None:
    path = tmp_path / "taxi.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TryLaterError, match=f"another process holds {path}"):
            DuckDBProfile(path=path).connect()
        holder.stdin.close()

    with DuckDBProfile(path=path).connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("no database " * 1000)

    with pytest.raises(TargetError, match="cannot open"):
        DuckDBProfile(path=tmp_path / "x.duckdb").connect()


def test_a_server_that_is_not_there_is_named_and_the_password_is_not() -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        profile = PostgresProfile(host="127.0.0.1", port=port, user="u", password=PLANTED)

        with pytest.raises(TargetError) as caught:
            profile.connect()

    assert f"127.0.0.1:{port}" in str(caught.value)
    assert PLANTED not in "".join(traceback.format_exception(caught.value))


def test_a_bucket_without_any_credentials_says_how_to_get_them(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(bare))
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # or it asks the network whether this is a VM

    with pytest.raises(ConfigError, match="no Google Cloud credentials") as caught:
        GcsProfile(bucket="b").bucket()

    assert "gcloud auth application-default login" in caught.value.hint
