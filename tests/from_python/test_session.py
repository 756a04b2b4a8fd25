"""A session as in a Jupyter kernel: an event loop runs, a prompt is there, Ctrl-C comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

SLOW = """
import time

class Slow:
    version = "1"

    def transform(self, batch, dataset):
        print("ready", flush=True)
        while True:
            time.sleep(0.01)
"""

SESSION = """
import asyncio, signal, sys, types
sys.ps1 = "In : "
kernel = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: kernel
signal.signal(signal.SIGINT, signal.default_int_handler)
import taxietl

def loaded():
    frame = taxietl.months()
    rules = frame["transforms"].str.len()
    return list(zip(frame["source_month"].dt.month, frame["rows_loaded"], rules))

async def cells():
    taxietl.ingest("green", "2021-01", source="files", transforms="none")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        taxietl.ingest("green", ["2021-01", "2021-02"], source="files", transforms="slow.py:Slow")
    except KeyboardInterrupt as interrupt:
        print(interrupt)
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    print(loaded())
    taxietl.ingest("green", ["2021-01", "2021-02"], source="files", transforms="none")
    print(loaded())
    taxietl.ingest("green", ["2021-02", "2021-03"], source="files", transforms="none")

asyncio.run(cells())
"""


def test_ctrl_c_stops_the_run_and_leaves_all_as_it_was(home: Path, files: Path) -> None:
    Path("slow.py").write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, "-c", SESSION],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == "ready\n", process.communicate(timeout=60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert [each for each in out.splitlines() if each != "ready"] == [
        "Stopped by SIGINT.",
        "[(1, 100, 0)]",
        "[(1, 100, 0), (2, 120, 0)]",
    ]
    # Nobody has set up logging: what is said is a line a month, warnings, and the error.
    said, _, error = err.replace(f"{files.parent}/", "").partition("Traceback")
    lines = [each.partition(" | ")[2] or each for each in said.splitlines()]
    months = [each.rpartition("  (")[0] for each in lines[1:] if "Cancelled" not in each]
    assert sorted(months) == [
        "green-2021-01  nothing to do",
        "green-2021-02  loaded",
        "green-2021-02  nothing to do",
        "green-2021-03  failed: files has no file of green-2021-03.",
    ]
    assert lines[0].startswith("WARNING | taxietl.engine - Received SIGINT: stopping ")
    assert "hint: The other months are loaded" in error
