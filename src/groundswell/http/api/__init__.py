"""One module per resource of the API; `ROUTES` lists them all."""

from __future__ import annotations

from typing import Any

from litestar import Router
from litestar.handlers import HTTPRouteHandler

from groundswell.http.api import (
    alert_rules,
    attributes,
    chart,
    combined_rules,
    dashboards,
    event,
    events,
    events_meta,
    events_stats,
    events_timeseries,
    events_validate,
    identity,
    incidents,
    issue_events,
    issues,
    keys,
    organizations,
    profiling,
    project_issues,
    project_rules,
    projects,
    releases,
    saved_queries,
    session_health,
    stats_v2,
    tags,
    teams,
    traces,
    trends,
    workflows,
)
from groundswell.http.api.description import description_of
from groundswell.http.limits import limited

HANDLERS: list[HTTPRouteHandler] = [
    *identity.ROUTES,
    *organizations.ROUTES,
    *projects.ROUTES,
    *teams.ROUTES,
    *keys.ROUTES,
    *events_stats.ROUTES,
    *events.ROUTES,
    *events_timeseries.ROUTES,
    *events_meta.ROUTES,
    *events_validate.ROUTES,
    *chart.ROUTES,
    *trends.ROUTES,
    *profiling.ROUTES,
    *event.ROUTES,
    *issue_events.ROUTES,
    *issues.ROUTES,
    *project_issues.ROUTES,
    *tags.ROUTES,
    *traces.ROUTES,
    *workflows.ROUTES,
    *attributes.ROUTES,
    *dashboards.ROUTES,
    *releases.ROUTES,
    *saved_queries.ROUTES,
    *stats_v2.ROUTES,
    *session_health.ROUTES,
    *alert_rules.ROUTES,
    *project_rules.ROUTES,
    *combined_rules.ROUTES,
    *incidents.ROUTES,
]
ROUTES: list[Any] = [
    Router(path="/", route_handlers=[*HANDLERS, *description_of(HANDLERS)], middleware=[limited])
]
