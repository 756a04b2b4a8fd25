"""Processes that cannot see one another, as in two containers: each in a pid namespace."""

from __future__ import annotations

import shutil
import subprocess

import pytest

COMMAND = [
    "unshare",
    "--user",
    "--map-root-user",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
]


def pid_namespace() -> list[str]:
    """What to put before a command; skips the test where this is not permitted."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: pid namespaces are a matter of Linux")
    done = subprocess.run([*COMMAND, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pid namespaces are not permitted here: {done.stderr.strip()}")
    return COMMAND
