"""Widgets of dashboards: read from what clients send, and judged query by query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from groundswell.errors import UserError
from groundswell.model.tenancy import ProjectId, Scope
from groundswell.query.question import Dataset, Question
from groundswell.store.metadata.dashboards import Widget
from groundswell.timeframe import TimeRange, parse_period

if TYPE_CHECKING:
    from groundswell.stats.statistics import Statistics

DISPLAYS = ("line", "area", "stacked_area", "bar", "table", "big_number", "top_n")
# What a widget is about → the dataset that its queries are judged by; None: not by us.
TYPES: Mapping[str, Dataset | None] = {
    "discover": Dataset.DISCOVER,
    "issue": None,
    "metrics": None,
    "error-events": Dataset.ERRORS,
    "transaction-like": Dataset.TRANSACTIONS,
    "spans": Dataset.SPANS,
}
DEFAULT_TYPE = "discover"
MAX_TITLE = 255
MAX_LIMIT = 10
# Query ids are numbered within their widget, so that a widget's queries need no table.
QUERIES_PER_WIDGET = 100


class WidgetQuery(msgspec.Struct, rename="camel"):
    """One question of a widget, as clients send it."""

    name: str = ""
    fields: list[str] | None = None
    aggregates: list[str] | None = None
    columns: list[str] | None = None
    field_aliases: list[str] | None = None
    conditions: str | None = ""
    orderby: str | None = ""
    is_hidden: bool = False
    selected_aggregate: int | None = None

    @property
    def select(self) -> list[str]:
        """Give the columns and aggregates."""
        return [*(self.columns or ()), *(self.aggregates or ())]


class WidgetBody(msgspec.Struct, rename="camel"):
    """One widget, as clients send it. `id`: of the one that it replaces."""

    title: str
    display_type: str
    queries: list[WidgetQuery]
    id: int | str | None = None
    description: str | None = None
    interval: str | None = "5m"
    widget_type: str | int | None = None
    limit: int | None = None
    layout: dict[str, Any] | None = None
    thresholds: dict[str, Any] | None = None


async def judge_widget(
    statistics: Statistics, scope: Scope, widget: WidgetBody, now: datetime
) -> list[str]:
    """List what is wrong with a widget, and where; empty where nothing is."""
    wrong = _judge_shape(widget)
    dataset = TYPES.get(str(widget.widget_type or DEFAULT_TYPE))
    for position, query in enumerate(widget.queries):
        complete(query)
        place = f"queries[{position}]"
        if not query.select and widget.widget_type != "issue":
            wrong.append(f"{place}.fields: at least one field or aggregate is needed")
        elif dataset is not None:
            said = await _judge_query(statistics, scope, dataset, query, now)
            wrong += [f"{place}.{each}" for each in said]
    return wrong


def complete(query: WidgetQuery) -> None:
    """Fill columns and aggregates from fields, or the other way round."""
    if query.aggregates is None and query.columns is None:
        fields = query.fields or []
        query.aggregates = [f for f in fields if _is_aggregate(f)]
        query.columns = [f for f in fields if not _is_aggregate(f)]
    query.aggregates = query.aggregates or []
    query.columns = query.columns or []
    query.fields = query.fields or query.select


def stored(widget: WidgetBody) -> Widget:
    """Turn a widget that was judged into what is kept."""
    kept = {
        "displayType": widget.display_type,
        "description": widget.description,
        "interval": widget.interval or "5m",
        "limit": widget.limit,
        "layout": widget.layout,
        "thresholds": widget.thresholds,
        "queries": [msgspec.to_builtins(query) for query in widget.queries],
    }
    kind = str(widget.widget_type or DEFAULT_TYPE)
    return Widget(id=int(widget.id or 0), title=widget.title.strip(), widget_type=kind, body=kept)


def widget_shape(widget: Widget, created: str) -> dict[str, Any]:
    """Give a widget as clients read it."""
    body = widget.body
    return {
        "id": str(widget.id),
        "title": widget.title,
        "description": body.get("description"),
        "displayType": body["displayType"],
        "thresholds": body.get("thresholds"),
        "interval": body.get("interval"),
        "dateCreated": created,
        "dashboardId": str(widget.dashboard_id),
        "queries": [
            _query_shape(query, widget.id, position)
            for position, query in enumerate(body["queries"])
        ],
        "limit": body.get("limit"),
        "widgetType": widget.split or widget.widget_type or DEFAULT_TYPE,
        "layout": body.get("layout"),
        "datasetSource": widget.dataset_source,
        "exploreUrls": None,
    }


def _query_shape(query: Mapping[str, Any], widget_id: int, position: int) -> dict[str, Any]:
    return {
        "id": str(widget_id * QUERIES_PER_WIDGET + position),
        "widgetId": str(widget_id),
        "name": query.get("name") or "",
        "fields": query.get("fields") or [],
        "aggregates": query.get("aggregates") or [],
        "columns": query.get("columns") or [],
        "fieldAliases": query.get("fieldAliases") or [],
        "conditions": query.get("conditions") or "",
        "orderby": query.get("orderby") or "",
        "isHidden": bool(query.get("isHidden")),
        "selectedAggregate": query.get("selectedAggregate"),
        "onDemand": [],
    }


def _judge_shape(widget: WidgetBody) -> list[str]:
    wrong: list[str] = []
    if not widget.title.strip() or len(widget.title) > MAX_TITLE:
        wrong.append(f"title: between 1 and {MAX_TITLE} characters are needed")
    if widget.display_type not in DISPLAYS:
        wrong.append(
            f"displayType must be one of {', '.join(DISPLAYS)}; got {widget.display_type!r}"
        )
    kind = str(widget.widget_type or DEFAULT_TYPE)
    if kind not in TYPES:
        wrong.append(f"widgetType must be one of {', '.join(TYPES)}; got {kind!r}")
    if not 0 < len(widget.queries) < QUERIES_PER_WIDGET:
        wrong.append("queries: at least one query is needed")
    if widget.limit is not None and not 1 <= widget.limit <= MAX_LIMIT:
        wrong.append(f"limit must be between 1 and {MAX_LIMIT}, got {widget.limit}")
    if widget.interval and not parse_period(widget.interval):
        wrong.append(f"interval must be a width such as 5m, got {widget.interval!r}")
    if widget.id is not None and not str(widget.id).isdecimal():
        wrong.append(f"id must be a number, got {widget.id!r}")
    return wrong


async def _judge_query(
    statistics: Statistics, scope: Scope, dataset: Dataset, query: WidgetQuery, now: datetime
) -> list[str]:
    """Compile a query as it will be asked: its fields, its conditions, its order."""
    question = Question(
        dataset=dataset,
        window=TimeRange(now - timedelta(days=1), now),
        projects=tuple(project.id for project in scope.projects) or (ProjectId(0),),
        select=tuple(query.select),
        limit=1,
        now=now,
    )
    conditions = {"search": query.conditions or ""}
    order = _order(query)
    attempts: Sequence[tuple[str, dict[str, Any]]] = (
        ("fields", {}),
        ("conditions", conditions),
        ("orderby", {"order_by": (order,) if order else ()}),
        ("orderby", {"select": (*query.select, *_unselected(query))}),
    )
    for place, more in attempts:
        try:
            await statistics.compile(_with(question, more), scope)
        except UserError as error:
            return [f"{place}: {error.message}"]
    return []


def _with(question: Question, more: Mapping[str, Any]) -> Question:
    return replace(question, **more)


def _order(query: WidgetQuery) -> str:
    """The order, where it is by something that is selected; clients also send aliases."""
    text = (query.orderby or "").strip()
    return text if text.lstrip("-") in query.select else ""


def _unselected(query: WidgetQuery) -> tuple[str, ...]:
    """A function that orders without being selected, which must exist at least."""
    text = (query.orderby or "").strip().lstrip("-")
    return (text,) if _is_aggregate(text) and text not in query.select else ()


def _is_aggregate(field: str) -> bool:
    return field.startswith("equation|") or (field.endswith(")") and "(" in field)
