"""`prefect.utilities.annotations`."""

from taxietl import allow_failure, unmapped

__all__ = ["allow_failure", "unmapped"]
