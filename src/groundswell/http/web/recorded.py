"""/organizations/<org>/trends/recorded/: what the watch found, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from sqlalchemy import Connection

from groundswell.access import held
from groundswell.charts.trends import change_text, moment_text
from groundswell.charts.units import Measure, measure
from groundswell.errors import NotFound, UserError
from groundswell.http.api.found_trends import FEATURE, WRITE
from groundswell.http.requests import caller_scope, now, services_of
from groundswell.http.web.forms import fields_of, first
from groundswell.http.web.frame import fragment, go
from groundswell.http.web.reading import read_state
from groundswell.http.web.state import State
from groundswell.http.web.trend_state import PERIOD, offset_of, questions
from groundswell.model.tenancy import Scope
from groundswell.model.trends import Status, Trend
from groundswell.stats import parameters
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import trends as store
from groundswell.store.metadata.trends import Wanted
from groundswell.timeframe import parse_range
from groundswell.trends.panel import type_of
from groundswell.trends.transactions import parse_trends
from groundswell.trends.watch.describe import name_of, page_of

RECORDED = "recorded"
PER_PAGE = 25
_MAX_ID = 10**18
_ORG = "/organizations/{org:str}"
_READ = {"access": "org:read", "feature": FEATURE}
_EDIT = {"access": "event:write", "feature": FEATURE}
_MOVES = {
    Status.NEW: ((Status.ACKNOWLEDGED, "Acknowledge"), (Status.DISMISSED, "Dismiss")),
    Status.ACKNOWLEDGED: ((Status.DISMISSED, "Dismiss"), (Status.NEW, "Reopen")),
    Status.RECOVERED: ((Status.NEW, "Reopen"),),
    Status.DISMISSED: ((Status.NEW, "Reopen"),),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One recorded trend in words; moves: (status, what the button says)."""

    id: int
    name: str
    function: str
    project: str
    before: str
    after: str
    change: str
    is_regression: bool
    at: str
    status: str
    since: str
    address: str
    moves: Sequence[tuple[Status, str]]


@get(f"{_ORG}/trends/recorded/list/", opt=_READ)
async def recorded(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Give the recorded trends as a part of the page of trends, the newest change first."""
    scope = await caller_scope(request, org)
    state = await read_state(request, scope, with_environments=False, period=PERIOD)
    services = services_of(request)
    wanted = _wanted(state, scope, services.statistics)
    offset = offset_of(state.params)
    found = await services.metadata.run(
        store.list_trends, scope.organization.id, wanted, offset=offset, limit=PER_PAGE + 1
    )
    told = await _measures(services.statistics, scope, found[:PER_PAGE])
    base = f"/organizations/{scope.organization.slug}/trends/"

    def at(start: int) -> str:
        return f"{base}?{state.address(offset=str(start) if start else None)}"

    may_change = not set(WRITE).isdisjoint(held(scope))
    slugs = {project.id: project.slug for project in scope.projects}
    return fragment(
        request,
        "trends_recorded.html",
        rows=[
            _shown(
                trend,
                told[trend.subject.dataset, trend.function],
                slugs[trend.project_id],
                scope,
                may_change,
            )
            for trend in found[:PER_PAGE]
        ],
        tabs=[
            (label, f"{base}?{state.address(trendType=key, offset=None, status=None, query=None)}")
            for key, label in (("regression", "Regressions"), ("improved", "Improvements"))
        ],
        statuses=[
            (status, f"{base}?{state.address(status=status or None, offset=None)}")
            for status in ("", *Status)
        ],
        chosen=_status(state),
        action=f"{base}recorded/",
        back=state.address(),
        previous=at(max(0, offset - PER_PAGE)) if offset else "",
        next=at(offset + PER_PAGE) if len(found) > PER_PAGE else "",
    )


@post(f"{_ORG}/trends/recorded/{{trend:int}}/", opt=_EDIT, status_code=303)
async def move(
    request: Request[Any, Any, Any], org: FromPath[str], trend: FromPath[int]
) -> Response[bytes]:
    """Acknowledge, dismiss or reopen a trend."""
    scope = await caller_scope(request, org, needs=WRITE)
    fields = await fields_of(request)
    wanted = first(fields, "status")
    if wanted not in set(Status):
        raise UserError(f"status must be one of {', '.join(Status)}", field="status")

    if trend > _MAX_ID:
        raise NotFound

    user = scope.caller.user
    visible = {project.id for project in scope.projects}

    def change(connection: Connection) -> None:
        found = store.find_trend(connection, scope.organization.id, trend)
        if found is None or found.project_id not in visible:
            raise NotFound

        by = user.id if user else None
        store.set_status(connection, found.id, Status(wanted), by, now())

    await services_of(request).metadata.run(change)
    kept = urlencode(parse_qsl(first(fields, "back"), keep_blank_values=True))
    return go(
        f"/organizations/{scope.organization.slug}/trends/?{kept or 'trendType=' + RECORDED}",
        303,
    )


def _wanted(state: State, scope: Scope, statistics: Statistics) -> Wanted:
    asked = {name: values for name, values in questions(state.params).items() if name != "query"}
    chosen = _status(state)
    return Wanted(
        projects=tuple(project.id for project in parameters.projects(asked, scope)),
        statuses=(Status(chosen),) if chosen else (),
        words=next(iter(state.params.get("query", ())), "").strip(),
        since=parse_range(asked, now=now(), retention=statistics.retention).start,
    )


def _status(state: State) -> str:
    wanted = next(iter(state.params.get("status", ())), "")
    return wanted if wanted in set(Status) else ""


async def _measures(
    statistics: Statistics, scope: Scope, found: Sequence[Trend]
) -> dict[tuple[str, str], Measure]:
    """Choose how the levels of each function are told."""
    told: dict[tuple[str, str], Measure] = {}
    for dataset, function in {(trend.subject.dataset, trend.function) for trend in found}:
        try:
            asked = parse_trends(
                {"project": ["-1"], "dataset": [dataset]}, scope, now(), statistics.retention
            )
            assert asked is not None, "trends are of projects"
            told[dataset, function] = measure(
                *await type_of(statistics, asked.panel.asking, function)
            )
        except UserError:
            # Kept by a version that knew more functions.
            told[dataset, function] = measure("number", None)
    return told


def _shown(trend: Trend, told: Measure, slug: str, scope: Scope, may_change: bool) -> Shown:
    since = trend.recovered_at if trend.status is Status.RECOVERED else trend.changed_at
    return Shown(
        id=trend.id,
        name=name_of(trend) or "(no name)",
        function=trend.function,
        project=slug,
        before=told.text(trend.before),
        after=told.text(trend.after),
        change=change_text(trend.before, trend.after),
        is_regression=trend.change == "regression",
        at=moment_text(int(trend.at.timestamp())),
        status=trend.status.value,
        since=moment_text(int((since or trend.found_at).timestamp())),
        address=page_of(trend, scope.organization.slug),
        moves=_MOVES[trend.status] if may_change else (),
    )


ROUTES = [recorded, move]
