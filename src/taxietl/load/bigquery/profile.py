"""The profile type `bigquery`: a dataset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator

from taxietl.config.base import Text
from taxietl.errors import ConfigError
from taxietl.load.google.profile import GoogleProfile

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

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


class BigQueryProfile(GoogleProfile):
    """A BigQuery dataset."""

    filled_by: ClassVar[str] = "taxietl load-bq"
    example: ClassVar[str] = """\
#[profiles.bigquery]
#type = "bigquery"
#project = "my-project"
#dataset = "trips_data_all"     # made by the first load, if it is not there
#location = "europe-west6"      # where to make it; left out: where the bucket is
#credentials = "gcp"            # as for gcs
#endpoint = "http://localhost:9050"  # an emulator; left out: Google's own
"""

    type: Literal["bigquery"] = "bigquery"
    project: Annotated[Text, AfterValidator(check_project)]
    dataset: Annotated[Text, AfterValidator(check_dataset)]
    location: Text | None = None

    def client(self) -> Client:
        """A google-cloud-bigquery client of the project; no request is made yet.

        Raises:
            ConfigError: its package is not installed, or there are no credentials.
        """
        from taxietl.load.google.credentials import client

        return client(self._client, profile=self.name)

    def _client(self) -> Client:
        try:
            from google.cloud.bigquery import Client
        except ImportError as error:
            raise ConfigError(
                f"Profile {self.name!r} needs the package google-cloud-bigquery, which is not "
                "installed.",
                hint="Install it: pip install 'taxietl[bq]' (or: uv tool install 'taxietl[bq]').",
            ) from error
        return Client(
            project=self.project,
            location=self.location,
            credentials=self.google_credentials(),
            client_options=self.client_options(),
        )

    def check(self) -> str:
        """See `Profile.check`."""
        from taxietl.load.bigquery.check import check
        from taxietl.load.bigquery.service import Service

        return check(Service(self), self.location)

    def snippet(self, name: str) -> str:
        return f"""\
from taxietl import profile

target = profile("{name}")
rows = list(target.client().query_and_wait("SELECT count(*) FROM {self.dataset}.yellow_trips"))
"""  # noqa: S608 - shown, not run
