"""The profile types by the name a configuration gives them."""

from __future__ import annotations

from taxietl.config.base import Profile
from taxietl.config.databases import DatabaseProfile, DuckDBProfile, PostgresProfile
from taxietl.config.google import BigQueryProfile, GcpCredentialsProfile, GoogleProfile
from taxietl.config.lakes import FolderProfile, GcsProfile, LakeProfile

__all__ = [
    "PROFILE_TYPES",
    "BigQueryProfile",
    "DatabaseProfile",
    "DuckDBProfile",
    "FolderProfile",
    "GcpCredentialsProfile",
    "GcsProfile",
    "GoogleProfile",
    "LakeProfile",
    "PostgresProfile",
    "Profile",
]

PROFILE_TYPES: dict[str, type[Profile]] = {
    "postgres": PostgresProfile,
    "duckdb": DuckDBProfile,
    "gcs": GcsProfile,
    "folder": FolderProfile,
    "bigquery": BigQueryProfile,
    "gcp-credentials": GcpCredentialsProfile,
}
