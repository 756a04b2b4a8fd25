"""Make a lake's bucket. `deploy/terraform` makes the same one; a test holds the two together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxietl.errors import TargetError
from taxietl.load.lake.patience import Patience, insist
from taxietl.steps.protocols import NEVER

if TYPE_CHECKING:
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]

    from taxietl.load.lake.gcs_profile import GcsProfile

REPLACED_DAYS = 90
"""How long a version is kept that was replaced. A month itself is kept for good."""


def create(profile: GcsProfile, *, project: str, location: str | None) -> bool:
    """Make the bucket; False if this account has it already, which is left as it is.

    Nobody can make its objects public, access is a matter of roles alone, and what an upload
    replaces is kept for a while.

    Raises:
        TargetError: it may not, or somebody else has a bucket of that name.
    """
    from google.api_core.exceptions import Conflict, Forbidden

    patience = Patience()
    bucket = _described(profile.bucket())

    def make() -> bool:
        try:
            bucket.client.create_bucket(
                bucket, project=project, location=location, retry=None, timeout=patience.timeouts
            )
        except Conflict:
            try:
                bucket.reload(retry=None, timeout=patience.timeouts)
            except Forbidden:
                raise TargetError(
                    f"Somebody else has a bucket named {profile.bucket_name!r}.",
                    hint="Bucket names are the world's: put another into the profile.",
                ) from None
            return False
        return True

    doing = f"make gs://{profile.bucket_name} in project {project}"
    return insist(make, doing, patience=patience, cancellation=NEVER)


def _described(bucket: Bucket) -> Bucket:
    """The bucket with what is to be set on it; no request is made."""
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.versioning_enabled = True
    bucket.add_lifecycle_delete_rule(days_since_noncurrent_time=REPLACED_DAYS)
    return bucket
