"""A link to a dashboard's widget → the statistics requests it stands for, one for each query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

from groundswell.errors import NotFound, UserError
from groundswell.model.tenancy import Scope
from groundswell.query.sql.patterns import quoted
from groundswell.slack.links import Link
from groundswell.slack.requests import (
    DATE_KEYS,
    REFERRER,
    ChartRequest,
    Display,
    fit_interval,
    strings,
)
from groundswell.store.metadata.dashboards import Dashboard, Widget, get_dashboard

DEFAULT_PERIOD = "24h"
MAX_QUERIES = 10
_MAX_ID = 10**18
_DATASETS = MappingProxyType(
    {
        "discover": "discover",
        "error-events": "errors",
        "transaction-like": "transactions",
        "spans": "spans",
    }
)
_DISPLAYS = MappingProxyType(
    {
        "line": (Display.LINE, Display.TOP_LINE),
        "area": (Display.AREA, Display.TOP_AREA),
        "stacked_area": (Display.AREA, Display.TOP_AREA),
        "bar": (Display.BAR, Display.TOP_BAR),
        "top_n": (Display.AREA, Display.TOP_AREA),
    }
)


def find_dashboard(connection: Connection, scope: Scope, link: Link) -> Dashboard:
    """Find the dashboard of a link. Raises NotFound."""
    if not (link.item.isascii() and link.item.isdigit()) or int(link.item) > _MAX_ID:
        raise NotFound

    return get_dashboard(connection, scope.organization.id, int(link.item))


def from_widget(
    link: Link, dashboard: Dashboard, *, now: datetime, retention: timedelta
) -> list[ChartRequest]:
    """Turn the widget of a link, or a dashboard's first chart, into a request for each query.

    What the address says goes before what is saved; the time is taken from one of both as a whole.
    Raises UserError where there is nothing to draw.
    """
    widget = _widget(dashboard.widgets, link.part)
    queries = [
        query
        for query in widget.body["queries"]
        if not query.get("isHidden") and strings(query.get("aggregates"))
    ]
    if not queries:
        raise UserError("This widget shows no chart.")

    asked = [_request(link, dashboard, widget, query) for query in queries[:MAX_QUERIES]]
    # All of them share one grid.
    requested: Sequence[str | None] = (link.first("interval"), widget.body.get("interval"))
    for params, _, _ in asked:
        fit_interval(params, Display.AREA, requested, now=now, retention=retention)
        requested = (params["interval"][0],)
    several = len(asked) > 1
    return [
        ChartRequest(
            {k: v for k, v in params.items() if v},
            Display.LINE if several and display is Display.AREA else display,
            widget.title,
            label if several else "",
        )
        for params, display, label in asked
    ]


def _request(
    link: Link, dashboard: Dashboard, widget: Widget, query: Mapping[str, Any]
) -> tuple[dict[str, list[str]], Display, str]:
    saved, axes = dashboard.body, strings(query.get("aggregates"))
    filters = saved.get("filters") or {}
    releases = link.values("release") or strings(filters.get("release"))
    search = f"{query.get('conditions') or ''} {_any_of('release', releases)}".strip()
    params: dict[str, list[str]] = {
        "referrer": [REFERRER],
        "yAxis": axes,
        "query": [search],
        "dataset": [_DATASETS[widget.split or widget.widget_type or "discover"]],
        "project": link.values("project") or strings(saved.get("projects")) or ["-1"],
        "environment": link.values("environment") or strings(saved.get("environment")),
        **_time(link, saved),
    }
    plain, grouped = _DISPLAYS[widget.body["displayType"]]
    columns = strings(query.get("columns"))
    if columns:
        order = str(query.get("orderby") or "") or f"-{axes[0]}"
        params |= {
            "topEvents": [str(widget.body.get("limit") or 5)],
            "field": [*columns, *axes],
            "sort": [order],
        }
    label = str(query.get("name") or query.get("conditions") or "")
    return params, grouped if columns else plain, label


def _widget(widgets: Sequence[Widget], index: str) -> Widget:
    wanted = range(int(index), int(index) + 1) if index else range(len(widgets))
    chosen = [w for n, w in enumerate(widgets) if n in wanted and (index or _has_chart(w))]
    if not chosen:
        raise UserError(f"This dashboard has no widget {index or 'with a chart'}.")

    if not _has_chart(chosen[0]):
        raise UserError("This widget is not a line, area or bar chart.")

    return chosen[0]


def _has_chart(widget: Widget) -> bool:
    kind = widget.split or widget.widget_type or "discover"
    return widget.body.get("displayType") in _DISPLAYS and kind in _DATASETS


def _time(link: Link, saved: Mapping[str, Any]) -> dict[str, list[str]]:
    found = {key: link.values(key) for key in DATE_KEYS if link.values(key)}
    if found:
        return found

    if saved.get("start") and saved.get("end"):
        return {"start": [str(saved["start"])], "end": [str(saved["end"])]}

    return {"statsPeriod": [str(saved.get("period") or DEFAULT_PERIOD)]}


def _any_of(key: str, values: Sequence[str]) -> str:
    if not values:
        return ""

    return f"({' OR '.join(f'{key}:{quoted(value)}' for value in values)})"
