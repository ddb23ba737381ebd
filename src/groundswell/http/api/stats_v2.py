"""GET organizations/{org}/stats_v2/: what became of everything that was sent."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats.outcomes import outcomes_body, parse_outcomes


@get("/api/0/organizations/{org:str}/stats_v2/", opt={"access": "org:read"})
async def stats_v2(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Count outcomes by category, outcome, reason and project, over time."""
    scope = await caller_scope(request, org)
    services = services_of(request)
    asked = parse_outcomes(multi(request), scope, now(), services.statistics.retention)
    return json_response(await outcomes_body(services.engine, asked))


ROUTES = [stats_v2]
