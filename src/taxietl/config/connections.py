"""Open what a profile describes. Every client library is imported where it is used.

For flows of one's own; the loaders open their own connections from `libpq_parameters()` and
`path`. Errors say which profile, and hold neither password nor DSN.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

from taxietl.errors import ConfigError, TargetError, TryLaterError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from google.auth.credentials import Credentials
    from google.cloud.bigquery import Client
    from google.cloud.storage import Bucket  # type: ignore[import-untyped]
    from sqlalchemy import Connection

    from taxietl.config.databases import DuckDBProfile, PostgresProfile
    from taxietl.config.google import BigQueryProfile, GcpCredentialsProfile, GoogleProfile
    from taxietl.config.lakes import GcsProfile


_NO_KEY = "is not a service account's key"
_OTHER_TYPES = ("authorized_user", "external_account", "impersonated_service_account")
"""What Google's client takes as application default credentials, and not as such a key."""


def parse_postgres_url(url: str, owner: str) -> dict[str, str]:
    """libpq's keywords out of a `postgresql://` address; SQLAlchemy's `+driver` is left out.

    Raises:
        ConfigError: it is none. libpq's own message can repeat the password, so it is not shown.
    """
    import psycopg2
    from psycopg2.extensions import parse_dsn

    parameters: dict[str, str] | None
    plain, is_url = re.subn(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url.strip())
    try:
        parameters = parse_dsn(plain) if is_url else None
    except psycopg2.ProgrammingError:
        parameters = None
    # An unescaped / in a password ends the host part early: its rest lands in port and dbname,
    # and from there in the server's error messages.
    if (
        parameters is None
        or not parameters.get("port", "0").replace(",", "").isdigit()
        or "@" in parameters.get("dbname", "") + parameters.get("host", "")
    ):
        raise ConfigError(
            f"{owner} is not an address of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE.",
            hint="In a password, write @ as %40, : as %3A and / as %2F; after a ? only libpq's own "
            "keywords are known.",
        )
    return parameters


def connect_postgres(profile: PostgresProfile) -> Connection:
    """A SQLAlchemy connection without a pool behind it.

    Raises:
        TargetError: the server cannot be reached, or refuses.
        TryLaterError: it would not, at another time.
    """
    import psycopg2
    import sqlalchemy
    from psycopg2.extensions import make_dsn
    from sqlalchemy.pool import NullPool

    from taxietl.config.postgres_errors import meant, target_of

    parameters = profile.libpq_parameters()
    # A creator, so that the engine's URL, which errors and logs may show, holds nothing.
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(make_dsn(**parameters)),
        poolclass=NullPool,
    )
    try:
        return engine.connect()
    except sqlalchemy.exc.OperationalError as error:
        if not isinstance(error.orig, psycopg2.Error):
            raise
        refused = meant(error.orig, target_of(parameters))
        sentence = f"Profile {profile.name!r}: {refused.message}"
        raise type(refused)(sentence, hint=refused.hint) from error


def connect_duckdb(profile: DuckDBProfile) -> DuckDBPyConnection:
    """A DuckDB connection; the file and its folder are made if they are not there.

    Raises:
        TryLaterError: another process holds the file.
        TargetError: it cannot be opened.
    """
    import duckdb

    from taxietl.config.duckdb_new import make_file

    limit = {"memory_limit": profile.memory_limit} if profile.memory_limit else {}
    try:
        profile.path.parent.mkdir(parents=True, exist_ok=True)
        if not profile.path.exists():
            make_file(profile.path)
        connection = duckdb.connect(str(profile.path), config=limit)
    except (duckdb.Error, OSError) as error:
        if isinstance(error, duckdb.IOException) and "lock" in str(error):
            raise TryLaterError(
                f"Profile {profile.name!r}: another process holds {profile.path}.",
                hint="Try again when it is done: one process at a time can open a DuckDB file.",
            ) from error
        raise TargetError(
            f"Profile {profile.name!r}: cannot open {profile.path}: {error}",
            hint="Check the path, and that this user may write there.",
        ) from error
    _tell_how_frames_go_in(profile.name)
    return connection


@functools.cache  # once a process
def _tell_how_frames_go_in(name: str) -> None:
    """To pandas, DuckDB's connection is an unknown database, written to a row at a time."""
    logging.getLogger("taxietl").info(
        "Profile %r is a DuckDB file: instead of frame.to_sql, which writes row by row there, use "
        'connection.register("frame", frame) and INSERT INTO … SELECT * FROM frame.',
        name,
    )


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
