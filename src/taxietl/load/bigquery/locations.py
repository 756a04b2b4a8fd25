"""Where a dataset must lie to be loaded from a bucket.

Source: Google Cloud, "Loading data from Cloud Storage", limitations: a dataset that is not in the
multi-region US must be in the bucket's region, or in the multi-region that contains it.
"""

from __future__ import annotations

from taxietl.load.lake.gcs_profile import GcsProfile
from taxietl.load.lake.patience import Patience, insist
from taxietl.steps.protocols import NEVER


def are_apart(bucket: str, dataset: str) -> bool:
    """Whether BigQuery is sure to refuse; of what is not sure, it is let decide.

    Which regions are in EU is BigQuery's to know (London and Zurich are not), and so is what
    holds for the buckets of two regions.
    """
    bucket, dataset = bucket.upper(), dataset.upper()
    if dataset in ("US", bucket):
        return False
    return _is_region(dataset) == _is_region(bucket)


def _is_region(location: str) -> bool:
    """One place, `europe-west6`; not a multi-region, or two regions such as `EUR4`."""
    return "-" in location


def bucket_location(profile: GcsProfile) -> str | None:
    """Where the bucket is, `EU` or `europe-west6`; None if this account may not ask."""
    from google.api_core.exceptions import Forbidden

    patience, bucket = Patience(), profile.bucket()

    def ask() -> str | None:
        try:
            bucket.reload(retry=None, timeout=patience.timeouts)
        except Forbidden:
            return None
        found = str(bucket.location)
        return found.lower() if "-" in found else found  # the bucket's own are in capitals

    doing = f"ask where gs://{profile.bucket_name} is"
    return insist(ask, doing, patience=patience, cancellation=NEVER)
