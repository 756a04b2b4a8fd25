"""How long the dashboard takes for each page of 100,000 runs, and its memory.

python bench/ui_pages.py [HOME]     without one, it is made: half a minute, 600 MB
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from big_history import RUNS
from big_history import main as fill

TIMES = 21


def main(home: Path) -> None:
    """Ask for each page, one request at a time, and print medians and the peak of memory."""
    command = [sys.executable, "-m", "taxietl", "--home", str(home), "ui", "--port", "0", "-q"]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        link = process.stdout.readline().strip()
        print(f"{'start until the link is printed':44} {time.perf_counter() - began:8.2f} s")
        address = link.partition("/?")[0]
        last = f"{RUNS - 2:032x}"
        pages = [
            *(
                "/",
                "/runs",
                "/runs?state=Failed",
                "/runs?top=1&state=Crashed",
                "/runs?flow=Ingest+data",
            ),
            *("/runs?color=yellow&month=2021-01", "/runs?month=2021", "/runs?text=no+777"),
            *("/runs?since=2024-03-01&until=2024-03-31", f"/runs?after={RUNS // 2:032x}"),
            *(f"/runs/{last}", f"/runs/{last}?level=WARNING", "/schedules", "/limits", "/cache"),
            *("/profiles", "/metrics", "/api/runs", f"/api/runs/{last}"),
        ]
        with httpx.Client(base_url=address, follow_redirects=True) as client:
            client.get(link)
            for page in pages:
                took = []
                for _ in range(TIMES):
                    begun = time.perf_counter()
                    answer = client.get(page)
                    took.append(time.perf_counter() - begun)
                    assert answer.status_code == 200, page
                print(
                    f"{page[:44]:44} {statistics.median(took) * 1000:8.1f} ms  {answer.status_code}"
                )
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        print(f"{'peak memory':44} {int(peak.split()[1]) / 1024:8.0f} MB")
    finally:
        process.kill()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder))
            main(Path(folder))
