"""The profile type `gcs`: a lake in a Google Cloud Storage bucket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from taxietl.config.base import Text
from taxietl.config.lakes import LakeProfile
from taxietl.config.paths import Surroundings
from taxietl.config.secrets import LiteralSecret, SecretReference
from taxietl.load.google.profile import GoogleProfile

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client  # type: ignore[import-untyped]

    from taxietl.load.lake.gcs import GcsStore

_BUCKET = re.compile("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def check_bucket(name: str) -> str:
    """Refuse an address, a folder in a bucket, and what the client only stumbles over later."""
    if not _BUCKET.fullmatch(name):
        raise ValueError(
            "must be a bucket's name alone, without gs:// and folders (those go into `key`)"
        )
    return name


class GcsProfile(LakeProfile, GoogleProfile):
    """A lake in a Google Cloud Storage bucket."""

    url_schemes: ClassVar[tuple[str, ...]] = ("gs", "gcs")
    url_form: ClassVar[str] = "gs://BUCKET"
    example: ClassVar[str] = """\
#[profiles.lake]
#type = "gcs"
#bucket = "dtc_data_lake"
#key = "data/{color}/{color}_tripdata_{year}-{month:02d}.parquet"  # object of a month
#credentials = "gcp"            # a gcp-credentials profile; left out: application default
#endpoint = "http://localhost:4443"  # an emulator; left out: Google's own
"""

    type: Literal["gcs"] = "gcs"
    # `bucket` is the method.
    bucket_name: Annotated[Text, AfterValidator(check_bucket)] = Field(alias="bucket")

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        secret: SecretReference | LiteralSecret,  # noqa: ARG003 - an account's key is elsewhere
        around: Surroundings,
    ) -> Self:
        """`gs://BUCKET`, with application default credentials."""
        bucket = url.partition("://")[2].removesuffix("/")
        return cls.model_validate({"bucket": bucket}, context=around)

    def bucket(self) -> Bucket:
        """A google-cloud-storage bucket, through a client of its own; no request is made yet.

        Raises:
            ConfigError: there are no credentials.
        """
        from taxietl.load.google.credentials import client

        return client(self._client, profile=self.name).bucket(self.bucket_name)

    def _client(self) -> Client:
        from google.cloud.storage import Client

        return Client(
            project=None,  # only creating a bucket needs one
            credentials=self.google_credentials(),
            client_options=self.client_options(),
        )

    def open_store(self) -> GcsStore:
        """See `LakeProfile.open_store`."""
        from taxietl.load.lake.gcs import GcsStore

        return GcsStore(self)

    def check(self) -> str:
        """See `Profile.check`: what this account may do there, and how many months there are."""
        from taxietl.load.lake.gcs_check import check

        return check(self.open_store())

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

lake = profile("{name}")
january = lake.bucket().blob(lake.object_key(color="yellow", year=2021, month=1))
"""
