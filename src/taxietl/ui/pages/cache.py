"""`/cache`: what is kept between runs, and how much that takes."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from taxietl.orchestrator.query.browsing import hits_of
from taxietl.orchestrator.store.cache import CacheRow, size_of
from taxietl.orchestrator.store.cache_store import CacheStore
from taxietl.ui.dashboard import Dashboard

SHOWN = 100


@dataclass(frozen=True)
class Entry:
    """A kept result, and the bytes that it takes."""

    row: CacheRow
    bytes: int
    hits: int
    """Task runs in the history that used it."""


def cache(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    most = dashboard.read_settings().cache.max_size
    store = CacheStore(dashboard.history, max_bytes=most)
    rows, files = store.entries(), store.other_files()
    usage = store.usage(rows, files)
    shown = rows[:SHOWN]
    hits = hits_of(dashboard.history, [each.key for each in shown])
    return dashboard.page(
        request,
        "cache.html",
        title="Cache",
        entries=[
            Entry(each, size_of(each.result, each.files, store.folder), hits.get(each.key, 0))
            for each in shown
        ],
        files=files[:SHOWN],
        folder=store.folder,
        usage=usage,
        most=most,
        left_out=len(rows) - len(shown) + max(0, len(files) - SHOWN),
    )
