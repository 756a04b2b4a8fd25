"""What people see, kept as it is: on terminals of 80 and 120 columns, and without one.

`GOLDEN_WRITE=1` writes the screens anew; look at the difference before you commit it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
FLOWS = """
import time
from taxietl import Cache, Retry, attach_event, flow, task

TRIES = []


@task(cache=Cache())
def fetch(day: int) -> dict:
    return {"day": day, "note": "as far as anybody could see, which was not far in the rain"}


@task(retry=Retry(on=OSError, attempts=2))
def load(days: list) -> None:
    if not TRIES:
        TRIES.append(1)
        raise OSError("connection reset by peer")


@flow(name="Weather of a long name", run_name="weather")
def weather() -> None:
    load([fetch(1), fetch(2)])
    attach_event("late", "2024-05 has no rows yet")


@flow(name="Broken", run_name="broken")
def broken() -> None:
    raise ValueError("there is no such day as the 31st of November, whoever may say it")
"""
CONFIG = """
[profiles.lake]
type = "folder"
path = "lake"

[limits]
warehouse = 2
"""
JANUARY, FEBRUARY, MARCH = (
    ("--color", "green", "--year", "2021", "--month", month) for month in "123"
)
SYNC = ("--", "sync", "--color", "green")
SCREENS = {
    "runs_ls": ("runs", "ls"),
    "runs_show": ("runs", "show", "weather"),
    "runs_show_failed": ("runs", "show", "broken"),
    "cache_ls": ("cache", "ls"),
    "profiles_ls": ("profiles", "ls"),
    "schedule_ls": ("schedule", "ls"),
    "limits_ls": ("limits", "ls"),
    "status": ("status", "--color", "green", "--year", "2021"),
    "lake_ls": ("lake", "ls"),
    "help": ("--help",),
    "ingest_end": ("ingest", *MARCH, "--source", "files", "-q"),
    "error": ("runs", "show", "wether"),
}
EACH = """
import sys
from taxietl.cli.main import main
for arguments in {screens!r}:
    print("\\x02", end="", flush=True)
    code = main(list(arguments))
    sys.stdout.flush()
    print(f"\\x03{{code}}", end="", flush=True)
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder with a home in it, whose path is as long wherever it is made."""
    found = Path(tempfile.mkdtemp(prefix="golden-", dir="/tmp"))
    (found / "flows.py").write_text(FLOWS)
    (found / "taxietl.toml").write_text(CONFIG)
    name = "files/{color}_tripdata_{year}-{month:02d}.csv"
    (found / "files").mkdir()
    months = ("--color", "green", "--year", "2021", "--month", "1-3")
    for command in (
        ("generate", *months, "--rows", "100", "--out", name),
        *(("ingest", *each, "--source", "files") for each in (JANUARY, FEBRUARY)),
        *(("upload-gcs", *each, "--source", "files") for each in (JANUARY, FEBRUARY)),
        ("run", "flows.py:weather"),
        ("run", "flows.py:broken"),
        ("schedule", "add", "nightly", "--by", "run", "--cron", "17 5 * * *", *SYNC),
    ):
        subprocess.run(
            [sys.executable, "-m", "taxietl", *command, "-q"],
            cwd=found,
            env=environment(found),
            capture_output=True,
            check=False,
        )
    yield found
    shutil.rmtree(found)


def environment(place: Path) -> dict[str, str]:
    """That of a shell in which nothing is configured."""
    own = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    more = {"TERM": "xterm-256color", "TZ": "UTC", "PYTHONUTF8": "1", "HOME": str(place)}
    return own | more | {"TAXIETL_HOME": str(place / "home")}


def screens(place: Path, width: int | None) -> dict[str, str]:
    """What each command shows, the lot in one process."""
    code = EACH.format(screens=list(SCREENS.values()))
    command = [sys.executable, "-c", code]
    if width is None:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment(place),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=True,
        )
        shown = done.stdout
    else:
        shown = on_a_terminal(command, place, width)
    parts = re.findall(r"\x02(.*?)\x03(\d+)", shown.decode().replace("\r\n", "\n"), re.DOTALL)
    assert len(parts) == len(SCREENS)
    return {
        name: normalised(f"{text}exit code {code}\n", place)
        for name, (text, code) in zip(SCREENS, parts, strict=True)
    }


def on_a_terminal(command: list[str], place: Path, width: int) -> bytes:
    """What a terminal gets of it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        command, cwd=place, env=environment(place), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                some = os.read(ours, 65_536)
            except OSError:  # the last one has closed it
                break
            if not some:
                break
            shown += some
        os.close(ours)
        process.wait()
    return shown


def normalised(text: str, place: Path) -> str:
    """Without what is another in each run; as long as it was, so that columns stand."""
    text = text.replace(str(place), "/tmp/golden-12345678")
    text = re.sub(r"\b[0-9a-f]{7,64}\b", lambda found: "f" * len(found[0]), text)
    text = re.sub(r"(?<=/)[0-9a-f]+(?=…)", lambda found: "f" * len(found[0]), text)
    text = re.sub(r"(?<!\x1b\[)(?<!\x1b)\d(?![\d;]*m)", "0", text)
    return text.replace("\x1b", "␛")


@pytest.fixture(scope="module", params=[80, 120, None], ids=["80", "120", "no-terminal"])
def shown(
    request: pytest.FixtureRequest, place: Path
) -> Iterator[tuple[int | None, dict[str, str]]]:
    copy = Path(tempfile.mkdtemp(prefix="golden-", dir="/tmp"))
    shutil.copytree(place, copy, dirs_exist_ok=True)
    yield request.param, screens(copy, request.param)
    shutil.rmtree(copy)


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was(shown: tuple[int | None, dict[str, str]], name: str) -> None:
    width, found = shown
    kept = GOLDEN / f"{name}.{width or 'plain'}.txt"
    if os.environ.get("GOLDEN_WRITE"):
        kept.write_text(found[name])

    assert found[name] == kept.read_text()
    if width is None:
        assert "␛" not in found[name]


@pytest.mark.parametrize("name", [name for name in SCREENS if name.endswith("_ls")])
def test_a_table_fits_the_terminal(shown: tuple[int | None, dict[str, str]], name: str) -> None:
    width, found = shown
    lines = re.sub(r"␛\[[\d;]*m", "", found[name]).splitlines()

    assert width is None or max(map(len, lines)) <= width
