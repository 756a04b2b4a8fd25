"""The profile type `gcp-credentials`, and what the types share that need such an account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from taxietl.config.base import Profile, Text
from taxietl.config.paths import ConfigPath
from taxietl.config.secrets import Secret

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_ENDPOINT = re.compile(r"https?://[^/\s]+\S*")


def check_endpoint(endpoint: str) -> str:
    """Refuse an address that the clients would only stumble over later."""
    try:
        split = urlsplit(endpoint)
        # A name and password there would be shown, and be sent in the place of the token.
        is_address = _ENDPOINT.fullmatch(endpoint) and split.port != 0 and "@" not in split.netloc
    except ValueError:  # no such port, or half of an IPv6 address
        is_address = False
    if not is_address:
        raise ValueError("must be an address like http://localhost:4443")
    return endpoint


Endpoint = Annotated[str, AfterValidator(check_endpoint)]


class GcpCredentialsProfile(Profile):
    """Who one is for Google Cloud: a service account's key, or nobody."""

    secret_keys: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"service_account_info": "GCP_KEY_JSON"}
    )
    replaces: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType(
        {
            "service_account_file": frozenset({"service_account_info", "anonymous"}),
            "service_account_info": frozenset({"anonymous"}),
        }
    )
    example: ClassVar[str] = """\
# Exactly one of the three ways to say who you are:
#[profiles.gcp]
#type = "gcp-credentials"
#service_account_file = "~/.gc/key.json"  # the key Google Cloud made

#[profiles.gcp-from-environment]
#type = "gcp-credentials"
#service_account_info = { env = "GCP_KEY_JSON" }  # the same key's text, as a secret

#[profiles.nobody]
#type = "gcp-credentials"
#anonymous = true               # for emulators and public buckets
"""

    type: Literal["gcp-credentials"] = "gcp-credentials"
    service_account_file: ConfigPath | None = None
    service_account_info: Secret | None = None
    anonymous: bool = False

    @model_validator(mode="after")
    def _check_exactly_one(self) -> Self:
        ways = (self.service_account_file, self.service_account_info, self.anonymous or None)
        if sum(way is not None for way in ways) != 1:
            raise ValueError(
                "must have exactly one of service_account_file, service_account_info "
                "and anonymous = true"
            )
        return self

    def service_account_json(self) -> str | None:
        """The key's JSON text out of `service_account_info`, looked up now."""
        if self.service_account_info is None:
            return None
        return self._reveal("service_account_info", self.service_account_info)

    def google_credentials(self) -> Credentials:
        """What the google-cloud clients take as `credentials`."""
        from taxietl.load.google.credentials import service_account

        if self.anonymous:
            from google.auth.credentials import AnonymousCredentials

            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        if self.service_account_file:
            return service_account(
                self.service_account_file, owner=self.setting("service_account_file")
            )
        return service_account(
            self.service_account_json() or "", owner=self.setting("service_account_info")
        )

    def secret_files(self) -> Iterator[tuple[str, Path]]:
        """See `Profile.secret_files`; the key's file is one."""
        yield from super().secret_files()
        if self.service_account_file:
            yield self.setting("service_account_file"), self.service_account_file

    def check(self) -> str:
        """See `Profile.check`; nothing is asked of Google."""
        self.google_credentials()
        unasked = "Nothing was asked of Google: checking the profile that uses it does."
        if self.anonymous:
            return f"Anonymous: no key is needed. {unasked}"
        place = self.service_account_file or self.service_account_info
        return f"{place} holds a service account's key. {unasked}"

    def snippet(self, name: str) -> str:
        return f"""\
from google.cloud import storage
from taxietl import profile

client = storage.Client(project=None, credentials=profile("{name}").google_credentials())
"""


class GoogleProfile(Profile):
    """What `gcs` and `bigquery` share: whose account, and an emulator's address."""

    refers_to: ClassVar[Mapping[str, str]] = MappingProxyType({"credentials": "gcp-credentials"})

    credentials: Text | None = None
    endpoint: Endpoint | None = None

    def google_credentials(self) -> Credentials | None:
        """Those of the `credentials` profile; None means application default credentials."""
        account = self._referred.get("credentials")
        return account.google_credentials() if isinstance(account, GcpCredentialsProfile) else None

    def client_options(self) -> dict[str, str] | None:
        """What the google-cloud clients take as `client_options`."""
        return {"api_endpoint": self.endpoint} if self.endpoint else None
