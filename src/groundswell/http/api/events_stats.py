"""GET organizations/{org}/events-stats/: series over time, plain or of the top events."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats import export, serialize
from groundswell.stats.request import parse_series


@get("/api/0/organizations/{org:str}/events-stats/", opt={"access": "org:read"})
async def events_stats(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with series."""
    scope = await caller_scope(request, org)
    statistics = services_of(request).statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked = parse_series(params, scope, now(), statistics.retention)
    try:
        answer = await unless_gone(request, statistics.series(asked))
    except ClientGone:
        return gone()

    return written(
        request,
        format_,
        lambda: serialize.events_stats(answer, names_as_typed=asked.names_as_typed),
        lambda: export.series_records(answer),
        name="events-stats",
    )


ROUTES = [events_stats]
