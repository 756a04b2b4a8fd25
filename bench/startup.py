"""How long the command takes to say something: medians over interleaved whole processes.

python bench/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 11
FLOW = """
from taxietl import flow, task

@task
def nothing() -> int:
    return 1

@flow
def one() -> int:
    return nothing()
"""


def main() -> None:
    """Print one line a case."""
    command = [str(Path(sys.executable).with_name("taxietl"))]
    with tempfile.TemporaryDirectory() as folder:
        flow = Path(folder) / "one.py"
        flow.write_text(FLOW)
        home = ["--home", folder]
        cases = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "taxietl --version": [*command, "--version"],
            "taxietl --help": [*command, "--help"],
            "taxietl run, one task": [*command, *home, "run", f"{flow}:one", "-q"],
            "taxietl runs ls": [*command, *home, "runs", "ls"],
        }
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(ROUNDS):
            for name, arguments in cases.items():
                begun = time.perf_counter()
                subprocess.run(arguments, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - begun)
    for name, taken in seconds.items():
        print(
            f"{name:<24} {statistics.median(taken) * 1000:6.0f} ms (least {min(taken) * 1000:.0f})"
        )


if __name__ == "__main__":
    main()
