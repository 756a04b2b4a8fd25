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
    """Print the medians: of an ingest alone, of what a dashboard takes, of what both take more."""
    alone, dashboards, added = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _ingest(home, file)  # makes the tables, and reads the file into the system's cache
        for pair in range(pairs):
            if pair % 2:
                dashboard, with_page = _with_page_open(home, file)
                alone.append(_ingest(home, file))
            else:
                alone.append(_ingest(home, file))
                dashboard, with_page = _with_page_open(home, file)
            dashboards.append(dashboard / alone[-1] * 100)
            added.append(((dashboard + with_page) / alone[-1] - 1) * 100)
    print(f"an ingest takes {statistics.median(alone):.2f} CPU seconds (median of {pairs})")
    print(f"the dashboard takes {statistics.median(dashboards):.1f} % of that while it goes on")
    print(f"both together take {statistics.median(added):+.1f} % ({_spread(added)})")


def _spread(values: list[float]) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"half of the pairs between {low:+.1f} and {high:+.1f}"


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


def _with_page_open(home: Path, file: Path) -> tuple[float, float]:
    """CPU seconds of a dashboard that a page follows as in a browser, and of an ingest by then."""
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
        ingest = _ingest(home, file)
        return _seconds(process.pid) - before, ingest
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
