"""The frame around every page: templates, navigation, theme, and who is looking."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from sqlalchemy import Connection

from groundswell import access
from groundswell.http.requests import services_of
from groundswell.http.web import assets
from groundswell.http.web.security import NONCE
from groundswell.model.tenancy import Caller, Organization, Scope
from groundswell.store.metadata import slack

TEMPLATES = Path(__file__).with_name("templates")
THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; `path` below the organization."""

    key: str
    label: str
    path: str


PLACES = (
    Place("overview", "Projects", ""),
    Place("discover", "Discover", "discover/homepage/?statsPeriod=14d"),
    Place("issues", "Issues", "issues/"),
    Place("trends", "Trends", "trends/"),
    Place("alerts", "Alerts", "alerts/rules/"),
    Place("dashboards", "Dashboards", "dashboards/"),
    Place("stats", "Usage", "stats/"),
    Place("settings", "Settings", "settings/"),
)


@functools.cache
def environment() -> Environment:
    """Open the templates: everything is escaped, an unknown name is an error."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


async def page(
    request: Request[Any, Any, Any],
    template: str,
    scope: Scope | None = None,
    *,
    here: str = "",
    status: int = 200,
    **context: Any,
) -> Response[bytes]:
    """Fill a template within the frame."""
    caller = scope.caller if scope else None
    organizations: list[Organization] = []
    broken: list[tuple[str, str]] = []
    unproven: list[str] = []
    if caller is not None and scope is not None:
        metadata = services_of(request).metadata
        organizations, (broken, unproven) = await metadata.run(_surroundings, caller, scope)
    frame = {
        "broken_workspaces": broken,
        "unproven_workspaces": unproven,
        "org": scope.organization if scope else None,
        "organizations": organizations,
        "user": caller.user if caller else None,
        "places": PLACES,
        "here": here,
    }
    return fragment(request, template, status=status, **frame, **context)


def fragment(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, **context: Any
) -> Response[bytes]:
    """Fill a template by itself: a part of a page that is asked for later."""
    theme = request.cookies.get("theme", "")
    text = (
        environment()
        .get_template(template)
        .render(
            nonce=request.scope.get("state", {}).get(NONCE, ""),
            theme=theme if theme in THEMES else "system",
            static=assets.address,
            **context,
        )
    )
    return Response(content=text.encode(), status_code=status, media_type="text/html")


def go(address: str, status: int = 302) -> Response[bytes]:
    """Lead the browser to another page; 303 after a form was taken."""
    # What a header cannot hold is written in percents; what is written so already stays.
    safe = quote(address, safe="/?#[]@!$&'()*+,;=:%~")
    return Response(content=b"", status_code=status, headers={"Location": safe})


def _surroundings(
    connection: Connection, caller: Caller, scope: Scope
) -> tuple[list[Organization], tuple[list[tuple[str, str]], list[str]]]:
    troubled = slack.troubled_workspaces(connection, scope.organization.id)
    return access.organizations(connection, caller), troubled
