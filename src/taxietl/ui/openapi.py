"""The API in OpenAPI's words: every path, what may be asked, and what is answered."""

from __future__ import annotations

from typing import Any

import taxietl
from taxietl.orchestrator import StateName
from taxietl.orchestrator.query.run_story import LEVELS
from taxietl.tlc.datasets import DATASETS

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}


def description() -> Schema:
    """The whole of it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "taxietl",
            "version": taxietl.__version__,
            "description": "What `taxietl` has run, read-only. Send the token of the dashboard.",
        },
        "security": [{"token": []}],
        "paths": {
            "/api/runs": _path("Runs, newest first", "RunPage", _RUNS),
            "/api/runs/{name}": _path("A run with all below it", "RunTree", _in_path("name")),
            "/api/runs/{id}/logs": _path("Log lines", "LinePage", [*_in_path("id"), *_LINES]),
            "/api/limits": _path("Slots of limited tags", "Limits"),
            "/api/cache": _path("What the cache keeps", "Cache"),
            "/api/schedules": _path("Schedules", "Schedules"),
            "/api/profiles": _path("Profiles, without secrets", "Profiles"),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


def _path(summary: str, schema: str, parameters: list[Schema] | None = None) -> Schema:
    def content(name: str) -> Schema:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    refusals = {"400": "It means nothing", "401": "The token is missing or wrong"}
    if any(each["in"] == "path" for each in parameters or ()):
        refusals["404"] = "There is no such run"
    return {
        "get": {
            "summary": summary,
            "parameters": parameters or [],
            "responses": {
                "200": {"description": summary, "content": content(schema)},
                **{
                    status: {"description": says, "content": content("Error")}
                    for status, says in refusals.items()
                },
            },
        }
    }


def _in_query(name: str, says: str, schema: Schema = TEXT) -> Schema:
    return {"name": name, "in": "query", "description": says, "schema": schema}


def _in_path(name: str) -> list[Schema]:
    return [{"name": name, "in": "path", "required": True, "schema": TEXT}]


_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": 500}
_RUNS = [
    _in_query("state", "In this state", {"enum": [each.value for each in StateName]}),
    _in_query("flow", "Of this flow"),
    _in_query("color", "Of months of this colour", {"enum": list(DATASETS)}),
    _in_query("month", "Of this month, 2021-01, or year, 2021"),
    _in_query(
        "since", "Began on this day in New York, or later", {"type": "string", "format": "date"}
    ),
    _in_query("until", "Began on this day or before", DAY),
    _in_query("text", "With this in the name, or in the message of one that did not complete"),
    _in_query("top", "Any text: without child runs"),
    _in_query("after", "After the run of this id: older ones"),
    _in_query("before", "Before the run of this id: newer ones"),
    _in_query("limit", "At most so many", _LIMIT),
]
_LINES = [
    _in_query("level", "Of this level or worse", {"enum": list(LEVELS)}),
    _in_query("task", "Of the task run or child run of this id"),
    _in_query("after", "After this line: later ones", COUNT),
    _in_query("before", "Before this line: earlier ones", COUNT),
    _in_query("limit", "At most so many", _LIMIT),
]


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(**properties: Schema) -> Schema:
    """An object with just these properties, all of them there."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_REFERENCE = _object(id=TEXT, name=TEXT)
_RUN: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "flow": TEXT,
    "parent_id": _or_null(TEXT),
    "resumed_from": _or_null(TEXT),
    "resumed_by": _or_null(TEXT),
    "state": TEXT,
    "message": TEXT,
    "parameters": {"type": "object"},
    "created_at": TIME,
    "started_at": _or_null(TIME),
    "ended_at": _or_null(TIME),
    "host": TEXT,
    "pid": {"type": "integer"},
    "taxietl_version": TEXT,
}
_STATE = _object(
    name=TEXT,
    type=TEXT,
    message=TEXT,
    at=TIME,
    attempt=_or_null(COUNT),
    scheduled_for=_or_null(TIME),
)
_EVENT = _object(
    name=TEXT, message=TEXT, details={"type": "object"}, at=TIME, task_run_id=_or_null(TEXT)
)
_PROGRESS = _object(
    done=NUMBER,
    total=_or_null(NUMBER),
    unit=TEXT,
    per_second=_or_null(NUMBER),
    seconds_left=_or_null(NUMBER),
    at=TIME,
)
_TASK_RUN = _object(
    name=TEXT,
    task=TEXT,
    kind={"enum": ["task", "stream", "subflow"]},
    state=TEXT,
    message=TEXT,
    attempts=COUNT,
    started_at=_or_null(TIME),
    ended_at=_or_null(TIME),
    next_attempt_at=_or_null(TIME),
    counts={"type": "object"},
    progress=_or_null(_PROGRESS),
    states=_list(_STATE),
    child_run=_or_null(_ref("RunTree")),
)
_TICKET = _object(run=_REFERENCE, task=TEXT, host=TEXT, pid={"type": "integer"}, since=TIME)
_LINE = _object(
    number=COUNT,
    run_id=TEXT,
    task_run_id=_or_null(TEXT),
    at=TIME,
    level=TEXT,
    logger=TEXT,
    message=TEXT,
)
_OUTCOME = _object(
    result=TEXT, started_at=TIME, ended_at=_or_null(TIME), exit_code=_or_null({"type": "integer"})
)
_SCHEDULE = _object(
    name=TEXT,
    when=TEXT,
    by=TEXT,
    command=_list(TEXT),
    next_at=_or_null(TIME),
    last=_or_null(_OUTCOME),
)
_SCHEMAS: dict[str, Schema] = {
    "Run": _object(**_RUN),
    "RunPage": _object(runs=_list(_ref("Run")), newer=_or_null(TEXT), older=_or_null(TEXT)),
    "RunTree": _object(
        **_RUN,
        states=_list(_STATE),
        events=_list(_EVENT),
        attachments=_list({"type": "object"}),
        task_runs=_list(_TASK_RUN),
    ),
    "LinePage": _object(
        run=_REFERENCE,
        logs=_list(_LINE),
        total=COUNT,
        earlier=_or_null(COUNT),
        later=_or_null(COUNT),
    ),
    "Limits": _object(
        limits=_list(
            _object(
                tag=TEXT,
                limit=_or_null(COUNT),
                held=COUNT,
                holders=_list(_TICKET),
                waiters=_list(_TICKET),
            )
        )
    ),
    "Cache": _object(results=COUNT, bytes=COUNT, max_bytes=_or_null(COUNT)),
    "Schedules": _object(schedules=_list(_SCHEDULE)),
    "Profiles": _object(
        profiles=_list(_object(name=TEXT, type=TEXT, origin=TEXT, values={"type": "object"}))
    ),
    "Error": _object(error=_object(message=TEXT, hint=TEXT)),
}
