"""The most memory that a process of its own ever had."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

# A process begins with the peak of the one that started it: so a small one does.
_SMALL = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def peak_mb(command: list[str], **options: Any) -> tuple[str, int]:
    """Run the command; what it printed, and its peak in MB."""
    done = subprocess.run(
        [sys.executable, "-c", _SMALL, *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out, _, peak = done.stdout.rstrip().rpartition("\n")
    return out, int(peak) // (1024 * 1024 if sys.platform == "darwin" else 1024)
