"""What can be said of a bucket without changing anything in it."""

from __future__ import annotations

from taxietl.errors import TargetError
from taxietl.load.lake.gcs import GcsStore
from taxietl.load.lake.values import MANIFESTS, ZONES_MANIFEST

_NEEDED = (
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
"""Replacing an object is creating and deleting."""


def check(store: GcsStore) -> str:
    """Ask the bucket what this account may do there, and which months it holds.

    Raises:
        ConfigError: there are no credentials.
        TargetError: no such bucket, or rights are missing.
    """
    missing = sorted(set(_NEEDED).difference(store.permissions(_NEEDED)))
    if missing:
        raise TargetError(
            f"In {store.address} this account lacks {', '.join(missing)}.",
            hint="Give it the role Storage Object Admin on the bucket (roles/storage.objectAdmin).",
        )
    months = len(set(store.small_keys(MANIFESTS)).difference({ZONES_MANIFEST}))
    there = f"{months} months" if months else "no months yet"
    return f"{store.address}: objects can be read, written and replaced; {there}."
