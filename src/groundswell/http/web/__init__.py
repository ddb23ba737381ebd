"""Pages: templates, static files, the handlers that fill them, and what guards them."""

from __future__ import annotations

from typing import Any

from litestar import Router
from litestar.types import Middleware

from groundswell.http import snapshots
from groundswell.http.web import (
    alert_editor,
    alert_rule,
    alerts,
    assets,
    dashboards,
    discover,
    elsewhere,
    incident,
    issue,
    issues,
    login,
    overview,
    recorded,
    saved,
    settings,
    stats,
    trend,
    trends,
    widget_forms,
)
from groundswell.http.web.failures import HANDLERS
from groundswell.http.web.security import guard

ROUTES: list[Any] = [
    *assets.ROUTES,
    *snapshots.ROUTES,
    Router(
        path="/",
        route_handlers=[
            *login.ROUTES,
            *overview.ROUTES,
            *discover.ROUTES,
            *trends.ROUTES,
            *trend.ROUTES,
            *recorded.ROUTES,
            *dashboards.ROUTES,
            *widget_forms.ROUTES,
            *saved.ROUTES,
            *stats.ROUTES,
            *alerts.ROUTES,
            *alert_editor.ROUTES,
            *alert_rule.ROUTES,
            *incident.ROUTES,
            *issues.ROUTES,
            *issue.ROUTES,
            *settings.ROUTES,
            *elsewhere.ROUTES,
        ],
        exception_handlers=HANDLERS,
    ),
]
MIDDLEWARE: list[Middleware] = [guard]
