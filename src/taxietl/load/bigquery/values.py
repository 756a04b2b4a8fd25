"""What is said of a month on its way into BigQuery."""

from __future__ import annotations

from dataclasses import dataclass

from taxietl.tlc.trip_file import TripFile


@dataclass(frozen=True)
class LakeMonth:
    """A month's object in the lake, as it was when it was looked at."""

    trip_file: TripFile
    key: str
    uri: str
    generation: int
    earlier: tuple[int, ...]
    """The generations that lay in the lake before this one, the newest first."""

    rows: int
    is_recorded: bool
    """Whether the manifest has it; if not, the object itself tells what the manifest lacks."""


@dataclass(frozen=True)
class Table:
    """A table that a month can be loaded into."""

    clustering: tuple[str, ...] | None
    expiration_ms: int | None
    """How long a partition is kept, counted from its month; None for good."""


@dataclass(frozen=True)
class JobError:
    """Why a job failed, in BigQuery's words."""

    reason: str
    message: str


@dataclass(frozen=True)
class Job:
    """A load job as BigQuery describes it."""

    id: str
    is_done: bool
    error: JobError | None = None
    rows: int | None = None
    """Those that were written, once it is done."""


@dataclass(frozen=True)
class PlannedLoad:
    """What is to be done with a month."""

    action: str
    """`load`, `replace`, `wait` for a job that is under way, or `nothing`."""

    reason: str
    month: LakeMonth
    target: str
    """The table with its project and dataset."""

    location: str
    dataset_is_new: bool
    attempt: int
    """Of the first job that may do it; of the last one where nothing is to be done."""

    job: str
    """That one's name."""

    rows_before: int
    """In the month's partition."""

    earlier_jobs: tuple[str, ...]
    """Those of earlier generations that are still under way: they would undo a newer one."""

    @property
    def partition(self) -> str:
        """As BigQuery names it: `202101`."""
        return partition(self.month.trip_file)


def partition(trip_file: TripFile) -> str:
    """The month's partition as BigQuery names it: `202101`."""
    return f"{trip_file.year:04d}{trip_file.month:02d}"


def job_id(dataset: str, trip_file: TripFile, generation: int, attempt: int) -> str:
    """The name of a job, the same wherever it is made: what it loads, and which attempt it is.

    BigQuery takes letters, digits, `_` and `-`, and refuses a name that it knows.
    """
    table = trip_file.dataset.table
    return f"taxietl-{dataset}-{table}-{partition(trip_file)}-g{generation}-a{attempt}"
