"""`/flows`: the user's flows, each with a form that runs it. Their files are read, never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from taxietl.errors import ConfigError, TaxietlError, UnknownNameError
from taxietl.orchestrator import History
from taxietl.orchestrator.define.entry import EntryPoint
from taxietl.orchestrator.query.browsing import RunFilter, page_of_runs
from taxietl.orchestrator.query.listing import ListedFlow, list_flows
from taxietl.orchestrator.store.rows import RunRow
from taxietl.ui.beginning import begun
from taxietl.ui.dashboard import Dashboard
from taxietl.ui.flow_forms import Field, arguments_of, form_of, problems_of

PREFIX = "p."
"""Before the name of a parameter in a form, where it meets no field of ours."""


LOOKED_AT = 20
"""Latest runs of a name, among which a flow's own last one is looked for."""


@dataclass(frozen=True)
class Shown:
    """A flow with its form."""

    flow: ListedFlow
    form: tuple[Field, ...]
    last: RunRow | None

    @property
    def wants_secret(self) -> bool:
        """Whether it cannot be run from here."""
        return any(each.kind == "secret" and each.required for each in self.form)


@dataclass(frozen=True)
class Attempt:
    """A form that was sent and could not be done, to be shown once more."""

    target: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field."""

    error: TaxietlError | None = None
    """Where no field is to blame."""


def flows(dashboard: Dashboard, request: Request) -> Response:
    """The page."""
    return _page(dashboard, request, Attempt())


def run_flow(dashboard: Dashboard, request: Request) -> str | Response:
    """Run a flow of the listed ones as `taxietl run` does; or show its form with what is wrong."""
    sent: Mapping[str, str] = request.state.form
    found, _ = _listed(dashboard)
    target = sent.get("flow", "")
    if target not in found:
        raise UnknownNameError("flow", target, found)
    form = form_of(found[target])
    given = {each.name: sent.get(PREFIX + each.name, "").strip() for each in form}
    if problems := problems_of(form, given):
        return _page(dashboard, request, Attempt(target, given, problems))
    # A target that begins with a dash would be taken for an option.
    named = f"./{target}" if target.startswith("-") else target
    try:
        return begun(dashboard, ("run", *arguments_of(form, given), named))
    except ConfigError as error:
        blamed = next((each.name for each in form if repr(each.name) in error.message), None)
        if blamed is None:
            return _page(dashboard, request, Attempt(target, given, error=error))
        said = {blamed: f"{error.message} {error.hint}"}
        return _page(dashboard, request, Attempt(target, given, said))


def _listed(dashboard: Dashboard) -> tuple[dict[str, ListedFlow], list[str]]:
    """The flows by their targets, and what could not be read."""
    found: dict[str, ListedFlow] = {}
    skipped: list[str] = []
    for folder in dashboard.folders:
        try:
            listing = dashboard.asker.ask(
                f"The folder {folder}",
                ("flows", folder),
                partial(list_flows, folder),
                mark=object(),  # a file may have changed since
            )
        except TaxietlError as error:  # it has gone since, or has too many files
            skipped.append(error.message)
            continue
        found |= {each.target: each for each in listing.flows}
        skipped += [each.message for each in listing.skipped]
    return found, skipped


def _page(dashboard: Dashboard, request: Request, attempt: Attempt) -> Response:
    found, skipped = _listed(dashboard)
    history = dashboard.history
    return dashboard.page(
        request,
        "flows.html",
        title="Flows",
        status=HTTPStatus.BAD_REQUEST if attempt.target else HTTPStatus.OK,
        folders=[str(Path(each).absolute()) for each in dashboard.folders],
        flows=[Shown(each, form_of(each), _last(history, each)) for each in found.values()],
        skipped=skipped,
        attempt=attempt,
        prefix=PREFIX,
    )


def _last(history: History, flow: ListedFlow) -> RunRow | None:
    """Its last run: of that name, and in no other file."""
    file = Path(flow.file).resolve()
    for run in page_of_runs(history, RunFilter(flow=flow.name), limit=LOOKED_AT).runs:
        place = EntryPoint.from_json(run.entry).file if run.entry else None
        if place is None or Path(place).resolve() == file:
            return run
    return None
