"""`/metrics`: figures of the home for Prometheus, read off the history when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

import taxietl
from taxietl.orchestrator.query.browsing import count_by_state
from taxietl.orchestrator.query.figures import figures_of_flows, kept_results
from taxietl.orchestrator.query.standings import standings
from taxietl.schedule.definition import names
from taxietl.schedule.execution import last_outcome
from taxietl.ui.dashboard import Dashboard


def metrics(dashboard: Dashboard, _request: Request) -> Response:
    """All figures, as they are now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(dashboard))
    return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})


class _Figures(Collector):
    """What is collected at each look."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("taxietl", "This taxietl.", {"version": taxietl.__version__})
        yield from self._runs()
        yield from self._flows()
        yield from self._limits()
        yield from self._schedules()

    def _runs(self) -> Iterator[Metric]:
        history = self._dashboard.history
        runs = _gauge("runs", "Runs in the history, child runs among them, by state.", "state")
        for state, count in count_by_state(history).items():
            runs.add_metric([state], count)
        yield runs
        running = len(history.open_roots())
        yield GaugeMetricFamily("taxietl_runs_in_progress", "Top-level runs now.", running)
        results, size = kept_results(history)
        yield GaugeMetricFamily("taxietl_cache_results", "Results that the cache keeps.", results)
        yield GaugeMetricFamily("taxietl_cache_bytes", "What those and their files take.", size)

    def _flows(self) -> Iterator[Metric]:
        began = _gauge("flow_last_run_timestamp_seconds", "When its last run began.", "flow")
        took = _gauge("flow_last_run_seconds", "How long its last run took, if it ended.", "flow")
        failed = _gauge("flow_last_run_failed", "1 if its last run failed or crashed.", "flow")
        succeeded = _gauge("flow_last_success_timestamp_seconds", "When one completed.", "flow")
        for each in figures_of_flows(self._dashboard.history):
            last = each.last
            began.add_metric([each.flow], last.created_at.timestamp())
            is_bad = last.state.is_failed() or last.state.is_crashed()
            failed.add_metric([each.flow], int(is_bad))
            if last.ended_at and last.started_at:
                took.add_metric([each.flow], (last.ended_at - last.started_at).total_seconds())
            if each.succeeded_at:
                succeeded.add_metric([each.flow], each.succeeded_at.timestamp())
        yield from (began, took, failed, succeeded)

    def _limits(self) -> Iterator[Metric]:
        slots = _gauge("limit_slots", "How many tasks with that tag may run at a time.", "tag")
        held = _gauge("limit_held", "How many do.", "tag")
        waiting = _gauge("limit_waiting", "How many wait.", "tag")
        limits = self._dashboard.read_settings().limits
        for each in standings(self._dashboard.home, limits):
            if each.limit is not None:
                slots.add_metric([each.tag], each.limit)
            held.add_metric([each.tag], len(each.holders))
            waiting.add_metric([each.tag], len(each.waiters))
        yield from (slots, held, waiting)

    def _schedules(self) -> Iterator[Metric]:
        home = self._dashboard.home
        began = _gauge("schedule_last_run_timestamp_seconds", "When it last began.", "schedule")
        succeeded = _gauge(
            "schedule_last_success_timestamp_seconds", "When all was done.", "schedule"
        )
        code = _gauge("schedule_last_exit_code", "With what its last run ended.", "schedule")
        for name in names(home):
            last = last_outcome(home, name)
            if last is None:
                continue
            began.add_metric([name], last.started_at.timestamp())
            if last.succeeded_at:
                succeeded.add_metric([name], last.succeeded_at.timestamp())
            if last.exit_code is not None:
                code.add_metric([name], last.exit_code)
        yield from (began, succeeded, code)


def _gauge(name: str, says: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"taxietl_{name}", says, labels=[label])
