"""Trends: which transactions changed, and the breakpoint detector as an endpoint of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from groundswell.errors import UserError
from groundswell.http.answering import ClientGone, gone, tagged, unless_gone
from groundswell.http.api import found_trends
from groundswell.http.failures import json_response
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.trends.compatible import breakpoint_detector
from groundswell.trends.explain import explain, parse_explain
from groundswell.trends.halves import (
    Halves,
    HalvesRequest,
    compare_halves,
    parse_halves,
    series_of_halves,
)
from groundswell.trends.transactions import find_trends, parse_trends, trends_body

FEATURE = "performance-new-trends"
READ: dict[str, Any] = {"access": "org:read", "feature": FEATURE}
_AT_ONCE = asyncio.Semaphore(2)


@get("/api/0/organizations/{org:str}/events-trends-statsv2/", opt=READ)
async def events_trends_stats_v2(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[bytes]:
    """Answer with the groups whose level changed, page by page, and their series."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    asked = parse_trends(multi(request), scope, now(), services.statistics.retention)
    if asked is None:
        return json_response([])

    try:
        trends = await unless_gone(request, find_trends(services.statistics, asked))
    except ClientGone:
        return gone()

    headers = link_header(request, asked.page, has_more=trends.has_more)
    return tagged(request, msgspec.json.encode(trends_body(trends)), headers=headers)


@get("/api/0/organizations/{org:str}/events-trends/", opt=READ)
async def events_trends(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with the groups compared around one instant."""
    return await _halves(request, org, with_series=False)


@get("/api/0/organizations/{org:str}/events-trends-stats/", opt=READ)
async def events_trends_stats(
    request: Request[Any, Any, Any], org: FromPath[str]
) -> Response[bytes]:
    """Answer with the groups compared around one instant, and their series."""
    return await _halves(request, org, with_series=True)


async def _halves(
    request: Request[Any, Any, Any], org: str, *, with_series: bool
) -> Response[bytes]:
    scope = await caller_scope(request, org)
    services = services_of(request)
    asked = parse_halves(multi(request), scope, now(), services.statistics.retention)
    if asked is None:
        return json_response([])

    async def answer(asked: HalvesRequest) -> tuple[Halves, Any]:
        found = await compare_halves(services.statistics, asked)
        return found, await series_of_halves(
            services.statistics, asked, found
        ) if with_series else None

    try:
        found, series = await unless_gone(request, answer(asked))
    except ClientGone:
        return gone()

    table = {"data": found.rows, "meta": {**found.columns, "isMetricsData": False}}
    body = {"events": table, "stats": series} if with_series else table
    headers = link_header(request, asked.page, has_more=found.has_more)
    return tagged(request, msgspec.json.encode(body), headers=headers)


@get("/api/0/organizations/{org:str}/trends/explain/", opt=READ)
async def explain_trend(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with what changed together with the level of one group."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    asked = parse_explain(multi(request), scope, now(), services.statistics.retention)
    if asked is None:
        return json_response({})

    try:
        causes = await unless_gone(request, explain(services.statistics, asked))
    except ClientGone:
        return gone()

    return tagged(request, msgspec.json.encode(causes))


@post("/trends/breakpoint-detector", status_code=200, opt={"access": "public"})
async def detect_breakpoints(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answer as the detector that a self-hosted Sentry lacks.

    Without a token, as Sentry sends none: it reads nothing but the body, a few at a time.
    """
    try:
        asked = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise UserError("The body must be JSON", code="bad_json") from None

    if not isinstance(asked, dict):
        raise UserError("The body must be a JSON object", code="bad_json")

    async with _AT_ONCE:
        return json_response(await asyncio.to_thread(breakpoint_detector, asked))


ROUTES = [
    events_trends_stats_v2,
    events_trends,
    events_trends_stats,
    explain_trend,
    detect_breakpoints,
    *found_trends.ROUTES,
]
