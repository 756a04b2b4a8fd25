"""What every command does outside a run: stop on Ctrl-C with a word, and tell of waits or not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gcs import Gcs


@pytest.fixture
def gcs(home: Path) -> Iterator[Gcs]:
    service = Gcs()
    service.bucket("lake")
    with service.serving():
        Path("taxietl.toml").write_text(
            "[profiles.lake]\ntype = 'gcs'\nbucket = 'lake'\ncredentials = 'gcp'\n"
            f"endpoint = '{service.url}'\n"
            "[profiles.gcp]\ntype = 'gcp-credentials'\nanonymous = true\n"
        )
        yield service


def begun(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "taxietl", *arguments],
        env={**os.environ, "TAXIETL_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_outside_a_run_ends_with_a_word_and_a_document(home: Path, gcs: Gcs) -> None:
    gcs.fail("objects.list", stall=True)
    process = begun(home, "lake", "ls", "--json")
    deadline = time.monotonic() + 30
    while "objects.list" not in gcs.kinds() and time.monotonic() < deadline:
        time.sleep(0.02)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert err == "error: Interrupted.\n"
    assert json.loads(out)["exit_code"] == 130


@pytest.mark.parametrize(("option", "is_told"), [([], True), (["-q"], False)])
def test_a_long_wait_is_told_unless_quiet(
    home: Path, gcs: Gcs, option: list[str], is_told: bool
) -> None:
    gcs.fail("objects.list", status=429, retry_after=2)
    process = begun(home, "lake", "ls", *option)

    out, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert ("again in 2 s" in err) is is_told
    assert "nothing in gs://lake" in out
