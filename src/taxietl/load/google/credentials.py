"""Google's credentials, out of a key or as they lie on this machine, and clients that have them.

Errors say which profile, and hold no key.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

Client = TypeVar("Client")

_NO_KEY = "is not a service account's key"
_OTHER_TYPES = ("authorized_user", "external_account", "impersonated_service_account")
"""What Google's client takes as application default credentials, and not as such a key."""


def client(make: Callable[[], Client], *, profile: str) -> Client:
    """A client of Google's; no request is made yet.

    Args:
        make: imports and makes it.
        profile: the name of the one it is for, for messages.

    Raises:
        ConfigError: there are no credentials.
    """
    _ignore_end_of_support()
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return make()
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


def _no_credentials(profile: str) -> ConfigError:
    named = _named_file()
    if _is_key(named):
        return ConfigError(
            f"Profile {profile!r}: GOOGLE_APPLICATION_CREDENTIALS holds the key itself, where "
            "the path of its file belongs.",
            hint="Put the key into a file and name that; or use it as it is, in a gcp-credentials "
            'profile: service_account_info = { env = "…" }.',
        )
    if named:
        return ConfigError(
            f"Profile {profile!r}: GOOGLE_APPLICATION_CREDENTIALS names {named}, which holds "
            "no Google Cloud credentials that can be read.",
            hint="Name the right file there, or unset the variable; or name a gcp-credentials "
            'profile: credentials = "gcp".',
        )
    return ConfigError(
        f"Profile {profile!r}: there are no Google Cloud credentials.",
        hint="Run `gcloud auth application-default login`, or name a gcp-credentials profile: "
        'credentials = "gcp".',
    )


def _named_file() -> str:
    return os.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")


def _is_key(named: str) -> bool:
    return "{" in named


def service_account(key: Path | str, *, owner: str) -> Credentials:
    """A service account's credentials.

    Args:
        key: the file of its JSON key, or the key's text.
        owner: the setting that has it, for messages.

    Raises:
        ConfigError: the key is not at hand, or is not one. What it holds is not repeated.
    """
    from google.oauth2.service_account import Credentials as ServiceAccount

    hint = "It should be the JSON key that Google Cloud made for a service account."
    info, trouble = _service_account_info(key)
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
    raise ConfigError(
        f"{owner}: {key if isinstance(key, Path) else 'the value'} {trouble}.",
        hint=hint,
    )


def _service_account_info(key: Path | str) -> tuple[dict[str, Any] | None, str]:
    """The key as a dictionary, or None and what is wrong with it."""
    try:
        # Windows tools mark UTF-8.
        text = key.read_text(encoding="utf-8-sig") if isinstance(key, Path) else key
        info = json.loads(text)
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    except ValueError:  # neither UTF-8 nor JSON
        return None, "is not JSON"
    return (info, "") if isinstance(info, dict) else (None, _NO_KEY)
