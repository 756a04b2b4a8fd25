"""Check a profile by its type: what a connection finds, or what is known without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxietl.doctor.examination import Check
from taxietl.errors import TargetError, TaxietlError, WarehouseBusyError
from taxietl.load.ledger_contents import LEDGER
from taxietl.load.places import check_can_be_made
from taxietl.orchestrator.query.health import run_of_process
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


def profile_check(profile: Profile, home: Path) -> Check:
    """What looks at the place that the profile describes; changes nothing there.

    Args:
        profile: to look at.
        home: whose history tells which run has the warehouse, if another process does.
    """
    return Check(CONNECTION, profile.name, lambda: _look(profile, home))


def _look(profile: Profile, home: Path) -> Iterator[Finding]:
    try:
        yield Finding.ok(CONNECTION, profile.name, _CHECKS[profile.type](profile))
    except WarehouseBusyError as error:
        if error.pid is not None and (run := run_of_process(home, error.pid)):
            error.name_holder(f"run {run!r} (process {error.pid})")
        raise
    try:
        yield from _CONTENTS.get(profile.type, _nothing)(profile)
    except TaxietlError as error:
        yield Finding.problem(LEDGER, profile.name, error)


def _check_postgres(profile: PostgresProfile) -> str:
    from taxietl.load.postgres.check import check

    return check(profile)


def _check_duckdb(profile: DuckDBProfile) -> str:
    from taxietl.load.duckdb.check import check

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


def _in_postgres(profile: PostgresProfile) -> Iterator[Finding]:
    from taxietl.load.postgres.contents import contents

    return contents(profile)


def _in_duckdb(profile: DuckDBProfile) -> Iterator[Finding]:
    from taxietl.load.duckdb.contents import contents

    return contents(profile)


def _in_folder(profile: FolderProfile) -> Iterator[Finding]:
    """Hold a lake on this disk to its manifests, by a list of its files; a bucket's costs more."""
    from taxietl.load.lake.lake import Lake
    from taxietl.load.lake.standing import remedy
    from taxietl.load.lake.survey import survey

    if not profile.path.is_dir():
        return
    lake = Lake(profile)
    manifests, broken = lake.whole_and_broken_manifests(None)
    found = survey(lake, manifests, broken)
    for unreadable in broken:
        yield Finding.problem(LEDGER, profile.name, unreadable)
    wrong = [each for each in found.standings if each.problem]
    for each in wrong:
        error = TargetError(f"{lake.store.uri(each.key)} {each.problem}.", hint=remedy(each))
        yield Finding.problem(LEDGER, profile.name, error)
    if found.standings and not wrong and not broken:
        files = (
            "1 month is" if len(found.standings) == 1 else f"{len(found.standings):,} months are"
        )
        yield Finding.ok(LEDGER, profile.name, f"{files} as the manifests say.")


def _nothing(_profile: Profile) -> Iterator[Finding]:
    return iter(())


_CONTENTS: dict[str, Callable[[Any], Iterator[Finding]]] = {
    "postgres": _in_postgres,
    "duckdb": _in_duckdb,
    "folder": _in_folder,
}

_CHECKS: dict[str, Callable[[Any], str]] = {
    "postgres": _check_postgres,
    "duckdb": _check_duckdb,
    "folder": _check_folder,
    "gcp-credentials": _check_credentials,
    "gcs": _check_gcs,
    "bigquery": _check_bigquery,
}
