"""A DuckDB file that cannot be opened, is held, or cannot be written: said in words, left whole."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import months
import pytest
from months import JANUARY, Duck, batch_of

from taxietl.errors import Cancelled, TargetError, WarehouseBusyError
from taxietl.load.duckdb.file import meant, opened


def python(script: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    """A Python process of its own that knows the test helpers."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(months.__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


@contextmanager
def held(path: Path, how: str = "") -> Iterator[int]:
    """Another process has the file open; yields its pid."""
    script = f"""
        import sys, duckdb
        connection = duckdb.connect(sys.argv[1]{how})
        print("open", flush=True)
        sys.stdin.read()
    """
    with python(script, path) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process.pid
        finally:
            process.stdin.close()
            process.wait()


def impatient(path: Path, *, read_only: bool = False) -> None:
    """Open and close it, without waiting between the attempts."""
    with opened(path, read_only=read_only, memory_limit="100MB", sleep=lambda _: None):
        pass


@pytest.mark.parametrize("how", ["", ", read_only=True"], ids=["writer", "reader"])
def test_a_file_that_another_process_has_open_is_busy_and_the_process_named(
    duck: Duck, how: str
) -> None:
    duck.load(3)

    with held(duck.path, how) as pid, pytest.raises(WarehouseBusyError) as busy:
        impatient(duck.path)

    assert busy.value.exit_code == 75
    assert busy.value.pid == pid
    assert str(duck.path) in busy.value.message
    assert str(pid) in busy.value.message
    assert duck.load(3).action == "nothing to do"


def test_readers_do_not_keep_each_other_out(duck: Duck) -> None:
    duck.load(3)

    with held(duck.path, ", read_only=True"):
        impatient(duck.path, read_only=True)


def test_a_file_let_go_of_in_time_is_waited_for(duck: Duck) -> None:
    duck.load(3)
    waits: list[float] = []
    with held(duck.path) as pid:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                os.kill(pid, 9)
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

        with opened(duck.path, read_only=False, memory_limit="100MB", sleep=sleep):
            pass

    assert 3 <= len(waits) < 10


def test_a_run_that_is_stopped_does_not_wait_on(duck: Duck) -> None:
    duck.load(3)
    waits: list[float] = []

    def check() -> None:
        if waits:
            raise Cancelled("SIGINT")

    with (
        held(duck.path),
        pytest.raises(Cancelled),
        opened(duck.path, read_only=False, memory_limit="100MB", check=check, sleep=waits.append),
    ):
        pass

    assert len(waits) == 1


def test_a_connection_of_the_users_own_in_this_process_is_named_as_the_holder(duck: Duck) -> None:
    duck.load(3)

    with (
        duckdb.connect(str(duck.path), read_only=True),
        pytest.raises(WarehouseBusyError) as busy,
    ):
        impatient(duck.path)

    assert busy.value.pid == os.getpid()


def test_threads_of_one_process_take_turns_and_load_a_month_once(duck: Duck) -> None:
    actions: list[str] = []
    ready = threading.Barrier(4)

    def load() -> None:
        ready.wait()
        actions.append(duck.load(50_000).action)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(actions) == ["loaded", *["nothing to do"] * 3]
    assert duck.ask("SELECT count(*) FROM yellow_trips") == [(50_000,)]


