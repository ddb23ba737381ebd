"""GET organizations/{org}/events-timeseries/: series in milliseconds, one per group and axis."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats import export, serialize_timeseries
from groundswell.stats.request import parse_timeseries


@get(
    "/api/0/organizations/{org:str}/events-timeseries/",
    opt={"access": "org:read", "feature": "discover-basic"},
)
async def events_timeseries(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with series."""
    scope = await caller_scope(request, org)
    statistics = services_of(request).statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked_at = now()
    asked = parse_timeseries(params, scope, asked_at, statistics.retention)
    try:
        answer = await unless_gone(request, statistics.series(asked))
    except ClientGone:
        return gone()

    window = asked.asking.window
    return written(
        request,
        format_,
        lambda: serialize_timeseries.events_timeseries(answer, window, asked_at),
        lambda: export.series_records(answer),
        name="events-timeseries",
    )


ROUTES = [events_timeseries]
