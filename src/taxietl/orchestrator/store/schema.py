"""The history's tables, as the steps that made them what they are.

A new file takes all steps, an older one those it lacks, in one transaction. A step that was once
released is never changed: files that took it are out there.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

OPEN = "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING')"
"""Of runs that have not ended, as the index `open_runs` has it."""

FIRST = """
CREATE TABLE runs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL,
    parent_id TEXT, parent_task_run_id TEXT, root_id TEXT NOT NULL, parameters TEXT NOT NULL,
    state TEXT NOT NULL, state_type TEXT NOT NULL, message TEXT NOT NULL, state_at TEXT NOT NULL,
    created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT,
    host TEXT NOT NULL, pid INTEGER NOT NULL, process_start TEXT, version TEXT NOT NULL
);
CREATE INDEX runs_by_root ON runs (root_id);
CREATE INDEX runs_by_parent ON runs (parent_id);
CREATE INDEX runs_by_time ON runs (created_at);
CREATE INDEX open_runs ON runs (root_id)
    WHERE state_type IN ('SCHEDULED', 'PENDING', 'RUNNING');
CREATE TABLE task_runs (
    id TEXT PRIMARY KEY, run_id TEXT NOT NULL, task TEXT NOT NULL, name TEXT NOT NULL,
    ordinal INTEGER NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL, tags TEXT NOT NULL,
    child_run_id TEXT,
    state TEXT NOT NULL, state_type TEXT NOT NULL, message TEXT NOT NULL, state_at TEXT NOT NULL,
    attempts INTEGER NOT NULL, cache_key TEXT, arguments TEXT, result TEXT, stored TEXT,
    counts TEXT, created_at TEXT NOT NULL, started_at TEXT, ended_at TEXT
);
CREATE INDEX task_runs_by_run ON task_runs (run_id);
CREATE TABLE states (
    run_id TEXT NOT NULL, task_run_id TEXT, name TEXT NOT NULL, type TEXT NOT NULL,
    message TEXT NOT NULL, at TEXT NOT NULL, attempt INTEGER, scheduled_for TEXT
);
CREATE INDEX states_by_run ON states (run_id);
CREATE TABLE logs (
    run_id TEXT NOT NULL, task_run_id TEXT, at TEXT NOT NULL, level TEXT NOT NULL,
    logger TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX logs_by_run ON logs (run_id);
CREATE TABLE cache (
    key TEXT PRIMARY KEY, task TEXT NOT NULL, version TEXT NOT NULL, arguments TEXT,
    result TEXT NOT NULL, files TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT,
    last_used_at TEXT NOT NULL, run_id TEXT NOT NULL
);
"""

# What a run needs to be taken up again, how big a cached result is, and when the history was
# last tidied. A run is resumed by one other at most: hence the unique index.
# `replay` holds the parameters so that they can be read again, `no_replay` why it does not.
# `digest` tells arguments apart that `arguments` does not show in full; '' where nothing can.
RESUME_AND_RETENTION = """
ALTER TABLE runs ADD COLUMN resumed_from TEXT;
ALTER TABLE runs ADD COLUMN entry TEXT;
ALTER TABLE runs ADD COLUMN replay TEXT;
ALTER TABLE runs ADD COLUMN no_replay TEXT;
CREATE UNIQUE INDEX runs_by_resumed ON runs (resumed_from) WHERE resumed_from IS NOT NULL;
ALTER TABLE task_runs ADD COLUMN digest TEXT;
ALTER TABLE task_runs ADD COLUMN files TEXT;
ALTER TABLE cache ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE cache SET bytes = length(CAST(result AS BLOB)) +
    (SELECT COALESCE(SUM(json_extract(value, '$.size')), 0) FROM json_each(cache.files));
CREATE INDEX cache_by_use ON cache (last_used_at, bytes);
CREATE INDEX cache_by_task ON cache (task);
CREATE TABLE chores (name TEXT PRIMARY KEY, done_at TEXT NOT NULL);
"""

# Where the function of a kept result lies, and the types of its arguments: to tell why a call
# was not the same. Older entries have keys that no call asks for any more.
PLACES_AND_TYPES = """
ALTER TABLE cache ADD COLUMN place TEXT;
ALTER TABLE cache ADD COLUMN types TEXT;
"""

# What became of one task run, or of the same call in an earlier run, is found without reading
# those of all others. `base` is the name that a run was to have where others had it before:
# `month-2` is a `month`, if that was its name.
STORIES_AND_NAMES = """
CREATE INDEX states_by_task_run ON states (run_id, task_run_id);
DROP INDEX states_by_run;
CREATE INDEX task_runs_by_call ON task_runs (run_id, task, ordinal);
DROP INDEX task_runs_by_run;
ALTER TABLE runs ADD COLUMN base TEXT;
CREATE INDEX runs_by_base ON runs (base) WHERE base IS NOT NULL;
UPDATE runs SET base = substr(rtrim(name, '0123456789'), 1, length(rtrim(name, '0123456789')) - 1)
    WHERE rtrim(name, '0123456789') <> name AND rtrim(name, '0123456789') LIKE '%-'
    AND EXISTS (SELECT 1 FROM runs AS first WHERE first.flow = runs.flow AND first.name =
    substr(rtrim(runs.name, '0123456789'), 1, length(rtrim(runs.name, '0123456789')) - 1));
"""

# Where a result comes from that was not made, and why one was made, as data: before, both stood
# in messages only.
REUSE = """
ALTER TABLE task_runs ADD COLUMN miss TEXT;
ALTER TABLE task_runs ADD COLUMN reused_from TEXT;
UPDATE task_runs SET miss = (SELECT substr(message, 13, length(message) - 13) FROM states
    WHERE states.run_id = task_runs.run_id AND states.task_run_id = task_runs.id
    AND message LIKE 'Cache miss: %' LIMIT 1) WHERE cache_key IS NOT NULL;
UPDATE task_runs SET reused_from = COALESCE((SELECT runs.id FROM runs
    WHERE runs.name = substr(task_runs.message, 19, length(task_runs.message) - 20)), '')
    WHERE state = 'Cached' AND message <> '';
"""

# What happened in a run that somebody may want to be told of, by name.
EVENTS = """
CREATE TABLE events (
    run_id TEXT NOT NULL, task_run_id TEXT, at TEXT NOT NULL, name TEXT NOT NULL,
    message TEXT NOT NULL, details TEXT NOT NULL
);
CREATE INDEX events_by_run ON events (run_id);
"""

# What a run or task run is to be seen by: texts, tables, links and pictures.
ATTACHMENTS = """
CREATE TABLE attachments (
    run_id TEXT NOT NULL, task_run_id TEXT, at TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, description TEXT NOT NULL, content TEXT NOT NULL
);
CREATE INDEX attachments_by_run ON attachments (run_id);
"""

# Top-level runs whose process had died, until somebody was told of it.
FOUND_DEAD = "CREATE TABLE found_dead (run_id TEXT NOT NULL)"

# Of a hundred thousand runs, the last ones in a state or of a flow are found without reading all.
RUNS_BY_STATE_AND_FLOW = """
CREATE INDEX runs_by_state ON runs (state);
CREATE INDEX runs_by_flow ON runs (flow);
"""

# How far a run or task run is, or was when it last said so; one row each.
PROGRESS = """
CREATE TABLE progress (
    run_id TEXT NOT NULL, task_run_id TEXT, at TEXT NOT NULL, done REAL NOT NULL, total REAL,
    unit TEXT NOT NULL, began_at TEXT NOT NULL, done_before REAL NOT NULL
);
CREATE INDEX progress_by_run ON progress (run_id);
"""

# How often a cached result was used is counted without reading all task runs.
HITS = """
CREATE INDEX task_runs_by_cache_key ON task_runs (cache_key) WHERE cache_key IS NOT NULL
"""

STEPS = (
    *(FIRST, RESUME_AND_RETENTION, PLACES_AND_TYPES, STORIES_AND_NAMES),
    *(REUSE, EVENTS, ATTACHMENTS, FOUND_DEAD, RUNS_BY_STATE_AND_FLOW),
    PROGRESS,
    HITS,
)


def version_of(connection: sqlite3.Connection) -> int:
    """How many steps the file has taken; a later taxietl knows more of them."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def bring_up(connection: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Take those of the steps that the file lacks, all or none.

    Call it where no other process does the same: switching to WAL does not wait its turn.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in steps[version_of(connection) :]:
            for statement in step.split(";\n"):
                connection.execute(statement)
        # A newer file has taken steps that are not known here: it is not ours to turn back.
        if version_of(connection) < len(steps):
            connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