def sqlite_file(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()


@pytest.mark.parametrize(
    "make",
    [
        sqlite_file,
        lambda path: path.write_text("VendorID,fare_amount\n" * 1000),
        lambda path: path.write_text("x"),
        lambda path: path.write_bytes(bytes(20_000)),
    ],
    ids=["sqlite", "text", "one letter", "zeros"],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(
    duck: Duck, make: Callable[[Path], object]
) -> None:
    make(duck.path)
    before = duck.path.read_bytes()

    for attempt in (
        lambda: duck.load(3),
        lambda: duck.loader.entry(JANUARY, "yellow_trips"),
        lambda: duck.loader.query("SELECT 1").__enter__(),
    ):
        with pytest.raises(TargetError, match="is not a DuckDB database") as refused:
            attempt()
        assert refused.value.exit_code == 5

    assert duck.path.read_bytes() == before


def test_an_empty_file_answers_nothing(duck: Duck) -> None:
    duck.path.touch()

    with (
        pytest.raises(TargetError, match="is empty") as refused,
        opened(duck.path, read_only=True, memory_limit="100MB", sleep=lambda _: None),
    ):
        pass

    assert "delete it" in refused.value.hint
    assert duck.path.read_bytes() == b""


def test_a_file_whose_maker_was_killed_before_its_first_byte_is_begun_anew(duck: Duck) -> None:
    duck.path.touch()
    made = duck.path.stat().st_ino

    with opened(
        duck.path, read_only=False, memory_limit="100MB", sleep=lambda _: None
    ) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 7 AS n")

    assert duck.ask("SELECT n FROM mine") == [(7,)]
    assert duck.path.stat().st_ino == made
    assert [each.name for each in duck.path.parent.iterdir()] == [duck.path.name]


@pytest.mark.skipif(os.name == "nt", reason="what is open there cannot be opened by another")
def test_an_empty_file_that_another_process_is_about_to_fill_is_left_to_it(duck: Duck) -> None:
    duck.path.touch()
    script = """
        import fcntl, sys
        file = open(sys.argv[1], "r+b")
        fcntl.lockf(file, fcntl.LOCK_EX)
        print("held", flush=True)
        sys.stdin.read()
    """
    with python(script, duck.path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WarehouseBusyError):
            impatient(duck.path)
        holder.communicate()

    assert duck.path.read_bytes() == b""


def storage_of(path: Path) -> str:
    """The oldest DuckDB that reads the file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        ((version,),) = connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() "
            "WHERE database_name = current_database()"
        ).fetchall()
    return str(version)


@pytest.mark.parametrize("is_empty", [False, True], ids=["new", "left-empty"])
def test_a_new_file_can_be_opened_by_older_clients(duck: Duck, is_empty: bool) -> None:
    if is_empty:
        duck.path.touch()
        impatient(duck.path)

    duck.load(3)

    assert storage_of(duck.path) == "v1.2.0+"


def test_a_file_that_is_there_keeps_its_storage_version(duck: Duck) -> None:
    duckdb.connect(str(duck.path)).close()
    before = storage_of(duck.path)

    duck.load(3)

    assert storage_of(duck.path) == before


def test_a_quote_in_the_path_of_a_new_file_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "it's (TYPE sqlite).duckdb"

    Duck(path).load(3)

    assert storage_of(path) == "v1.2.0+"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nowhere") as refused:
        Duck(tmp_path / "nowhere" / "taxi.duckdb").load(3)

    assert refused.value.exit_code == 5
    assert "folder" in refused.value.hint


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=str(tmp_path)):
        Duck(tmp_path).load(3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root can mount the small file system that this test needs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_read_only_file_system_refuses_loads_and_answers_questions(small_disk: Path) -> None:
    duck = Duck(small_disk / "taxi.duckdb")
    duck.load(3)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    with pytest.raises(TargetError, match="cannot be used") as refused:
        duck.load(3, force=True)

    assert refused.value.exit_code == 5
    with duck.loader.query("SELECT count(*) AS n FROM trips") as rows:
        assert rows.read_all().to_pylist() == [{"n": 3}]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write any file")
def test_a_file_without_write_permission_is_named(duck: Duck) -> None:
    duck.load(3)
    duck.path.chmod(0o400)

    with pytest.raises(TargetError, match="cannot be used"):
        duck.load(3, force=True)


RANDOM_ROWS = """
import numpy as np
from months import batch_of

def random_batches(rows):
    rng = np.random.default_rng(1)
    for _ in range(rows // 20_000):
        yield batch_of(
            "yellow", 20_000, fare_amount=rng.random(20_000), trip_distance=rng.random(20_000)
        )
"""


def test_a_full_disk_leaves_the_old_month_and_the_next_load_works(small_disk: Path) -> None:
    duck = Duck(small_disk / "taxi.duckdb")
    duck.load(1000)
    before = duck.facts()
    large = [[float(hash((row, n)) % 10**12) / 7 for row in range(20_000)] for n in range(4)]

    with pytest.raises(TargetError, match="is full") as refused:
        duck.load(
            (
                batch_of("yellow", 20_000, fare_amount=large[n % 4], total_amount=large[-n % 4])
                for n in range(100)
            ),
            force=True,
        )

    assert refused.value.exit_code == 5
    assert "Make room" in refused.value.hint
    assert duck.facts() == before
    subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)  # room
    assert duck.load(1200, force=True).rows_loaded == 1200


@pytest.mark.parametrize("beyond", [0, 2_000_000])
def test_a_file_that_may_not_grow_leaves_the_old_month(duck: Duck, beyond: int) -> None:
    """The limit on a file's size is met at another moment each time, in a process of its own."""
    duck.load(1000)
    before = duck.facts()
    script = (
        RANDOM_ROWS
        + """
import resource, signal, sys
from pathlib import Path
from months import Duck
from taxietl.errors import TaxietlError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, limit = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    Duck(path).load(random_batches(300_000), force=True)
except TaxietlError as error:
    print(type(error).__name__, error.exit_code, error.message)
"""
    )
    with python(script, duck.path, duck.path.stat().st_size + beyond) as process:
        out, err = process.communicate(timeout=60)

    assert out.startswith("TargetError 5 The disk of"), err
    assert duck.facts() == before
    assert duck.load(1200, force=True).rows_loaded == 1200


def test_a_file_of_a_newer_duckdb_names_the_version_at_hand(tmp_path: Path) -> None:
    error = duckdb.IOException(
        "IO Error: Trying to read a database file with version number 99, but we can only read "
        "versions between 64 and 68."
    )

    told = meant(tmp_path / "taxi.duckdb", error)

    assert "another version of DuckDB" in told.message
    assert duckdb.__version__ in told.message
