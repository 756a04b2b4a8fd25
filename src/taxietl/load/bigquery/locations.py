"""Where a dataset must lie to be loaded from a bucket.

Source: Google Cloud, "Loading data from Cloud Storage", limitations: a dataset that is not in the
multi-region US must be in the bucket's region, or in the multi-region that contains it.
"""

from __future__ import annotations


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
