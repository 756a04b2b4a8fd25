"""`/coverage/MONTH/quality`: the quality report of a loaded month, as `taxietl inspect` makes it.

It counts every row, so it is made when somebody asks for it, by a process of its own: what that
loads and holds is gone with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from taxietl.errors import ConfigError, TryLaterError
from taxietl.tlc.trip_file import TripFile
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.pages.coverage import month_asked_for, profile_asked_for

KEPT_SECONDS = 600.0
"""A report that took longer than a page waits is there when the page is loaded again."""

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def quality(dashboard: Dashboard, request: Request) -> Response:
    """The report; it has a style of its own and no script, and the browser is told so."""
    name = profile_asked_for(dashboard.read_settings(), request)
    trip_file = month_asked_for(request)
    table = request.query_params.get("table", "")
    report = dashboard.asked(
        name,
        lambda: _made(dashboard, trip_file, name, table),
        *("quality", str(trip_file), table),
        kept_seconds=KEPT_SECONDS,
    )
    return HTMLResponse(report, headers={"content-security-policy": policy_for(report)})


def _made(dashboard: Dashboard, trip_file: TripFile, name: str, table: str) -> str:
    """The report as a document.

    Raises:
        ConfigError: what the command said that made none.
        TryLaterError: another process has the warehouse.
    """
    with tempfile.TemporaryDirectory(prefix="taxietl-quality-") as folder:
        path = Path(folder) / "report.html"
        command = ["inspect", f"--color={trip_file.color}", f"--year={trip_file.year}"]
        command += [f"--month={trip_file.month}", f"--on={name}", f"--html={path}"]
        command += [f"--table={table}"] if table else []
        done = subprocess.run(
            [sys.executable, "-m", "taxietl", *dashboard.options, *command, "--json", "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode == 0:
            return path.read_text(encoding="utf-8")
    try:
        error = json.loads(done.stdout)["error"]
    except (ValueError, KeyError):
        raise ConfigError(f"inspect ended with exit code {done.returncode}.") from None
    kind = TryLaterError if done.returncode == TryLaterError.exit_code else ConfigError
    raise kind(error["message"], hint=error["hint"])


def policy_for(report: str) -> str:
    """What the browser lets the report do: be styled by its own text, and nothing else."""
    found = _STYLE.search(report)
    digest = hashlib.sha256((found[1] if found else "").encode()).digest()
    style = base64.b64encode(digest).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
