"""What a dashboard with a page open adds to the CPU seconds of an ingest, in pairs.

python bench/ui_overhead.py yellow_tripdata_2021-01.csv.gz [PAIRS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import httpx

TAXIETL = [sys.executable, "-m", "taxietl"]


def main(file: Path, pairs: int) -> None:
    """Print the median of what is added, and of what the ingest takes."""
    added, alone = [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for _ in range(pairs):
            alone.append(_ingest(home, file))
            with_page = _with_page_open(home, file)
            added.append(with_page / alone[-1] * 100)
    print(f"an ingest takes {statistics.median(alone):.2f} CPU seconds (median of {pairs})")
    print(f"the dashboard takes {statistics.median(added):.1f} % of that while it goes on")


def _ingest(home: Path, file: Path) -> float:
    """CPU seconds of one ingest."""
    before = _of_children()
    subprocess.run(
        [
            *(*TAXIETL, "--home", str(home), "ingest", "--color", "yellow", "--year", "2021"),
            *("--month", "1", "--source", str(file), "--force", "-q"),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return _of_children() - before


def _of_children() -> float:
    """CPU seconds of the processes that have been waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _with_page_open(home: Path, file: Path) -> float:
    """CPU seconds of a dashboard during an ingest, while a page follows it as in a browser."""
    command = [*TAXIETL, "--home", str(home), "ui", "--port", "0", "-q"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        link = process.stdout.readline().strip()
        client = httpx.Client(base_url=link.partition("/?")[0], timeout=60)
        client.get(link)
        client.get("/")
        listening = threading.Event()
        threading.Thread(target=_follow, args=(client, listening), daemon=True).start()
        listening.wait(10)
        before = _seconds(process.pid)
        _ingest(home, file)
        return _seconds(process.pid) - before
    finally:
        process.kill()
        process.wait()


def _follow(client: httpx.Client, listening: threading.Event) -> None:
    """Load the page again whenever it is told to."""
    try:
        with client.stream("GET", "/live") as stream:
            listening.set()
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    client.get("/")
    except httpx.HTTPError:  # the dashboard has ended
        return


def _seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 15)
