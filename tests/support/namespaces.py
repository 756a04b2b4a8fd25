"""Namespaces of Linux: processes that cannot see one another, and a disk that is soon full."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

USER = ["unshare", "--user", "--map-root-user"]
PID = [*USER, "--pid", "--fork", "--kill-child", "--mount-proc"]
SMALL_DISK = [*USER, "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && exec "$@"']


def pid_namespace() -> list[str]:
    """What to put before a command, so that it sees no process but its own, as in a container."""
    return _permitted(PID)


def small_disk(folder: Path) -> list[str]:
    """What to put before a command, so that it finds a file system of 1 MB at that folder."""
    return _permitted([*SMALL_DISK, str(folder)])


def _permitted(command: list[str]) -> list[str]:
    """The command; skips the test where the system does not let us."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: namespaces are a matter of Linux")
    done = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"namespaces are not permitted here: {done.stderr.strip()}")
    return command
