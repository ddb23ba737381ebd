"""GET organizations/{org}/sessions/ and metrics/data/: what clients of session health ask."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats.session_health import no_sessions

ORGANIZATION = "/api/0/organizations/{org:str}/"


@get([ORGANIZATION + "metrics/data/", ORGANIZATION + "sessions/"], opt={"access": "org:read"})
async def session_health(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer for sessions: an empty list of groups, as sessions are not kept."""
    scope = await caller_scope(request, org)
    retention = services_of(request).statistics.retention
    return json_response(no_sessions(multi(request), scope, now(), retention))


ROUTES = [session_health]
