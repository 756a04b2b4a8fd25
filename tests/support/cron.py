"""A cron of the test's own: Debian's daemon and crontab, in a mount namespace with another spool.

The clock of the daemon alone is ten times as fast, and stands shortly before a minute: what is
due each minute is started after a second, or, should the daemon come late, after seven.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# The first process of a namespace takes all others with it when it ends.
_NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
# The machine's own jobs are out of sight, and so is the pid file of its daemon. faketime keeps the
# time in shared memory under its process id, and those of a namespace come again.
_MOUNTS = """
set -e
mount --bind "$0/spool" /var/spool/cron
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
"""
DAEMON = 'FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "@2027-01-01 05:16:50 x10" cron -f &'
"""A line of shell that starts cron, shortly before 05:17."""


def run_with_cron(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell script whose `crontab` is empty; in it, `eval "$daemon"` starts cron.

    Whatever the script has started ends with it, cron too.
    Skips the test where there is no cron, or namespaces are not permitted.
    """
    for program in ("cron", "crontab", "faketime", "unshare"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"no {program} here (Debian: apt-get install cron faketime)")
    if os.geteuid() != 0 or not Path("/etc/crontab").exists():
        pytest.skip("only root can give cron another spool, where it is Debian's")
    (folder / "spool" / "crontabs").mkdir(parents=True)
    done = _unshared(":", folder)
    if done.returncode:
        pytest.skip(f"namespaces are not permitted here: {done.stderr.strip()}")
    return _unshared(script, folder)


def _unshared(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_NAMESPACES, "sh", "-c", f"{_MOUNTS}{script}", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin", "daemon": DAEMON},
    )
