"""What can be said of a BigQuery profile without changing anything there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.errors import TargetError
from taxietl.load.bigquery.service import Service

if TYPE_CHECKING:
    from taxietl.config.profiles import BigQueryProfile


def check(profile: BigQueryProfile) -> str:
    """Ask for the dataset, and whether this account may run jobs.

    Raises:
        ConfigError: the package is not installed, or there are no credentials.
        TargetError: no such project, the API is off, or rights are missing.
    """
    service = Service(profile)
    found = service.location()
    service.may_run_jobs(found or profile.location)
    if found is None:
        where = f"in {profile.location}" if profile.location else "where the bucket is"
        return (
            f"{service.address}: jobs can be run; the dataset is not there yet, and would be "
            f"made {where}."
        )
    if profile.location and profile.location.upper() != found.upper():
        raise TargetError(
            f"The dataset {service.address} is in {found}, and the profile says "
            f"{profile.location}.",
            hint=f'Put location = "{found}" into the profile, or leave it out.',
        )
    return f"{service.address}: jobs can be run; the dataset is in {found}."
