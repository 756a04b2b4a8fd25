"""systemd's own checker, and a systemctl that writes down what it is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SYSTEMCTL = """#!/bin/sh
echo "$@" >> '{asked}'
case "$*" in *{refused}*) echo 'Job failed. See "journalctl -xe".' >&2; exit 1;; esac
exit 0
"""


def systemd_analyze() -> str:
    """The program; skips the test where there is none."""
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("no systemd-analyze here (Debian: apt-get install systemd)")
    return found


def verify(*units: Path, manager: str, runtime: Path) -> str:
    """What systemd finds wrong in unit files; nothing, if all is well."""
    done = subprocess.run(
        [systemd_analyze(), f"--{manager}", "verify", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime), "LC_ALL": "C"},
    )
    return done.stderr + ("" if done.returncode == 0 else f"exit code {done.returncode}")


def fake_systemctl(folder: Path, *, refused: str = "NOTHING") -> Path:
    """Put a systemctl into a folder for PATH; gives the file with what it was asked.

    Args:
        refused: a word; a call that has it fails.
    """
    folder.mkdir(exist_ok=True)
    asked = folder / "asked"
    asked.touch()
    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(asked=asked, refused=refused))
    program.chmod(0o755)
    return asked
