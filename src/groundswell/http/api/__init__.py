"""One module per resource of the API; `ROUTES` lists them all."""

from __future__ import annotations

from litestar.handlers import HTTPRouteHandler

from groundswell.http.api import (
    attributes,
    chart,
    dashboards,
    event,
    events,
    events_meta,
    events_stats,
    events_timeseries,
    events_validate,
    identity,
    issue_events,
    issues,
    keys,
    organizations,
    profiling,
    projects,
    releases,
    saved_queries,
    stats_v2,
    tags,
    teams,
    traces,
    trends,
    workflows,
)

ROUTES: list[HTTPRouteHandler] = [
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
    *tags.ROUTES,
    *traces.ROUTES,
    *workflows.ROUTES,
    *attributes.ROUTES,
    *dashboards.ROUTES,
    *releases.ROUTES,
    *saved_queries.ROUTES,
    *stats_v2.ROUTES,
]
