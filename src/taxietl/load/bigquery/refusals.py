"""What BigQuery says when it refuses, in words that tell what to mend.

Source: Google Cloud, "BigQuery: Error messages" (HTTP codes and reasons), "BigQuery IAM roles and
permissions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from taxietl.errors import NotOursError, TargetError, TransientError
from taxietl.load.lake.refusals import MAY_PASS, SIGN_IN, Refusal, retry_after, said

if TYPE_CHECKING:
    from requests import Response

    from taxietl.load.bigquery.values import Job, JobError
    from taxietl.load.lake.ways import Answer

RATE_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"}
_PASSING = {
    *RATE_REASONS,
    *("backendError", "internalError", "jobBackendError", "jobInternalError"),
    *("jobRateLimitExceeded", "tableUnavailable"),
}

_PERMISSION = re.compile(r"\b(?:bigquery|storage)\.\w+\.\w+\b")
_APART = re.compile(r"different locations: source: (\S+?), destination: ([\w-]+)")
_JOB_USER = "BigQuery Job User (roles/bigquery.jobUser) on the project"
_ROLES = {
    "bigquery.jobs.get": "BigQuery Resource Viewer (roles/bigquery.resourceViewer) on the "
    "project, since another account began the job",
    "bigquery.jobs": _JOB_USER,
    "bigquery.datasets": "BigQuery User (roles/bigquery.user) on the project, which may make "
    "datasets, or make the dataset yourself and give it BigQuery Data Editor there",
    "bigquery.tables": "BigQuery Data Editor (roles/bigquery.dataEditor) on the dataset",
    "storage.objects": "Storage Object Viewer (roles/storage.objectViewer) on the bucket",
    "storage.buckets": "Storage Legacy Bucket Reader (roles/storage.legacyBucketReader) on the "
    "bucket",
}


class JobBusyError(TargetError, TransientError):
    """The job failed for a reason of BigQuery's own, which may pass: another one may do it."""


class ApartError(TargetError):
    """The dataset lies where BigQuery cannot load from the bucket."""

    def __init__(self, bucket: str, dataset: str, *, what: str) -> None:
        super().__init__(
            f"{what}: the bucket is in {bucket} and the dataset in {dataset}, and BigQuery loads "
            "from a bucket in the dataset's own location only (a dataset in US from any).",
            hint=f"Name another `dataset` in the profile, to be made in {bucket}; or bring the "
            f"months into a bucket in {dataset}. Neither can be moved.",
        )


def refusal_in(
    response: Response | Answer | None, doing: str, *, status: int | None = None
) -> Refusal:
    """What an answer that is no success means."""
    status = int(response.status_code if response is not None else status or 0)
    reason, sentence = said(response)
    quoted = f" Google says: {sentence}" if sentence else ""
    if status == 403 and reason in RATE_REASONS:
        status = 429
    match status:
        case 401:
            error = TargetError(
                f"Cannot {doing}: the credentials are not accepted (HTTP 401).{quoted}",
                hint=SIGN_IN,
            )
        case 403:
            error = TargetError(
                f"Cannot {doing}: that is not allowed (HTTP 403).{quoted}",
                hint=_allowing(reason, sentence),
            )
        case 404:
            what = "project" if "Not found: Project" in sentence else "dataset"
            error = TargetError(
                f"Cannot {doing}: it is not there (HTTP 404).{quoted}",
                hint=f"Check `{what}` in the profile, and `endpoint` if it has one: an address "
                "like http://localhost:9050, with no / and no path at its end. "
                "`taxietl profiles check` asks.",
            )
        case 429:
            error = TargetError(
                f"Cannot {doing}: too many requests, or a quota is used up "
                f"(HTTP 429, {reason}).{quoted}",
                hint="Run again in some minutes; look at the project's quotas if it stays so.",
            )
        case _ if status in MAY_PASS:
            error = TargetError(
                f"Cannot {doing} (HTTP {status}).{quoted}",
                hint="Google's side failed. Run again later: what is under way is taken up.",
            )
        case _:
            error = TargetError(
                f"Cannot {doing} (HTTP {status}).{quoted}",
                hint="Check the profile: `taxietl profiles check`.",
            )
    return Refusal(error, status in MAY_PASS, retry_after(response), status)


def job_error(job: Job, error: JobError, doing: str) -> TargetError:
    """What a job's failure means."""
    sentence = " ".join(error.message.split())[:300]
    failed = f"Cannot {doing}: job {job.id} failed ({error.reason}): {sentence}"
    if apart := _APART.search(sentence):
        return ApartError(apart[1], apart[2], what=f"Cannot {doing}")
    if error.reason in _PASSING:
        return JobBusyError(failed, hint="Run again later: another job is begun then.")
    if error.reason == "stopped":
        return TargetError(failed, hint="Somebody cancelled it. Run again: another one is begun.")
    if error.reason == "accessDenied":
        return TargetError(failed, hint=_allowing(error.reason, sentence))
    if "does not match Table" in sentence:
        return TargetError(
            failed,
            hint="The table's columns are not those of docs/reference.md. Drop or rename it, or "
            "name another `dataset` in the profile.",
        )
    return TargetError(
        failed, hint="The month is as it was. `taxietl lake verify` tells whether the object is."
    )


def not_ours(target: str, what: str) -> NotOursError:
    """A table that lies where the months go, and is none of theirs."""
    return NotOursError(
        f"{target} {what}, so taxietl did not make it.",
        hint="It was left as it is. Drop or rename it, or name another `dataset` in the profile.",
    )


def _allowing(reason: str, sentence: str) -> str:
    """What to type or give, where something is not allowed."""
    if reason == "accessNotConfigured" or "has not been used in project" in sentence:
        return "Switch the API on: gcloud services enable bigquery.googleapis.com."
    if reason == "billingNotEnabled" or "billing" in sentence.lower():
        return "Switch billing on for the project."
    if found := _PERMISSION.search(sentence):
        of_kind = _ROLES.get(found[0].rpartition(".")[0], "a role that has it")
        role = _ROLES.get(found[0], of_kind)
        return f"The account lacks {found[0]}. Give it {role}; then run again."
    if "gs://" in sentence:
        return f"Give the account {_ROLES['storage.objects']}; then run again."
    return (
        f"Give the account {_JOB_USER}, and {_ROLES['bigquery.tables']}; then run again. "
        "docs/bigquery.md lists what is needed."
    )
