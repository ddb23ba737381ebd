"""Which groups changed: parameters of events-trends-statsv2 → rows by strength, with their series.

Any function and any grouping of the query language; transactions where nothing else is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

import numpy as np

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.parameters import Page, Params
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import choose_interval, parse_period
from groundswell.trends.asked import read_asked
from groundswell.trends.conditions import Condition, taken_out
from groundswell.trends.metric import metric_of
from groundswell.trends.panel import Panel, PanelRequest, fetch, fields_of, newest
from groundswell.trends.rows import ORDERS, Order, Row, ordered, row_of

TREND_TYPES = {"regression": "regression", "improved": "improvement", "any": None}
DEFAULT_FUNCTION = "p50()"
DEFAULT_TOP, MAX_TOP, PER_PAGE = 45, 1000, 5
_SERIES_A_QUERY = 15  # what bounds the number of buckets
_WIDEST_S = 7_200
_PROJECT_FIELDS = frozenset({"project", "project.id", "project.name"})


@dataclass(frozen=True, slots=True)
class TrendsRequest:
    """A question for trends. `change` is the wanted word, None for both.

    near: unix seconds of the change that is wanted of several, the newest where nothing is said.
    """

    panel: PanelRequest
    change: str | None
    order: Order
    with_timeseries: bool
    page: Page
    conditions: tuple[Condition, ...] = ()
    near: float = inf


@dataclass(frozen=True, slots=True)
class Trends:
    """All rows in order, and the panel they were found in."""

    request: TrendsRequest
    panel: Panel
    rows: tuple[Row, ...]

    @property
    def has_more(self) -> bool:
        return len(self.rows) > self.request.page.offset + self.request.page.limit


def parse_trends(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> TrendsRequest | None:
    """Read the parameters of `events-trends-statsv2`; None where no project is left to ask about.

    Raises UserError that names the parameter and what is allowed, NotAllowed.
    """
    asked = read_asked(params, scope, now, retention)
    if asked is None:
        return None

    change = _change(params)
    function = parameters.first(params, "trendFunction") or DEFAULT_FUNCTION
    groups = _groups(params)
    search, conditions = taken_out(asked.search)
    asking = asked.asking((function, *groups), search=search)
    width_s = choose_interval(
        asked.window, parameters.first(params, "interval"), series=_SERIES_A_QUERY
    )
    if parse_period(parameters.first(params, "interval") or "") != width_s:
        width_s = min(width_s, _WIDEST_S)
    sort = "" if change is None else parameters.first(params, "sort") or "trend_percentage()"
    return TrendsRequest(
        PanelRequest(asking, function, groups, _top(params), width_s),
        change=change,
        order=ORDERS.get(sort, "strength"),
        conditions=conditions,
        with_timeseries=bool(parameters.first(params, "withTimeseries")),
        page=parameters.page(params, default=PER_PAGE, maximum=PER_PAGE),
    )


async def find_trends(statistics: Statistics, request: TrendsRequest) -> Trends:
    """Ask for the series and look for changes in the requested window."""
    panel = await fetch(statistics, request.panel)
    metric = metric_of(request.panel.function)
    start = request.panel.asking.window.start.timestamp()
    rows = [
        row_of(found, group.project, group.name, lower_is_better=metric.lower_is_better)
        for group, found in zip(
            panel.groups, newest(panel, metric, start, request.near), strict=True
        )
        if found is not None
    ]
    kept = [
        row
        for row in rows
        if request.change in (None, row["change"])
        and all(_holds(each, row) for each in request.conditions)
    ]
    return Trends(request, panel, tuple(ordered(kept, request.order)))


def _holds(condition: Condition, row: Row) -> bool:
    """Hold a filter on the comparison against a change, in the direction that it has."""
    counts = row["count_range_1"], row["count_range_2"]
    compared = {
        "trend_percentage": row["trend_percentage"],
        "trend_difference": row["trend_difference"],
        "t_test": row["unweighted_t_value"],
        "count_percentage": counts[1] / counts[0] if counts[0] else None,
    }
    return condition.holds(compared, falling=(row["trend_difference"] or 0.0) < 0)


def trends_body(trends: Trends) -> Row:
    """Give the body of `events-trends-statsv2`."""
    page = trends.request.page
    shown = list(trends.rows[page.offset : page.offset + page.limit])
    keys = {(row["project"], row["transaction"]) for row in shown}
    return {
        "events": {"data": shown, "meta": _meta()},
        "stats": {
            group.key: _series(trends, row)
            for row, group in enumerate(trends.panel.groups)
            if trends.request.with_timeseries or (group.project, group.name) in keys
        },
    }


def points_from(panel: Panel, row: int, start: float) -> list[list[object]]:
    """Give the points of one series from an instant on; a bucket without a value is 0."""
    values = np.nan_to_num(panel.values[row], nan=0.0, posinf=0.0, neginf=0.0)
    return [
        [at, [{"count": float(value)}]]
        for at, value in zip(panel.grid.starts, values, strict=True)
        if at >= start
    ]


def _series(trends: Trends, row: int) -> Row:
    group, grid = trends.panel.groups[row], trends.panel.grid
    start = trends.request.panel.asking.window.start.timestamp()
    return {
        "data": points_from(trends.panel, row, start),
        "project": group.project,
        "order": row,
        "isMetricsData": True,
        "data_start": grid.start,
        "data_end": grid.end,
        "request_start": int(start),
        "request_end": grid.end,
        "meta": {"fields": {}, "units": {}},
    }


def _meta() -> Row:
    return {
        "fields": {},
        "units": {},
        "isMetricsData": True,
        "isMetricsExtractedData": False,
        "tips": {},
        "datasetReason": "unchanged",
    }


def _change(params: Params) -> str | None:
    name = parameters.first(params, "trendType") or "regression"
    if name not in TREND_TYPES:
        raise UserError(
            f"{name} is not a supported trend type: trendType must be one of "
            f"{', '.join(TREND_TYPES)}",
            code="unknown_trend_type",
            field="trendType",
        )

    return TREND_TYPES[name]


def _top(params: Params) -> int:
    allowed = f"a whole number between 1 and {MAX_TOP}"
    top = parameters.whole(params, "topEvents", allowed)
    if top is None:
        return DEFAULT_TOP

    if top < 1:
        raise UserError(
            f"topEvents must be {allowed}, got {top}", code="top_events_range", field="topEvents"
        )

    return min(top, MAX_TOP)


def _groups(params: Params) -> tuple[str, ...]:
    """Read the grouping; the project is always part of it, and aggregates group nothing."""
    fields = fields_of(params)
    plain = tuple(name for name in fields if "(" not in name and name not in _PROJECT_FIELDS)
    return plain or ("transaction",)
