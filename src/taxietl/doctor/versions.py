"""Which versions are installed; nothing is imported to find out."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from taxietl.doctor.examination import Check
from taxietl.findings import Finding
from taxietl.version import __version__

VERSIONS = "versions"

_PACKAGES = ("duckdb", "pyarrow", "pandas", "psycopg2-binary", "google-cloud-storage")


def versions_check() -> Check:
    """What tells the versions, as a report of a fault should."""
    return Check(VERSIONS, "", _versions)


def _versions() -> Iterator[Finding]:
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    yield Finding.ok(
        VERSIONS,
        "",
        f"taxietl {__version__}, Python {platform.python_version()} on "
        f"{platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}, {packages}.",
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"
