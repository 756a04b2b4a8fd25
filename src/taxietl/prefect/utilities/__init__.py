"""`prefect.utilities`."""
