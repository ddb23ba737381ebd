"""GET organizations/{org}/events/: rows of events or of groups, page by page."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, unless_gone, written
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats import export, serialize
from groundswell.stats.request import parse_table


@get("/api/0/organizations/{org:str}/events/", opt={"access": "org:read"})
async def events(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with rows."""
    scope = await caller_scope(request, org)
    statistics = services_of(request).statistics
    params = multi(request)
    format_ = export.format_of(params)
    asked = parse_table(params, scope, now(), statistics.retention)
    try:
        answer = await unless_gone(request, statistics.table(asked))
    except ClientGone:
        return gone()

    headers = link_header(request, asked.page, has_more=answer.has_more) if asked.paginate else {}
    return written(
        request,
        format_,
        lambda: serialize.events(answer) if asked.asking.projects else serialize.no_projects(),
        lambda: export.table_records(answer),
        name="events",
        headers=headers,
    )


ROUTES = [events]
