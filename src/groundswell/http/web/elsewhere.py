"""Addresses of other forms that lead to our pages: without an organization, or of newer shape."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from groundswell import access
from groundswell.errors import NotFound
from groundswell.http.requests import caller_of, services_of
from groundswell.http.web.frame import go

_PLACES = ("discover", "explore/discover", "alerts", "dashboard", "dashboards", "issues", "trends")


@get(
    [form for place in _PLACES for form in (f"/{place}", f"/{place}/{{rest:path}}")],
    opt={"access": "session"},
)
async def without_organization(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lead an address without an organization to the one that the host names, else the first."""
    caller = await caller_of(request)
    mine = await services_of(request).metadata.run(access.organizations, caller)
    if not mine:
        raise NotFound("You are not a member of any organization yet.")

    label = request.headers.get("host", "").partition(".")[0].lower()
    slug = next((each.slug for each in mine if each.slug == label), mine[0].slug)
    place = request.url.path.removeprefix("/explore").rstrip("/")
    query = f"?{request.url.query}" if request.url.query else ""
    return go(f"/organizations/{slug}{place}/{query}")


ROUTES = [without_organization]
