"""A disk of the server that is really full: the load fails, says so, and leaves nothing.

The disk is a small tmpfs, which only root may mount, and not everywhere: elsewhere these skip.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from months import Postgres, batch_of
from postgres import Server
from postgres_binaries import account, binaries

from taxietl.errors import TargetError

ROWS = 50_000
MONTH = [batch_of("yellow", ROWS, trip_distance=[1.0] * ROWS, tip_amount=[2.0] * ROWS)] * 8
"""27 MB of a table, and as much of WAL."""


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of that size, the server's account's own."""
    folder = Path(tempfile.mkdtemp(prefix="taxietl-disk-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", folder]
    try:
        if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("this user or machine may not mount a small disk")
        try:
            account().own(folder)
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)
    finally:
        folder.rmdir()


@contextmanager
def filled(disk: Path, leaving_megabytes: int) -> Iterator[Callable[[], None]]:
    """Take the disk's room but for so much; gives what gives it back."""
    found = os.statvfs(disk)
    taken = found.f_bavail * found.f_frsize - leaving_megabytes * 2**20
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, taken)
    try:
        yield filler.unlink
    finally:
        filler.unlink(missing_ok=True)


def test_tables_on_a_full_disk_stay_as_they_are_and_the_retry_succeeds(tmp_path: Path) -> None:
    with small_disk(60) as disk, Server(binaries(), tmp_path / "log") as own:
        with closing(psycopg2.connect(own.url())) as connection, connection.cursor() as cursor:
            connection.autocommit = True  # CREATE TABLESPACE refuses a transaction
            cursor.execute(f"CREATE TABLESPACE small LOCATION '{disk}'")
            cursor.execute("ALTER DATABASE postgres SET default_tablespace = small")
        server = Postgres(own.url())
        server.load(3)
        before = server.facts()

        with filled(disk, leaving_megabytes=15) as make_room:
            with pytest.raises(TargetError, match="disk of the server is full") as refused:
                server.load(MONTH, force=True)

            assert refused.value.exit_code == 5
            assert "No space left on device" in refused.value.message
            assert "Make room there and run it again" in refused.value.hint
            assert server.facts() == before
            assert server.left_behind() == []
            make_room()
            assert server.load(MONTH, force=True).rows_loaded == 400_000


def test_a_server_that_goes_down_for_want_of_room_has_the_month_whole(tmp_path: Path) -> None:
    wal = {"min_wal_size": "32MB", "max_wal_size": "32MB"}
    with (
        small_disk(200) as disk,
        Server(binaries(), tmp_path / "log", is_durable=True, settings=wal, disk=disk) as own,
    ):
        server = Postgres(own.url())
        server.load(3)
        before = server.facts()

        # The tables find room, and the second file of WAL does not: then a server gives up.
        with filled(disk, leaving_megabytes=24) as make_room:
            # Which of its processes finds that out is up to it: ours tells why, and any other
            # takes ours down with it.
            why = "disk of the server is full.*pg_wal|was lost|ended the connection"
            with pytest.raises(TargetError, match=why) as refused:
                server.load(MONTH, force=True)

            assert refused.value.exit_code == 5
            make_room()
            own.stop("immediate")  # if it has not gone by itself
            own.start()
            assert server.facts() == before
            assert server.left_behind() == []
            assert server.load(MONTH, force=True).rows_loaded == 400_000
