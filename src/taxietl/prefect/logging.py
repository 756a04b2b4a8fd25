"""`prefect.logging`."""

from taxietl import get_run_logger

__all__ = ["get_run_logger"]
