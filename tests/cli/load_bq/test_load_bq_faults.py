"""What goes wrong on the way into BigQuery: no load happens twice, and a fault has its words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bigquery import BigQuery
from bigquery_store import JobFailed
from bq_home import KEY, MONTH, Command, generation, only
from command import Done, Taxietl, check_refused
from gcs import Gcs

PLANTED = "hunter2-planted"


def inserted(bigquery: BigQuery) -> int:
    return bigquery.kinds().count("jobs.post")


# One load, whatever becomes of answers and processes


def test_a_lost_answer_does_not_load_twice(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.fail("jobs.post", lose_answer=True)

    done = only(load("--json"))

    assert done["action"] == "loaded"
    assert inserted(bigquery) == 2
    assert bigquery.store.written == [done["job"]]


def test_a_job_that_is_not_found_at_once_is_asked_for_again(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.fail("jobs.post", lose_answer=True)
    bigquery.fail("job.get", status=404, reason="notFound", message="Not found: Job", after=1)

    assert only(load("--json"))["action"] == "loaded"
    assert len(bigquery.store.written) == 1


def test_answers_that_fail_for_a_while_are_asked_for_again(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    for kind in ("dataset.get", "datasets.post", "jobs.post", "job.get", "queries.post"):
        bigquery.fail(kind, status=503)

    assert only(load("--json"))["action"] == "loaded"
    assert len(bigquery.store.written) == 1


def test_a_count_that_takes_long_is_waited_for(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.slow_queries = 1

    assert only(load("--json"))["rows"] == 200


def test_a_job_that_takes_long_is_waited_for(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.store.polls = 2

    assert only(load("--json"))["action"] == "loaded"


@pytest.mark.parametrize("reason", ["backendError", "internalError", "rateLimitExceeded"])
def test_a_job_that_failed_for_a_passing_reason_is_followed_by_another(
    upload: Command, load: Command, bigquery: BigQuery, reason: str
) -> None:
    upload()
    bigquery.store.job_errors.append(JobFailed(reason, "try again"))

    done = only(load("--json"))

    assert done["job"].endswith("-a2")
    assert bigquery.states() == {
        done["job"].replace("-a2", "-a1"): reason, done["job"]: "DONE",
    }  # fmt: skip
    assert bigquery.rows() == {"202101": 200}


def test_a_failed_job_keeps_its_name_and_the_next_run_takes_the_next(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.store.job_errors.append(JobFailed("invalid", "Error while reading data"))

    check_refused(load("-q"), 5, "-a1 failed (invalid): Error while reading data")
    assert bigquery.store.written == []

    again = only(load("--json"))
    assert again["job"].endswith("-a2")
    assert again["reason"].endswith("-a1 failed (invalid)")


@pytest.mark.parametrize("never_loaded", [0, 1], ids=["the last", "one before the last"])
def test_an_older_versions_job_is_waited_for_before_a_newer_is_loaded(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery, never_loaded: int
) -> None:
    upload()
    load()
    old = next(iter(bigquery.store.jobs.values()))
    old.state, old.polls_left, old.output_rows = "RUNNING", 1, None
    bigquery.store.written.clear()
    for seed in range(never_loaded):
        upload(rows=205, seed=6 + seed)
    upload(rows=210, seed=5)

    done = only(load("--json"))

    assert bigquery.store.written == [old.id, done["job"]]
    assert bigquery.rows() == {"202101": 210}


def test_an_object_that_was_replaced_while_it_was_read_is_told(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    key, bucket = KEY.format(1), gcs.bucket()
    data = bucket.objects[key].data
    bigquery.store.when_read = lambda: bucket.insert(key, data, {"name": key}, None)

    done = load("-q")

    check_refused(done, 75, "was replaced while BigQuery read it", "Run again")


# Numbers that do not add up, places that do not fit


def test_a_wrong_number_of_rows_is_told(upload: Command, load: Command, bigquery: BigQuery) -> None:
    upload()
    bigquery.store.rows_lost = 1

    done = load("-q")

    check_refused(done, 5, "has 199 rows in partition 202101", "wrote 199", "manifest has 200")
    bigquery.store.rows_lost = 0
    assert only(load("--json"))["job"].endswith("-a2")


def test_a_partition_that_expires_as_soon_as_it_is_there_is_told(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    load()
    partitioning = bigquery.table("green_trips").partitioning
    assert partitioning is not None
    partitioning["expirationMs"] = str(60 * 24 * 3600 * 1000)

    done = load("--force", "-q")

    check_refused(done, 5, "wrote 200 rows", "202101", "expired", "partition_expiration_days")


def test_a_dataset_is_made_where_the_bucket_is(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.bucket().location = "europe-west6"

    assert only(load("--json"))["location"] == "europe-west6"
    assert bigquery.store.datasets["trips"].location == "europe-west6"
    assert bigquery.store.datasets["trips"].labels == {"made-by": "taxietl"}


def test_where_the_bucket_may_not_be_asked_the_profile_says_where(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.denied.add("storage.buckets.get")
    gcs.bucket().location = "EU"

    check_refused(load("-q"), 2, "may not ask where the bucket lake is", 'location = "EU"')
    assert bigquery.store.datasets == {}

    toml = Path("taxietl.toml")
    toml.write_text(toml.read_text().replace("dataset = ", "location = 'EU'\ndataset = "))
    assert only(load("--json"))["location"] == "EU"


def test_a_place_that_cannot_read_the_bucket_is_refused_before_anything_is_made(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.bucket().location = "us-central1"
    toml = Path("taxietl.toml")
    toml.write_text(toml.read_text().replace("dataset = ", "location = 'asia-east1'\ndataset = "))

    done = load("-q")

    check_refused(
        done, 5, "the bucket is in us-central1 and the dataset in asia-east1", "a bucket in"
    )
    assert bigquery.store.datasets == {}


def test_a_dataset_elsewhere_is_explained(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery
) -> None:
    upload()
    gcs.bucket().location = "us-central1"
    bigquery.store.make("trips", "EU", {})

    done = load("-q")

    check_refused(
        done, 5, "the bucket is in us-central1 and the dataset in EU", "Name another `dataset`"
    )


@pytest.mark.parametrize(
    ("bucket", "dataset"), [("EU", "US"), ("europe-west4", "EU"), ("asia-east1", "asia-east1")]
)
def test_places_that_fit_are_loaded(
    upload: Command, load: Command, gcs: Gcs, bigquery: BigQuery, bucket: str, dataset: str
) -> None:
    upload()
    gcs.bucket().location = bucket
    bigquery.store.make("trips", dataset, {})

    assert only(load("--json"))["location"] == dataset


# Who may do what


@pytest.mark.parametrize(
    ("denied", "words"),
    [
        ("bigquery.jobs.create", ("lacks bigquery.jobs.create", "roles/bigquery.jobUser")),
        ("bigquery.tables.create", ("lacks bigquery.tables.create", "roles/bigquery.dataEditor")),
        ("bigquery.datasets.create", ("lacks bigquery.datasets.create", "roles/bigquery.user")),
        ("storage.objects.get", ("lacks storage.objects.get", "roles/storage.objectViewer")),
    ],
)
def test_a_missing_right_is_named_with_the_role_that_has_it(
    upload: Command, load: Command, bigquery: BigQuery, denied: str, words: tuple[str, ...]
) -> None:
    upload()
    bigquery.denied.add(denied)

    check_refused(load("-q"), 5, *words)
    assert bigquery.store.written == []


def test_an_api_that_is_off_comes_with_the_line_that_switches_it_on(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.is_on = False

    check_refused(load("-q"), 5, "gcloud services enable bigquery.googleapis.com")


def test_a_project_that_is_not_there_is_told(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.store.project = "other"

    check_refused(load("-q"), 5, "Not found: Project p", "Check `project`")


def test_a_wrong_address_is_not_taken_for_a_missing_dataset(
    upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    toml = Path("taxietl.toml")
    toml.write_text(toml.read_text().replace(bigquery.url, f"{bigquery.url}/elsewhere"))

    check_refused(load("-q"), 5, "it is not there (HTTP 404)", "`endpoint`")
    assert load("--dry-run").code == 5


@pytest.fixture
def account(gcs: Gcs, bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A service account that both services know; its key is made here, and nobody's."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # With a key, google-auth asks Google by the way where it may be used: nobody is to hear it.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    gcs.token = bigquery.token = f"ya29.{PLANTED}"
    key = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": PLANTED,
        "private_key": pem.decode(),
        "client_email": "etl@p.iam.gserviceaccount.com",
        "token_uri": f"{gcs.url}/token",
    }
    Path("key.json").write_text(json.dumps(key))
    toml = Path("taxietl.toml")
    toml.write_text(
        toml.read_text().replace("anonymous = true", "service_account_file = 'key.json'")
    )
    return key


@pytest.mark.parametrize("flag", ["--json", "--debug", "-v"])
def test_key_and_token_are_told_nowhere(
    account: dict[str, str],
    upload: Command,
    load: Command,
    bigquery: BigQuery,
    home: Path,
    flag: str,
) -> None:
    upload()
    faults = [
        ("dataset.get", {"status": 401, "reason": "authError", "times": 3}),
        ("jobs.post", {"status": 403, "reason": "accessDenied", "message": "no"}),
        ("queries.post", {"status": 400, "message": "bad"}),
    ]
    done = []
    for kind, how in faults:
        bigquery.fail(kind, **how)
        done.append(load(flag))
    bigquery.store.job_errors.append(JobFailed("invalid", "bad"))
    done += [load("--force", flag), load(flag)]

    assert [each.code for each in done] == [5, 5, 5, 5, 0]
    texts = [text for each in done for text in (each.out, each.err)]
    texts += [path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file()]
    texts += [str(job.configuration) for job in bigquery.store.jobs.values()]
    told = "\n".join(texts)
    assert PLANTED not in told
    assert account["private_key"].splitlines()[3] not in told


def test_credentials_that_are_not_accepted_are_told(
    account: dict[str, str], upload: Command, load: Command, bigquery: BigQuery
) -> None:
    upload()
    bigquery.token = "another"

    check_refused(load("-q"), 5, "credentials are not accepted", "gcloud auth application-default")


def test_without_the_package_the_line_that_installs_it_is_told(
    upload: Command, home: Path, tmp_path: Path
) -> None:
    upload()
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'google.cloud.bigquery':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    month = (*(str(each) for each in MONTH), "--month", "1")
    for command in (("load-bq", *month), ("load-bq", *month, "--dry-run")):
        done = subprocess.run(
            [sys.executable, "-m", "taxietl", "--home", str(home), *command],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )

        check_refused(
            Done(done.returncode, done.stdout, done.stderr), 2, "google-cloud-bigquery",
            "pip install 'taxietl[bq]'",
        )  # fmt: skip


# Processes


@pytest.fixture
def start(home: Path, bigquery: BigQuery) -> Callable[..., subprocess.Popen[str]]:
    """Loads January, or other months, in a process of its own."""

    def run(*arguments: str, months: str = "1") -> subprocess.Popen[str]:
        month = [*(str(each) for each in MONTH), "--month", months, *arguments]
        return subprocess.Popen(
            [sys.executable, "-m", "taxietl", "--home", str(home), "load-bq", *month],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def wait_for(bigquery: BigQuery, kind: str, times: int = 1) -> None:
    """Until so many such requests came."""
    end = time.monotonic() + 30
    while bigquery.kinds().count(kind) < times:
        assert time.monotonic() < end, bigquery.kinds()
        time.sleep(0.01)


LONG = 40


def test_a_killed_process_leaves_one_job_which_the_next_run_takes_up(
    upload: Command,
    load: Command,
    bigquery: BigQuery,
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    upload()
    bigquery.store.polls = LONG
    process = start()
    wait_for(bigquery, "jobs.post")
    wait_for(bigquery, "job.get", 4)

    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    (job,) = bigquery.store.jobs.values()
    job.polls_left = 3
    done = only(load("--json"))

    assert (done["action"], done["job"]) == ("loaded", job.id)
    assert done["reason"] == f"job {job.id} is under way"
    assert inserted(bigquery) == 1
    assert bigquery.store.written == [job.id]


def test_ctrl_c_ends_the_run_and_says_that_the_job_goes_on(
    upload: Command,
    load: Command,
    bigquery: BigQuery,
    start: Callable[..., subprocess.Popen[str]],
    taxietl: Taxietl,
) -> None:
    upload()
    bigquery.store.polls = LONG
    process = start("-q")
    wait_for(bigquery, "job.get", 4)

    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert time.monotonic() - began < 10
    (job,) = bigquery.store.jobs.values()
    assert f"Load job {job.id}, if it had begun, goes on in BigQuery" in err
    assert job.state == "RUNNING"
    assert taxietl("runs", "ls", "--json").document["runs"][0]["state"] == "Cancelled"
    job.polls_left = 0
    assert only(load("--json"))["job"] == job.id
    assert inserted(bigquery) == 1


def test_the_jobs_of_several_months_are_under_way_at_once(
    upload: Command, bigquery: BigQuery, start: Callable[..., subprocess.Popen[str]]
) -> None:
    for month in range(1, 7):
        upload(month, rows=10 * month)
    bigquery.store.polls = 1_000_000

    process = start("--json", months="1-6")
    wait_for(bigquery, "jobs.post", 4)  # none of which is done
    bigquery.store.polls = 0
    for each in list(bigquery.store.jobs.values()):
        each.polls_left = 0
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert [each["rows"] for each in json.loads(out)["months"]] == [10, 20, 30, 40, 50, 60]
    assert len(bigquery.store.written) == 6


def test_two_processes_at_once_share_one_job(
    upload: Command, gcs: Gcs, bigquery: BigQuery, start: Callable[..., subprocess.Popen[str]]
) -> None:
    upload()
    bigquery.store.polls = LONG
    both = [start("--json"), start("--json")]
    wait_for(bigquery, "job.get", 8)
    for each in bigquery.store.jobs.values():
        each.polls_left = 4

    answers = [each.communicate(timeout=60) for each in both]

    assert [each.returncode for each in both] == [0, 0], answers
    jobs = {json.loads(out)["months"][0]["job"] for out, _ in answers}
    assert jobs == {f"taxietl-trips-green_trips-202101-g{generation(gcs)}-a1"}
    assert bigquery.store.written == list(jobs)
