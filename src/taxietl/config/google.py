"""Profiles of Google Cloud: who one is, and what the profiles that need an account share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, PrivateAttr, model_validator

from taxietl.config.base import Profile, Text
from taxietl.config.paths import ConfigPath
from taxietl.config.secrets import Secret

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.bigquery import Client

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

_PROJECT = re.compile(r"[A-Za-z0-9.:-]+")
_DATASET = re.compile(r"\w{1,900}", re.ASCII)


def check_project(project: str) -> str:
    """Refuse what is no project's id, such as its title."""
    if not _PROJECT.fullmatch(project):
        raise ValueError("must be a project's id: letters, digits and -")
    return project


def check_dataset(dataset: str) -> str:
    """Refuse what could not stand in a statement or in a job's name."""
    if not _DATASET.fullmatch(dataset):
        raise ValueError("must be letters, digits and _; the project has a key of its own")
    return dataset


class GcpCredentialsProfile(Profile):
    """Who one is for Google Cloud: a service account's key, or nobody."""

    secret_keys: ClassVar[tuple[str, ...]] = ("service_account_info",)

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

    def _unused(self) -> frozenset[str]:
        return frozenset() if self.anonymous else frozenset({"anonymous"})

    def service_account_json(self) -> str | None:
        """The key's JSON text out of `service_account_info`, looked up now."""
        if self.service_account_info is None:
            return None
        return self._reveal("service_account_info", self.service_account_info)

    def google_credentials(self) -> Credentials:
        """What the google-cloud clients take as `credentials`."""
        from taxietl.config.connections import google_credentials

        return google_credentials(self)

    def snippet(self, name: str) -> str:
        return f"""\
from google.cloud import storage
from taxietl import profile

client = storage.Client(project=None, credentials=profile("{name}").google_credentials())
"""


class GoogleProfile(Profile):
    """What `gcs` and `bigquery` share: whose account, and an emulator's address."""

    credentials: Text | None = None
    endpoint: Endpoint | None = None
    _account: GcpCredentialsProfile | None = PrivateAttr(default=None)

    def with_account(self, account: GcpCredentialsProfile) -> Self:
        """A copy that holds the profile which `credentials` names."""
        copy = self.model_copy()
        copy._account = account
        return copy

    def google_credentials(self) -> Credentials | None:
        """Those of the `credentials` profile; None means application default credentials."""
        return self._account.google_credentials() if self._account else None

    def client_options(self) -> dict[str, str] | None:
        """What the google-cloud clients take as `client_options`."""
        return {"api_endpoint": self.endpoint} if self.endpoint else None


class BigQueryProfile(GoogleProfile):
    """A BigQuery dataset."""

    type: Literal["bigquery"] = "bigquery"
    project: Annotated[Text, AfterValidator(check_project)]
    dataset: Annotated[Text, AfterValidator(check_dataset)]
    location: Text | None = None

    def client(self) -> Client:
        """A google-cloud-bigquery client of the project; no request is made yet."""
        from taxietl.config.connections import open_bigquery

        return open_bigquery(self)

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

target = profile("{name}")
rows = list(target.client().query_and_wait("SELECT count(*) FROM {self.dataset}.yellow_trips"))
"""  # noqa: S608 - shown, not run
