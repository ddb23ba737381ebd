"""GET organizations/{org}/events/validate/: would `events` answer this, and if not, why not?"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope, multi, now, services_of
from groundswell.stats.validate import validate


@get(
    "/api/0/organizations/{org:str}/events/validate/",
    opt={"access": "org:read", "feature": "discover-basic"},
)
async def events_validate(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer 200 when everything is valid, else 400; the body is of the same shape."""
    scope = await caller_scope(request, org)
    statistics = services_of(request).statistics
    valid, body = await validate(statistics, multi(request), scope, now())
    return json_response(body, 200 if valid else 400)


ROUTES = [events_validate]
