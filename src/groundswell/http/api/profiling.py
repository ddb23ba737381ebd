"""GET organizations/{org}/profiling/function-trends/: which functions of profiles changed."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.answering import ClientGone, gone, tagged, unless_gone
from groundswell.http.failures import FieldErrors, json_response
from groundswell.http.paging import link_header
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats import parameters
from groundswell.trends.functions import find_function_trends, parse_function_trends, refusals

FEATURE = "profiling-global-suspect-functions"
READ: dict[str, Any] = {"access": "org:read", "feature": FEATURE}


@get("/api/0/organizations/{org:str}/profiling/function-trends/", opt=READ)
async def function_trends(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with the functions whose level changed, page by page."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    params = multi(request)
    if parameters.projects(params, scope) and (errors := refusals(params)):
        raise FieldErrors(errors)

    asked = parse_function_trends(params, scope, now(), services.statistics.retention)
    if asked is None:
        return json_response({})

    try:
        trends = await unless_gone(request, find_function_trends(services.statistics, asked))
    except ClientGone:
        return gone()

    headers = link_header(request, asked.page, has_more=trends.has_more)
    return tagged(request, msgspec.json.encode(trends.rows), headers=headers)


ROUTES = [function_trends]
