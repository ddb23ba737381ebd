"""What a form sends → plain values; and what Discover shows → what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from litestar import Request

from groundswell.http.web.state import State
from groundswell.slack.requests import is_aggregate
from groundswell.stats.widgets import WidgetBody, WidgetQuery

Fields: TypeAlias = Mapping[str, Sequence[str]]

# Scopes of which one is needed to keep dashboards and questions.
WRITE = ("event:write", "org:write", "org:admin")
_DISPLAYS = MappingProxyType(
    {
        "line": "line", "bar": "bar", "daily": "bar", "previous": "line", "top5": "top_n",
        "top5line": "line", "dailytop5": "bar",
    }
)  # fmt: skip
_TYPES = MappingProxyType(
    {"errors": "error-events", "transactions": "transaction-like", "spans": "spans"}
)


async def fields_of(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """Read a form; files and empty values are left out."""
    found: dict[str, list[str]] = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str) and value.strip():
            found.setdefault(name, []).append(value)
    return found


def first(fields: Fields, name: str) -> str:
    """Give the first value of a field that is not blank, "" without one."""
    return next((value.strip() for value in fields.get(name, ()) if value.strip()), "")


def kept_of(state: State) -> list[tuple[str, str]]:
    """List name and value of what a form sends along to keep what Discover shows."""
    asked = state.asked.params
    names = ("yAxis", "field", "query", "sort", "dataset", "topEvents", "project", "environment")
    pairs = [(name, value) for name in names for value in asked.get(name) or ()]
    dates = [(name, state.params[name][0]) for name in ("start", "end") if state.params.get(name)]
    period = [("statsPeriod", state.period)] if state.period else dates
    return [*pairs, *period, ("display", state.display)]


def widget_of(fields: Fields, title: str) -> WidgetBody:
    """Make a widget of what Discover shows."""
    aggregates = list(fields.get("yAxis", ())) or ["count()"]
    display = first(fields, "display")
    groups = "top5" in display
    columns = [name for name in fields.get("field", ()) if groups and not is_aggregate(name)]
    query = WidgetQuery(
        aggregates=aggregates,
        columns=columns,
        fields=[*columns, *aggregates],
        conditions=first(fields, "query"),
        orderby=f"-{aggregates[0]}" if columns else "",
    )
    return WidgetBody(
        title=title,
        display_type=_DISPLAYS.get(display, "area"),
        queries=[query],
        widget_type=_TYPES.get(first(fields, "dataset"), "discover"),
        limit=5 if columns else None,
    )


def saved_of(fields: Fields) -> dict[str, Any]:
    """Make the body of a saved question of what Discover shows."""
    kind = _TYPES.get(first(fields, "dataset"), "discover")
    body: dict[str, Any] = {
        "version": 2,
        "fields": list(fields.get("field", ())) or list(fields.get("yAxis", ())) or ["count()"],
        "yAxis": list(fields.get("yAxis", ())),
        "query": first(fields, "query"),
        "orderby": first(fields, "sort"),
        "display": first(fields, "display"),
        "topEvents": first(fields, "topEvents"),
        "range": first(fields, "statsPeriod"),
        "start": first(fields, "start"),
        "end": first(fields, "end"),
        "projects": [int(id) for id in fields.get("project", ()) if id.lstrip("-").isdecimal()],
        "environment": list(fields.get("environment", ())),
        "queryDataset": kind if kind != "spans" else "",
    }
    return {name: value for name, value in body.items() if value not in ("", [])} | {
        "projects": body["projects"],
        "environment": body["environment"],
    }
