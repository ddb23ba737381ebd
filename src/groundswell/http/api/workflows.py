"""GET organizations/{org}/workflows/: rules about issues, of which there are none here."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from groundswell.http.failures import json_response
from groundswell.http.requests import caller_scope


@get(
    [
        "/api/0/organizations/{org:str}/workflows/",
        "/api/0/organizations/{org:str}/repos/",
        "/api/0/organizations/{org:str}/integrations/",
    ],
    opt={"access": "org:read"},
)
async def none(request: Request[Any, Any, Any], org: FromPath[str]) -> Response[bytes]:
    """Answer with the empty list that clients understand."""
    await caller_scope(request, org)
    return json_response([])


ROUTES = [none]
