"""Check a profile by its type: what a connection finds, or what is known without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from taxietl.doctor.examination import Check
from taxietl.errors import TargetError
from taxietl.load.places import check_can_be_made
from taxietl.steps.findings import Finding

if TYPE_CHECKING:
    from taxietl.config.profiles import (
        BigQueryProfile,
        DuckDBProfile,
        FolderProfile,
        GcpCredentialsProfile,
        GcsProfile,
        PostgresProfile,
        Profile,
    )

CONNECTION = "connection"

_NOT_ASKED = "Nothing was asked of Google: checking the profile that uses it does."


def profile_check(profile: Profile) -> Check:
    """What looks at the place that the profile describes; changes nothing there."""
    return Check(CONNECTION, profile.name, lambda: _look(profile))


def _look(profile: Profile) -> Iterator[Finding]:
    yield Finding.ok(CONNECTION, profile.name, _CHECKS[profile.type](profile))


def _check_postgres(profile: PostgresProfile) -> str:
    from taxietl.load.postgres_check import check

    return check(profile)


def _check_duckdb(profile: DuckDBProfile) -> str:
    from taxietl.load.duckdb_check import check

    return check(profile)


def _check_folder(profile: FolderProfile) -> str:
    path = profile.path
    if not path.exists():
        check_can_be_made(path)
        return f"There is no folder {path} yet; the first upload makes it."
    if not path.is_dir():
        raise TargetError(f"{path} is not a folder.", hint="Name another `path` in the profile.")
    if not os.access(path, os.W_OK | os.X_OK):
        raise TargetError(
            f"This user may not write to the folder {path}.", hint="Check its owner and its mode."
        )
    return f"The folder {path} is there and can be written."


def _check_gcs(profile: GcsProfile) -> str:
    from taxietl.load.lake.gcs_check import check

    return check(profile)


def _check_credentials(profile: GcpCredentialsProfile) -> str:
    profile.google_credentials()
    if profile.anonymous:
        return f"Anonymous: no key is needed. {_NOT_ASKED}"
    place = profile.service_account_file or profile.service_account_info
    return f"{place} holds a service account's key. {_NOT_ASKED}"


def _check_bigquery(profile: BigQueryProfile) -> str:
    from taxietl.load.bigquery.check import check

    return check(profile)


_CHECKS: dict[str, Callable[[Any], str]] = {
    "postgres": _check_postgres,
    "duckdb": _check_duckdb,
    "folder": _check_folder,
    "gcp-credentials": _check_credentials,
    "gcs": _check_gcs,
    "bigquery": _check_bigquery,
}
