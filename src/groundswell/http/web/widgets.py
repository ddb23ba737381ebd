"""Widgets of a dashboard → what is asked, and how the answers are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from groundswell.charts.spec import Chart, Kind
from groundswell.charts.summary import summarize
from groundswell.errors import UserError
from groundswell.http.charting import Look, ask_chart
from groundswell.http.web.cells import NUMBERS, Shown, plain
from groundswell.http.web.issues import SORTS, rows_of
from groundswell.http.web.state import State
from groundswell.model.tenancy import Scope
from groundswell.stats.issue_list import list_issues, parse_issues
from groundswell.stats.request import parse_table
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata.dashboards import Widget

ROWS = 10
_DATASETS = MappingProxyType(
    {
        "error-events": "errors", "transaction-like": "transactions", "metrics": "metricsEnhanced",
        "spans": "spans",
    }
)  # fmt: skip
_DISPLAYS = MappingProxyType(
    {"line": "line", "area": "area", "stacked_area": "area", "bar": "bar", "top_n": "top5"}
)
_DISCOVER = MappingProxyType({"line": "line", "bar": "bar", "top_n": "top5"})


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a widget in words."""

    columns: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[Shown, ...], ...]


def is_of_issues(widget: Widget) -> bool:
    """Say whether a widget lists issues."""
    return (widget.split or widget.widget_type) == "issue"


def queries_of(widget: Widget) -> list[Mapping[str, Any]]:
    """List the questions of a widget that are shown."""
    return [query for query in widget.body["queries"] if not query.get("isHidden")]


def _first(widget: Widget) -> Mapping[str, Any]:
    for query in queries_of(widget):
        return query

    raise UserError("This widget has no question that is shown.")


def params_of(widget: Widget, query: Mapping[str, Any], state: State) -> dict[str, list[str]]:
    """Write what one question of a widget asks, in the time and place that the page shows."""
    aggregates, columns = query.get("aggregates") or [], query.get("columns") or []
    names = ("project", "projectSlug", "environment", "statsPeriod", "start", "end")
    found = {name: list(state.asked.params[name]) for name in names if state.asked.params.get(name)}
    found |= {"query": [query.get("conditions") or ""], "field": [*columns, *aggregates]}
    order = query.get("orderby") or (f"-{aggregates[0]}" if aggregates and columns else "")
    if order:
        found["sort"] = [order]
    dataset = _DATASETS.get(str(widget.split or widget.widget_type))
    if dataset:
        found["dataset"] = [dataset]
    return found


async def ask_widget(
    statistics: Statistics, widget: Widget, state: State, scope: Scope, look: Look
) -> tuple[Chart, str]:
    """Ask the series of every question of a widget and lay them out in one chart, with a sentence.

    Raises what a question for the same series raises.
    """
    queries = queries_of(widget)
    look = replace(look, display=_DISPLAYS.get(widget.body["displayType"], "line"))
    charts = []
    sentence = ""
    for query in queries:
        params = params_of(widget, query, state) | {"yAxis": list(query.get("aggregates") or [])}
        params["partial"] = ["1"]
        if query.get("columns"):
            params["topEvents"] = [str(widget.body.get("limit") or 5)]
        else:
            params.pop("sort", None)
        is_plain = not query.get("columns") and len(params["yAxis"]) == 1
        shown = "default" if is_plain and look.display == "area" else look.display
        own = replace(look, title=widget.title, display=shown)
        answer, drawn = await ask_chart(statistics, params, scope, own)
        sentence = sentence or summarize(answer, title=widget.title).sentence
        charts.append(drawn)
    if not charts:
        raise UserError("This widget has no question that is shown.")

    if len(charts) == 1:
        return charts[0], sentence

    lines = tuple(
        replace(line, name=_line_name(query, line.name, several=len(drawn.lines) > 1))
        for query, drawn in zip(queries, charts, strict=True)
        for line in drawn.lines
    )
    kind = Kind.LINE if charts[0].kind is Kind.AREA else charts[0].kind
    return replace(charts[0], lines=lines, kind=kind), sentence


async def ask_table(
    statistics: Statistics, widget: Widget, state: State, scope: Scope, now: datetime
) -> Table:
    """Ask the rows of a widget's first question."""
    query = _first(widget)
    names = [str(name) for name in query.get("fields") or ()]
    params = params_of(widget, query, state) | {"field": names}
    params["per_page"] = [str(widget.body.get("limit") or ROWS)]
    answer = await statistics.table(parse_table(params, scope, now, statistics.retention))
    aliases = list(query.get("fieldAliases") or ())
    heads = [alias or name for alias, name in zip([*aliases, *names][: len(names)], names,
             strict=True)] if len(aliases) == len(names) else names  # fmt: skip
    types = [answer.columns.get(name, ("string", None))[0] for name in names]
    return Table(
        tuple((head, kind in NUMBERS) for head, kind in zip(heads, types, strict=True)),
        tuple(tuple(plain(answer, name, row.get(name)) for name in names) for row in answer.rows),
    )


async def ask_issues(
    statistics: Statistics,
    metadata: Metadata,
    widget: Widget,
    state: State,
    scope: Scope,
    now: datetime,
) -> Table:
    """Ask the issues of a widget's first question."""
    query = _first(widget)
    params = _issue_params(params_of(widget, query, state))
    params["per_page"] = [str(widget.body.get("limit") or ROWS)]
    asked = parse_issues(params, scope, now, statistics)
    found = await list_issues(statistics, metadata, asked)
    base = f"/organizations/{scope.organization.slug}/issues/"
    rows = [
        (
            Shown(row.title, address=row.address),
            Shown(row.events, is_number=True),
            Shown(row.users, is_number=True),
            Shown(row.last_seen),
        )
        for row in rows_of(found, scope, base, now)
    ]
    heads = (("Issue", False), ("Events", True), ("Users", True), ("Last seen", False))
    return Table(heads, tuple(rows))


def _issue_params(params: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Keep what a list of issues is asked by; widgets may order by words that it does not know."""
    names = ("project", "projectSlug", "environment", "query", "statsPeriod", "start", "end")
    kept = {name: list(params[name]) for name in names if params.get(name)}
    sort = [word for word in params.get("sort", ()) if word in SORTS]
    return kept | ({"sort": sort[:1]} if sort else {})


def discover_params(widget: Widget, state: State) -> dict[str, Sequence[str]]:
    """Write the address parameters of Discover, or of the issues, for a widget's first question."""
    queries = widget.body["queries"]
    if not queries:
        return {}

    params = params_of(widget, queries[0], state)
    if is_of_issues(widget):
        return dict(_issue_params(params))

    display = _DISCOVER.get(widget.body["displayType"], "default")
    return {
        **params,
        "name": [widget.title],
        "yAxis": list(queries[0].get("aggregates") or []),
        "display": [display],
    }


def _line_name(query: Mapping[str, Any], name: str, *, several: bool) -> str:
    own = str(query.get("name") or query.get("conditions") or "")
    if not own:
        return name

    return f"{own} · {name}" if several else own
