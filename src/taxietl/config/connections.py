"""Open what a Google profile describes. Every client library is imported where it is used.

Errors say which profile, and hold no key.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.bigquery import Client
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]

    from taxietl.config.google import BigQueryProfile, GcpCredentialsProfile, GoogleProfile
    from taxietl.config.lakes import GcsProfile


_NO_KEY = "is not a service account's key"
_OTHER_TYPES = ("authorized_user", "external_account", "impersonated_service_account")
"""What Google's client takes as application default credentials, and not as such a key."""


def open_bucket(profile: GcsProfile) -> Bucket:
    """The profile's bucket, through a client of its own.

    Raises:
        ConfigError: there are no credentials.
    """
    _ignore_end_of_support()
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud import storage

    try:
        client = storage.Client(
            project=None,  # only creating a bucket needs one
            credentials=profile.google_credentials(),
            client_options=profile.client_options(),
        )
    except (DefaultCredentialsError, OSError) as error:
        # Google's own error repeats what the variable holds, be it the key itself.
        raise _no_credentials(profile) from None if _is_key(_named_file()) else error
    return client.bucket(profile.bucket_name)


def open_bigquery(profile: BigQueryProfile) -> Client:
    """A BigQuery client of the profile's project.

    Raises:
        ConfigError: its package is not installed, or there are no credentials.
    """
    _ignore_end_of_support()
    from google.auth.exceptions import DefaultCredentialsError

    try:
        from google.cloud.bigquery import Client
    except ImportError as error:
        raise ConfigError(
            f"Profile {profile.name!r} needs the package google-cloud-bigquery, which is not "
            "installed.",
            hint="Install it: pip install 'taxietl[bq]' (or: uv tool install 'taxietl[bq]').",
        ) from error
    try:
        return Client(
            project=profile.project,
            location=profile.location,
            credentials=profile.google_credentials(),
            client_options=profile.client_options(),
        )
    except (DefaultCredentialsError, OSError) as error:
        # Google's own error repeats what the variable holds, be it the key itself.
        raise _no_credentials(profile) from None if _is_key(_named_file()) else error


def _ignore_end_of_support() -> None:
    """Keep Google's libraries from warning, from some day on, that a Python is out of support.

    What they do does not depend on it; their import reads the calendar (google.api_core 2.44,
    `_python_version_support.py`), and what it warns of nobody could change by another command.
    """
    warnings.filterwarnings(
        "ignore", r"You are using a (non-supported )?Python version", FutureWarning
    )


def _no_credentials(profile: GoogleProfile) -> ConfigError:
    named = _named_file()
    if _is_key(named):
        return ConfigError(
            f"Profile {profile.name!r}: GOOGLE_APPLICATION_CREDENTIALS holds the key itself, where "
            "the path of its file belongs.",
            hint="Put the key into a file and name that; or use it as it is, in a gcp-credentials "
            'profile: service_account_info = { env = "…" }.',
        )
    if named:
        return ConfigError(
            f"Profile {profile.name!r}: GOOGLE_APPLICATION_CREDENTIALS names {named}, which holds "
            "no Google Cloud credentials that can be read.",
            hint="Name the right file there, or unset the variable; or name a gcp-credentials "
            'profile: credentials = "gcp".',
        )
    return ConfigError(
        f"Profile {profile.name!r}: there are no Google Cloud credentials.",
        hint="Run `gcloud auth application-default login`, or name a gcp-credentials profile: "
        'credentials = "gcp".',
    )


def _named_file() -> str:
    return os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")


def _is_key(named: str) -> bool:
    return "{" in named


def google_credentials(profile: GcpCredentialsProfile) -> Credentials:
    """The account's credentials.

    Raises:
        ConfigError: the key is not at hand, or is not one. What it holds is not repeated.
    """
    from google.auth.credentials import AnonymousCredentials
    from google.oauth2.service_account import Credentials as ServiceAccount

    if profile.anonymous:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    hint = "It should be the JSON key that Google Cloud made for a service account."
    info, trouble = _service_account_info(profile)
    if info is not None:
        try:
            account: Credentials = ServiceAccount.from_service_account_info(info)  # type: ignore[no-untyped-call]
        except ValueError:  # google.auth's MalformedError is one; both may quote the key
            trouble = _NO_KEY
            if info.get("type") in _OTHER_TYPES:
                hint = (
                    "It is one of the application default credentials: leave `credentials` out, "
                    "and name it in GOOGLE_APPLICATION_CREDENTIALS."
                )
        else:
            return account
    key = "service_account_file" if profile.service_account_file else "service_account_info"
    raise ConfigError(
        f"profiles.{profile.name}.{key}: {profile.service_account_file or 'the value'} {trouble}.",
        hint=hint,
    )


def _service_account_info(profile: GcpCredentialsProfile) -> tuple[dict[str, Any] | None, str]:
    """The key as a dictionary, or None and what is wrong with it."""
    try:
        text = (
            profile.service_account_file.read_text(encoding="utf-8-sig")  # Windows tools mark it
            if profile.service_account_file
            else profile.service_account_json() or ""
        )
        info = json.loads(text)
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except ValueError:  # neither UTF-8 nor JSON
        return None, "is not JSON"
    return (info, "") if isinstance(info, dict) else (None, _NO_KEY)
