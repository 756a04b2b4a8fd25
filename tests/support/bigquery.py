"""A BigQuery of a test's own: real HTTP on loopback, strict, and faulty on order.

It speaks the part of the REST API that the real client uses here, reads the objects of the Cloud
Storage beside it, and refuses fields that the API does not have.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bigquery_store import Job, Refused, Store, Table, known_keys
from gcs import Gcs
from loopback import Handler, Service

_BASE = re.compile(r"/bigquery/v2/projects/([^/]+)/(.+)")
_COUNT = re.compile(
    r"SELECT COUNT\(\*\) FROM `([^.`]+)\.(\w+)\.(\w+)` "
    r"WHERE (\w+) >= DATE '([\d-]+)' AND (\w+) < DATE '([\d-]+)'"
)
_KINDS = (
    ("datasets", re.compile(r"datasets")),
    ("dataset", re.compile(r"datasets/(\w+)")),
    ("table", re.compile(r"datasets/(\w+)/tables/([\w$]+)")),
    ("jobs", re.compile(r"jobs")),
    ("job", re.compile(r"jobs/([^/]+)")),
    ("queries", re.compile(r"queries")),
    ("results", re.compile(r"queries/([^/]+)")),
)
_PARAMETERS = {
    "dataset.get": {"datasetView"},
    "job.get": {"location", "projection"},
    "results.get": {
        *("location", "maxResults", "timeoutMs", "pageToken", "startIndex"),
        "formatOptions.useInt64Timestamp",
    },
}
_QUERY_KEYS = {
    *("query", "location", "useLegacySql", "useQueryCache", "timeoutMs", "requestId", "labels"),
    *("formatOptions", "maxResults", "dryRun", "jobCreationMode"),
}


class BigQuery(Service):
    """The service, with one project."""

    def __init__(self, gcs: Gcs, project: str = "p") -> None:
        super().__init__()
        self.store = Store(gcs, project)
        self.denied = self.store.denied
        self.is_on = True
        """Whether the API is switched on in the project."""

        self.slow_queries = 0
        """How many of the next queries are not done when they are answered."""

        self.queries: dict[str, int] = {}

    def handler(self) -> type[Handler]:
        """What answers."""
        return _Handler

    def table(self, name: str, dataset: str = "trips") -> Table:
        """A table that is there."""
        return self.store.datasets[dataset].tables[name]

    def rows(self, name: str = "green_trips") -> dict[str, int]:
        """The rows of each partition."""
        table = self.table(name)
        return {each: table.rows(each) for each in sorted(table.partitions)}

    def states(self) -> dict[str, str]:
        """What has become of each job, by its name."""
        return {
            job.id: job.error.reason if job.error else job.state for job in self.store.jobs.values()
        }


class _Handler(Handler):
    @property
    def service(self) -> BigQuery:
        assert isinstance(self.server.service, BigQuery)
        return self.server.service

    @property
    def store(self) -> Store:
        return self.service.store

    def kind(self, path: str) -> tuple[str, tuple[str, ...]]:
        """What is asked for, and of what."""
        if path == "/token":
            return "token", ()
        base = _BASE.fullmatch(path)
        for name, pattern in _KINDS:
            if base and (match := pattern.fullmatch(base[2])):
                return f"{name}.{self.command.lower()}", (base[1], *match.groups())
        return "nothing", ()

    def before(self, kind: str, arguments: tuple[str, ...]) -> None:
        """Who is let in, and what no request may have."""
        super().before(kind, arguments)
        if kind in ("token", "nothing"):
            return
        known_keys("query", self.query, {"prettyPrint", *_PARAMETERS.get(kind, set())})
        project = arguments[0] if arguments else ""
        if project != self.store.project:
            raise Refused(404, f"Not found: Project {project}", "notFound")
        if not self.service.is_on:
            raise Refused(
                403,
                "BigQuery API has not been used in project 12 before or it is disabled. Enable it "
                "by visiting https://console.developers.google.com/apis/api/bigquery/ then retry.",
                "accessNotConfigured",
            )

    def _nothing(self) -> None:
        """What any server answers at an address that it does not know."""
        self._body()
        self._send(404, {"Content-Type": "text/html"}, b"<html>Not Found</html>")

    def _dataset_get(self, project: str, name: str) -> None:
        self.store.demand("bigquery.datasets.get", f"Dataset {project}:{name}")
        found = self.store.dataset(name)
        reference = {"projectId": project, "datasetId": name}
        self._answer(
            200,
            {
                "kind": "bigquery#dataset",
                "datasetReference": reference,
                "location": found.location,
                "labels": found.labels,
            },
        )

    def _datasets_post(self, project: str) -> None:
        asked = self._json()
        known_keys(
            "dataset", asked, {"datasetReference", "location", "labels", "description", "access"}
        )
        self.store.demand("bigquery.datasets.create", f"Project {project}")
        name = asked["datasetReference"]["datasetId"]
        self.store.make(name, asked.get("location", "US"), asked.get("labels", {}))
        self._answer(200, asked)

    def _table_get(self, project: str, dataset: str, name: str) -> None:
        self.store.demand("bigquery.tables.get", f"Table {project}:{dataset}.{name}")
        table = self.store.dataset(dataset).tables.get(name)
        if table is None:
            raise Refused(404, f"Not found: Table {project}:{dataset}.{name}", "notFound")
        described: dict[str, Any] = {
            "kind": "bigquery#table",
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": name},
            "schema": {"fields": table.schema},
            "numRows": str(sum(each.num_rows for each in table.partitions.values())),
            "type": "TABLE",
        }
        if table.partitioning:
            described["timePartitioning"] = table.partitioning
        if table.clustering:
            described["clustering"] = table.clustering
        self._answer(200, described)

    def _jobs_post(self, project: str) -> None:
        asked = self._json()
        known_keys("job", asked, {"jobReference", "configuration"})
        configuration, reference = asked["configuration"], asked["jobReference"]
        self.store.demand("bigquery.jobs.create", f"Project {project}")
        if "query" in configuration:
            if not configuration.get("dryRun"):
                raise Refused(400, "This stand-in runs no queries by jobs.insert.")
            self._answer(
                200,
                {**asked, "status": {"state": "DONE"}, "statistics": {"totalBytesProcessed": "0"}},
            )
        location = reference.get("location") or "US"
        self._job(self.store.insert(reference["jobId"], location, configuration))

    def _job_get(self, project: str, job_id: str) -> None:
        if job_id in self.service.queries:
            self._answer(200, self._query_job(project, job_id, "DONE"))
        self._job(self.store.asked(job_id, self.query.get("location")))

    def _job(self, job: Job) -> None:
        status: dict[str, Any] = {"state": job.state}
        statistics: dict[str, Any] = {"creationTime": "1700000000000"}
        if job.error:
            error = {"reason": job.error.reason, "message": job.error.message}
            status |= {"errorResult": error, "errors": [error]}
        if job.output_rows is not None:
            statistics["load"] = {"outputRows": str(job.output_rows), "inputFiles": "1"}
        self._answer(
            200,
            {
                "kind": "bigquery#job",
                "jobReference": {
                    "projectId": self.store.project, "jobId": job.id, "location": job.location,
                },
                "configuration": {**job.configuration, "jobType": "LOAD"},
                "status": status,
                "statistics": statistics,
            },
        )  # fmt: skip

    def _queries_post(self, project: str) -> None:
        asked = self._json()
        known_keys("queryRequest", asked, _QUERY_KEYS)
        self.store.demand("bigquery.jobs.create", f"Project {project}")
        match = _COUNT.fullmatch(asked["query"])
        if asked.get("useLegacySql", True) or match is None or match[4] != match[6]:
            raise Refused(400, f"Syntax error: {asked['query']}", "invalidQuery")
        dataset = self.store.dataset(match[2])
        if asked.get("location") != dataset.location:
            raise Refused(
                404, f"Not found: Dataset {project}:{match[2]} was not found in location "
                f"{asked.get('location')}", "notFound",
            )  # fmt: skip
        self.store.demand("bigquery.tables.getData", f"Table {project}:{match[2]}.{match[3]}")
        count = self.store.count(match[2], match[3], match[4], match[5], match[7])
        job_id = f"query-{len(self.service.queries)}"
        self.service.queries[job_id] = count
        is_done = self.service.slow_queries == 0
        self.service.slow_queries -= not is_done
        self._answer(200, self._results(project, job_id, is_done=is_done))

    def _results_get(self, project: str, job_id: str) -> None:
        self._answer(200, self._results(project, job_id, is_done=True))

    def _results(self, project: str, job_id: str, *, is_done: bool) -> dict[str, Any]:
        reference = {"projectId": project, "jobId": job_id, "location": "US"}
        answer: dict[str, Any] = {
            "kind": "bigquery#queryResponse", "jobReference": reference, "jobComplete": is_done,
        }  # fmt: skip
        if is_done:
            rows = [{"f": [{"v": str(self.service.queries[job_id])}]}]
            fields = [{"name": "f0_", "type": "INTEGER", "mode": "NULLABLE"}]
            answer |= {"schema": {"fields": fields}, "rows": rows, "totalRows": "1"}
        return answer

    def _query_job(self, project: str, job_id: str, state: str) -> dict[str, Any]:
        return {
            "kind": "bigquery#job",
            "jobReference": {"projectId": project, "jobId": job_id, "location": "US"},
            "configuration": {"jobType": "QUERY", "query": {"destinationTable": {
                "projectId": project, "datasetId": "_anonymous", "tableId": "anon"}}},
            "status": {"state": state},
            "statistics": {"query": {"statementType": "SELECT"}},
        }  # fmt: skip

    def _json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._body())
        return document
