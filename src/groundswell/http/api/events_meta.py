"""GET organizations/{org}/events-meta/: how many events a search finds."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats import export
from groundswell.stats.request import parse_count


@get(
    "/api/0/organizations/{org:str}/events-meta/",
    opt={"access": "org:read", "feature": "discover-basic"},
)
async def events_meta(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with the number of events."""
    scope = await caller_scope(request, org)
    statistics = services_of(request).statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked = parse_count(params, scope, now(), statistics.retention)
    try:
        answer = await unless_gone(request, statistics.table(asked))
    except ClientGone:
        return gone()

    count = answer.rows[0]["count()"] if answer.rows else 0
    row = {"count": count}
    return written(request, format_, lambda: row, lambda: (("count",), [row]), name="events-meta")


ROUTES = [events_meta]
