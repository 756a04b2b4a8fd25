"""What can be said of a BigQuery profile without changing anything there."""

from __future__ import annotations

from taxietl.errors import TargetError
from taxietl.load.bigquery.service import Service


def check(service: Service, wanted: str | None) -> str:
    """Ask for the dataset, and whether this account may run jobs.

    Args:
        service: the dataset.
        wanted: where the profile says it is.

    Raises:
        ConfigError: the package is not installed, or there are no credentials.
        TargetError: no such project, the API is off, or rights are missing.
    """
    found = service.location()
    service.may_run_jobs(found or wanted)
    if found is None:
        where = f"in {wanted}" if wanted else "where the bucket is"
        return (
            f"{service.address}: jobs can be run; the dataset is not there yet, and would be "
            f"made {where}."
        )
    if wanted and wanted.upper() != found.upper():
        raise TargetError(
            f"The dataset {service.address} is in {found}, and the profile says {wanted}.",
            hint=f'Put location = "{found}" into the profile, or leave it out.',
        )
    return f"{service.address}: jobs can be run; the dataset is in {found}."
