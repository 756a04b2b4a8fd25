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
    raise ValueError("there is no such day as the 31st of November; Failed is none, either")
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
LOOK = ("runs", "show", "nobody")
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
AS_LONG_AS_NEEDED = {"error", "ingest_end"}
"""Commands to be copied and paths, which a line's end would break."""
VARIES = {
    "cache_ls": [r"(?m)[\d,]+(?=  0{4}-00-00)", r"[\d,]+(?= bytes of)"],
    "lake_ls": [r"[\d,]+(?=  0{4}-00-00)"],
}
"""Sizes, which other versions of libraries make others."""
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
    commands = [
        ("generate", *months, "--rows", "100", "--out", name),
        *(("ingest", *each, "--source", "files") for each in (JANUARY, FEBRUARY)),
        *(("upload-gcs", *each, "--source", "files") for each in (JANUARY, FEBRUARY)),
        ("run", "flows.py:weather"),
        ("run", "flows.py:broken"),
        ("schedule", "add", "nightly", "--by", "run", "--cron", "17 5 * * *", *SYNC),
        ("schedule", "add", "look", "--by", "run", "--cron", "0 6 * * *", "--", *LOOK),
        ("schedule", "exec", "look"),
    ]
    in_one_process(commands, found, None)
    yield found
    shutil.rmtree(found)


def environment(place: Path) -> dict[str, str]:
    """That of a shell in which nothing is configured."""
    own = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    more = {"TERM": "xterm-256color", "TZ": "UTC", "PYTHONUTF8": "1", "HOME": str(place)}
    return own | more | {"TAXIETL_HOME": str(place / "home")}


def screens(place: Path, width: int | None) -> dict[str, str]:
    """What each command shows, and its exit code."""
    shown = in_one_process(list(SCREENS.values()), place, width)
    parts = re.findall(r"\x02(.*?)\x03(\d+)", shown.replace("\r\n", "\n"), re.DOTALL)
    return {
        name: f"{normalised(name, text, place)}exit code {code}\n"
        for name, (text, code) in zip(SCREENS, parts, strict=True)
    }


def in_one_process(commands: list[tuple[str, ...]], place: Path, width: int | None) -> str:
    """What they show: one after the other, on a terminal of that width or on none."""
    command = [sys.executable, "-c", EACH.format(screens=commands)]
    if width is not None:
        return on_a_terminal(command, place, width).decode()
    done = subprocess.run(
        command,
        cwd=place,
        env=environment(place),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    )
    return done.stdout.decode()


def on_a_terminal(command: list[str], place: Path, width: int, **more: str) -> bytes:
    """What a terminal gets of it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        command,
        cwd=place,
        env=environment(place) | more,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
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


def normalised(name: str, text: str, place: Path) -> str:
    """Without what is another in each run, as long as it was, so that columns stand."""
    text = text.replace(str(place), "/tmp/golden-12345678")
    text = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{7,64}\b", _zeros, text)
    text = re.sub(r"(?<=/)[0-9a-f]+(?=…)", _zeros, text)
    text = re.sub(r"\b20\d\d-\d\d-\d\d(?:\s+\d\d[\d:]*)?", _zeros, text)
    text = re.sub(r"\b\d+\.\d\d\b", _zeros, text)
    for pattern in VARIES.get(name, ()):
        text = re.sub(pattern, _zeros, text)
    return text.replace("\x1b", "␛")


def _zeros(found: re.Match[str]) -> str:
    return re.sub("[0-9a-f]", "0", found[0])


@pytest.mark.parametrize("width", [80, 120, None], ids=["80", "120", "no-terminal"])
def test_the_screens_are_as_they_were(place: Path, width: int | None) -> None:
    with tempfile.TemporaryDirectory(prefix="golden-", dir="/tmp") as copy:  # they change it
        shutil.copytree(place, copy, dirs_exist_ok=True)
        found = screens(Path(copy), width)
    kept = {name: GOLDEN / f"{name}.{width or 'plain'}.txt" for name in SCREENS}
    if os.environ.get("GOLDEN_WRITE"):
        for name, file in kept.items():
            file.write_text(found[name])

    assert found == {name: file.read_text() for name, file in kept.items()}
    for name, text in found.items():
        lines = re.sub(r"␛\[[\d;]*m", "", text).splitlines()
        if width is None:
            assert "␛" not in text
        elif name not in AS_LONG_AS_NEEDED:
            assert max(map(len, lines)) <= width, name


def test_no_color_is_heard(place: Path) -> None:
    shown = on_a_terminal(
        [sys.executable, "-m", "taxietl", "runs", "ls"], place, 80, NO_COLOR="1"
    ).decode()

    assert "Completed" in shown
    assert "\x1b" not in shown
