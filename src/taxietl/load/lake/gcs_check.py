"""What can be said of a bucket without changing anything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.errors import TargetError
from taxietl.load.lake.gcs import GcsStore
from taxietl.load.lake.patience import Patience, insist
from taxietl.load.lake.values import MANIFESTS, ZONES_MANIFEST
from taxietl.steps.protocols import NEVER

if TYPE_CHECKING:
    from taxietl.config.profiles import GcsProfile

_NEEDED = (
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.get",
    "storage.objects.list",
)
"""Replacing an object is creating and deleting."""


def check(profile: GcsProfile) -> str:
    """Ask the bucket what this account may do there, and which months it holds.

    Raises:
        ConfigError: there are no credentials.
        TargetError: no such bucket, or rights are missing.
    """
    store = GcsStore(profile)
    missing = sorted(set(_NEEDED).difference(store.permissions(_NEEDED)))
    if missing:
        raise TargetError(
            f"In {store.address} this account lacks {', '.join(missing)}.",
            hint="Give it the role Storage Object Admin on the bucket (roles/storage.objectAdmin).",
        )
    months = len(set(store.small_keys(MANIFESTS)).difference({ZONES_MANIFEST}))
    there = f"{months} months" if months else "no months yet"
    return f"{store.address}: objects can be read, written and replaced; {there}."


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
