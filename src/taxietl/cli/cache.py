"""`taxietl cache`: what is kept between runs, why it was used or not, and making room."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from taxietl.cli.commands import Commands
from taxietl.cli.options import DryRunOption
from taxietl.cli.output import Output
from taxietl.cli.session import open_settings
from taxietl.cli.state_colors import marked
from taxietl.cli.tables import table
from taxietl.errors import ConfigError

if TYPE_CHECKING:
    from taxietl.config import Settings
    from taxietl.orchestrator.query.cache_why import Explanation
    from taxietl.orchestrator.store.cache import CacheRow
    from taxietl.orchestrator.store.cache_store import CacheStore


def register(app: Commands) -> None:
    """Add the command group."""
    group = Commands(name="cache", help="Cached results of tasks.")
    group.add(ls)
    group.add(why)
    group.add(rm)
    group.add(gc)
    app.add_typer(group)


def ls(
    out: Output,
    task: Annotated[str | None, typer.Option(help="Only results of this task.")] = None,
) -> None:
    """List cached results, most recently used first, and downloads that none of them names."""
    settings = open_settings()
    with _store(settings) as store:
        found = store.entries(task)
        rows = [_entry(store, each) for each in found]
        files = store.other_files() if task is None else []
        total = store.usage(found, files)
        folder = store.folder
    headings = ["task", "key", "size", "created", "last used", "expires", "run"]
    shown = [
        {
            "task": row["task"],
            "key": _short(row["key"]),
            "size": row["bytes"],
            "created": _clock(row["created_at"]),
            "last used": _clock(row["last_used_at"]),
            "expires": _clock(row["expires_at"]) if row["expires_at"] else "never",
            "run": row["run_name"] or "(forgotten)",
        }
        for row in rows
    ]
    shown += [
        {
            "task": "(file)",
            "key": each.path.relative_to(folder).as_posix(),
            "size": each.bytes,
            "created": _clock(each.modified_at),
        }
        for each in files
    ]
    most = settings.cache.max_size
    document = {
        "entries": rows,
        "files": [vars(each) for each in files],
        "total_bytes": total.bytes,
        "max_bytes": most,
    }
    others = f" and {total.files:,} files besides" if files else ""
    says = f"{total.entries:,} results{others}, {total.bytes:,} bytes of at most {most:,}"
    out.result(document, f"{table(headings, shown)}{says}")


def why(
    out: Output,
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN/TASK_OR_TASK", help="A task run, all/extract-0, or a task, extract."
        ),
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="An argument of the call, or a part of one: a.b=value; repeats.",
        ),
    ] = None,
) -> None:
    """Explain why a task run was a cache hit or a miss, or whether a call would be a hit now."""
    from taxietl.orchestrator.query import cache_why

    run_name, slash, name = what.rpartition("/")
    if slash and parameter:
        raise ConfigError(
            f"-p is for a task, and {what!r} is a task run.", hint=f"Leave out {run_name}/."
        )
    with _store(open_settings()) as store:
        if slash:
            call, record, then = cache_why.call_of(store.history, run_name, name)
            was: dict[str, Any] | None = {"state": record.state.name, "reason": then}
        else:
            call, was = cache_why.CachedCall(name, _arguments(parameter or [])), None
        found = cache_why.explain(call, store.entries(call.task), datetime.now(UTC))
        document = _explained(store, found) | {"then": was, "key": call.key}
    out.result(document, "\n".join(_explained_lines(found, was)))


def rm(
    out: Output,
    name: Annotated[
        list[str] | None,
        typer.Argument(metavar="TASK_OR_KEY", help="A task, a key, or the beginning of a key."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all of them.")] = False,
) -> int:
    """Remove cached results and their files, except those in use."""
    if bool(name) == everything:
        raise ConfigError(
            "Nothing was named to remove."
            if not everything
            else "Names and --all cannot be combined.",
            hint="Run taxietl cache rm TASK_OR_KEY…, or taxietl cache rm --all.",
        )
    with _store(open_settings()) as store:
        removed, left = store.remove(name or [], everything=everything)
    code = 75 if left else 0
    lines = [f"{removed:,} removed"]
    lines += [f"left, since a run in progress uses it: {key}" for key in left]
    out.result({"removed": removed, "in_use": left, "exit_code": code}, "\n".join(lines))
    return code


def gc(
    out: Output,
    dry_run: DryRunOption = False,
) -> None:
    """Remove expired and broken results, then the least recently used, down to the size limit."""
    settings = open_settings()
    with _store(settings) as store:
        removed = store.collect(datetime.now(UTC), dry_run=dry_run)
        total = store.usage()
    freed = sum(each.bytes for each in removed)
    kept = total.bytes - freed if dry_run else total.bytes
    document = {
        "dry_run": dry_run,
        "removed": [vars(each) for each in removed],
        "freed_bytes": freed,
        "total_bytes": kept,
        "max_bytes": settings.cache.max_size,
    }
    lines = [f"{_short(each.what)}  {each.bytes:,} bytes: {each.why}" for each in removed]
    verb, are = ("would be removed", "would be") if dry_run else ("removed", "are")
    lines.append(f"{len(removed):,} {verb}, {freed:,} bytes; {kept:,} bytes {are} kept")
    out.result(document, "\n".join(lines))


@contextmanager
def _store(settings: Settings) -> Iterator[CacheStore]:
    from taxietl.orchestrator import History
    from taxietl.orchestrator.store.cache_store import CacheStore

    with History.opened(settings.home) as history:
        yield CacheStore(history, max_bytes=settings.cache.max_size)


def _arguments(given: list[str]) -> dict[str, Any]:
    """`name=value` texts; values are JSON where they can be read as such."""
    values: dict[str, Any] = {}
    for each in given:
        name, equals, text = each.partition("=")
        if not equals:
            raise ConfigError(f"-p {each!r} has no value.", hint="Write -p name=value.")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _entry(store: CacheStore, entry: CacheRow) -> dict[str, Any]:
    from taxietl.orchestrator.store.cache import size_of

    return {
        "task": entry.task,
        "function": entry.place,
        "version": entry.version,
        "key": entry.key,
        "arguments": entry.arguments,
        "bytes": size_of(entry.result, entry.files, store.folder),
        "files": [each.path for each in entry.files],
        "created_at": entry.created_at,
        "last_used_at": entry.last_used_at,
        "expires_at": entry.expires_at,
        "run_id": entry.run_id,
        "run_name": entry.run_name,
    }


def _explained(store: CacheStore, found: Explanation) -> dict[str, Any]:
    return {
        "task": found.task,
        "now": "hit" if found.is_hit else "miss",
        "reason": found.reason,
        "nearest": _entry(store, found.nearest) if found.nearest else None,
        "fields": [
            {"name": each.name, "asked": each.asked, "kept": each.kept, "same": each.is_same}
            for each in found.fields
        ],
    }


def _explained_lines(found: Explanation, was: dict[str, Any] | None) -> Iterator[str]:
    if was:
        yield f"then: {marked(was['state'])}. {was['reason']}".rstrip()
    yield f"now:  {'hit' if found.is_hit else 'miss'}: {found.reason}"
    entry = found.nearest
    if entry is None:
        return
    yield f"nearest: {_short(entry.key)}, made {_clock(entry.created_at)} by run " + (
        entry.run_name or "(forgotten)"
    )
    width = max(len(each.name) for each in found.fields)
    for each in found.fields:
        differs = "same" if each.is_same else "DIFFERS"
        says = f"{each.kept}" if each.is_same else f"kept {each.kept}, asked {each.asked}"
        yield f"  {each.name:<{width}}  {differs:<7}  {says}"


def _short(key: str) -> str:
    """A key whose digest is cut: enough to name it by."""
    start, slash, digest = key.rpartition("/")
    is_digest = len(digest) == 64 and all(each in "0123456789abcdef" for each in digest)
    return f"{start}{slash}{digest[:12]}" if is_digest else key


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
