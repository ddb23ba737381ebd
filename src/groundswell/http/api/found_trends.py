"""Trends that the watch recorded: list, look at, put aside; a project's week as a document."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from litestar import Request, Response, get, put
from litestar.params import FromPath

from groundswell.errors import NotFound, UserError
from groundswell.http.answering import ClientGone, gone, tagged, unless_gone
from groundswell.http.bodies import body_of
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.model.tenancy import Project, Scope
from groundswell.model.trends import Status, Trend
from groundswell.stats import parameters
from groundswell.store.metadata import trends as rows
from groundswell.store.metadata.trends import Wanted
from groundswell.timeframe import parse_instant, parse_period
from groundswell.trends.transactions import TREND_TYPES
from groundswell.trends.watch.describe import described
from groundswell.trends.watch.digest import charts_of, digest_of

FEATURE = "performance-new-trends"
PATH = "/api/0/organizations/{org:str}/trends/"
ONE = PATH + "{trend:str}/"
READ: dict[str, Any] = {"access": "event:read", "feature": FEATURE}
CHANGE: dict[str, Any] = {"access": "event:write", "feature": FEATURE}
WRITE = ("event:write", "event:admin", "project:write", "org:write", "org:admin")
PER_PAGE, MAX_PER_PAGE = 25, 100
_CHANGES = {"regression": "regression", "improvement": "improvement", **TREND_TYPES}


class TrendChange(msgspec.Struct):
    """Where a person puts a trend."""

    status: str


@get(PATH, opt=READ)
async def found_trends(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """List recorded trends, the newest change first.

    `status` (repeated), `trendType`, `trendFunction`, `statsPeriod` and `query` (a part of the
    transaction's name) narrow the list.
    """
    scope = await caller_scope(request, org)
    params = multi(request)
    here = parameters.page(params, default=PER_PAGE, maximum=MAX_PER_PAGE)
    projects = {project.id: project for project in parameters.projects(params, scope)}
    wanted = Wanted(
        tuple(projects),
        _statuses(params),
        _change(params),
        parameters.first(params, "trendFunction") or None,
        (parameters.first(params, "query") or "").strip(),
        _since(params),
    )
    found = await services_of(request).metadata.run(
        rows.list_trends,
        scope.organization.id,
        wanted,
        offset=here.offset,
        limit=here.limit + 1,
    )
    shown = [described(trend, projects[trend.project_id]) for trend in found[: here.limit]]
    headers = link_header(request, here, has_more=len(found) > here.limit)
    return tagged(request, msgspec.json.encode(shown), headers=headers)


@get(ONE, opt=READ)
async def one_trend(
    request: Request[Any, Any, Any], org: FromPath[str], trend: FromPath[str]
) -> Response[bytes]:
    """Describe one recorded trend, with its chart as plain data."""
    scope = await caller_scope(request, org)
    found, project = await _trend(request, scope, trend)
    end = min(now(), found.at + timedelta(days=7))
    charting = charts_of(services_of(request).statistics, scope, project, [found], end)
    try:
        (chart,) = await unless_gone(request, charting)
    except ClientGone:
        return gone()

    body = {**described(found, project), "chart": chart}
    return tagged(request, msgspec.json.encode(body))


@put(ONE, opt=CHANGE)
async def change_trend(
    request: Request[Any, Any, Any], org: FromPath[str], trend: FromPath[str]
) -> Response[bytes]:
    """Acknowledge, dismiss, reopen or close a trend."""
    scope = await caller_scope(request, org, needs=WRITE)
    change = await body_of(request, TrendChange)
    if change.status not in set(Status):
        raise FieldErrors({"status": [f"Must be one of {', '.join(Status)}."]})

    found, project = await _trend(request, scope, trend)
    user = scope.caller.user
    metadata = services_of(request).metadata
    status = Status(change.status)
    await metadata.run(rows.set_status, found.id, status, user.id if user else None, now())
    changed = await metadata.run(rows.find_trend, scope.organization.id, found.id)
    assert changed is not None, "trends go with their project only"
    return json_response(described(changed, project))


@get(PATH + "digest/", opt=READ)
async def trends_digest(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Sum up a week of one project: the strongest changes and their charts, as plain data.

    `end` is when the week ended (now where nothing is said).
    """
    scope = await caller_scope(request, org)
    params = multi(request)
    projects = parameters.projects(params, scope)
    if len(projects) != 1:
        raise UserError("project: name the one project that the digest is about", field="project")

    end = now()
    if (text := parameters.first(params, "end")) is not None:
        chosen = parse_instant(text)
        if chosen is None:
            raise UserError(f"end {text!r} is not a valid ISO 8601 date", field="end")

        end = min(end, chosen)
    services = services_of(request)
    try:
        body = await unless_gone(
            request,
            digest_of(services.metadata, services.statistics, scope, projects[0], end),
        )
    except ClientGone:
        return gone()

    return tagged(request, msgspec.json.encode(body))


async def _trend(request: Request[Any, Any, Any], scope: Scope, id: str) -> tuple[Trend, Project]:
    """Find a trend of a project that the caller may see. Raises NotFound."""
    if not (id.isascii() and id.isdecimal() and len(id) <= 18):
        raise NotFound

    found = await services_of(request).metadata.run(rows.find_trend, scope.organization.id, int(id))
    for project in scope.projects:
        if found is not None and project.id == found.project_id:
            return found, project

    raise NotFound


def _statuses(params: parameters.Params) -> tuple[Status, ...]:
    given = parameters.texts(params, "status")
    if unknown := [name for name in given if name not in set(Status)]:
        raise UserError(f"status {unknown[0]!r} must be one of {', '.join(Status)}", field="status")

    return tuple(Status(name) for name in given)


def _change(params: parameters.Params) -> str | None:
    name = parameters.first(params, "trendType") or "any"
    if name not in _CHANGES:
        raise UserError(
            f"{name} is not a supported trend type: trendType must be one of "
            f"{', '.join(TREND_TYPES)}",
            field="trendType",
        )

    return _CHANGES[name]


def _since(params: parameters.Params) -> datetime | None:
    text = parameters.first(params, "statsPeriod")
    if not text:
        return None

    period_s = parse_period(text)
    if period_s is None:
        raise UserError(f"statsPeriod {text!r} must be like 14d or 24h", field="statsPeriod")

    return now() - timedelta(seconds=min(period_s, 10**9))


ROUTES = [found_trends, one_trend, change_trend, trends_digest]
