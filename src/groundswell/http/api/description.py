"""The description of the API: OpenAPI for programs, a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from groundswell.http.answering import tagged
from groundswell.http.api.dashboards import DashboardBody, Favor
from groundswell.http.api.issues import IssueUpdate
from groundswell.http.api.keys import KeyChange
from groundswell.http.api.organizations import FeatureChange
from groundswell.http.api.projects import NewProject, ProjectChange
from groundswell.http.api.releases import NewRelease, ReleaseChange
from groundswell.http.api.saved_queries import SavedQueryBody
from groundswell.http.api.teams import NewTeam, TeamChange
from groundswell.http.api_page import api_page
from groundswell.http.openapi import describe
from groundswell.http.requests import services_of
from groundswell.stats.widgets import WidgetBody

# What handlers read, by the name of their function.
BODIES: dict[str, type[Any]] = {
    "create_dashboard": DashboardBody,
    "change_dashboard": DashboardBody,
    "validate_widget": WidgetBody,
    "save_query": SavedQueryBody,
    "change_query": SavedQueryBody,
    "set_homepage": SavedQueryBody,
    "change_issue": IssueUpdate,
    "change_many": IssueUpdate,
    "change_issues_of_project": IssueUpdate,
    "create_key": KeyChange,
    "change_key": KeyChange,
    "change_feature": FeatureChange,
    "create_project": NewProject,
    "create_team_project": NewProject,
    "change_project": ProjectChange,
    "announce": NewRelease,
    "announce_of_project": NewRelease,
    "change_release": ReleaseChange,
    "create_team": NewTeam,
    "change_team": TeamChange,
    "favor_dashboard": Favor,
}


def description_of(handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Make the routes that describe these handlers."""

    @lru_cache(1)
    def described(base_url: str) -> dict[str, Any]:
        return describe(handlers, BODIES, base_url)

    @get("/api/openapi.json", opt={"access": "public"})
    async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Describe the API as OpenAPI 3.1."""
        base_url = services_of(request).settings.base_url
        return tagged(request, msgspec.json.encode(described(base_url)))

    @get("/api/docs/", opt={"access": "public"})
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Describe the API on a page."""
        base_url = services_of(request).settings.base_url
        html = api_page(described(base_url)).encode()
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return tagged(request, html, media_type="text/html; charset=utf-8", headers=policy)

    return [openapi, page]
