"""The older comparison: each group before and after one instant, without a search for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.query.sql.patterns import quoted
from groundswell.stats import parameters
from groundswell.stats.parameters import Page, Params
from groundswell.stats.request import SeriesRequest, TableRequest, TopEvents
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import choose_interval, parse_instant
from groundswell.trends.asked import read_asked
from groundswell.trends.conditions import Condition, taken_out
from groundswell.trends.panel import fields_of
from groundswell.trends.rows import Row

TREND_TYPES = ("regression", "improved")
PER_PAGE = 5
_MOST_GROUPS = 10_000
_DEFAULT_COLUMN = "transaction.duration"
_QUANTILES = {"p50": "0.5", "p75": "0.75", "p95": "0.95", "p99": "0.99"}
_FUNCTION = re.compile(
    r"(p50|p75|p95|p99|percentile|avg)\(\s*([\w.\[\]]*)\s*(?:,\s*([\d.]+)\s*)?\)"
)


@dataclass(frozen=True, slots=True)
class HalvesRequest:
    """A question for groups compared around `middle`. names: column of the answer → its name."""

    table: TableRequest
    function: str
    names: Mapping[str, str]
    conditions: tuple[Condition, ...]
    falling: bool
    sort: str
    page: Page
    width_s: int


@dataclass(frozen=True, slots=True)
class Halves:
    """The rows of one page."""

    rows: tuple[Row, ...]
    columns: Mapping[str, str]
    has_more: bool


def parse_halves(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> HalvesRequest | None:
    """Read the parameters of `events-trends`; None where no project is left to ask about.

    Raises UserError that names the parameter and what is allowed, NotAllowed.
    """
    asked = read_asked(params, scope, now, retention)
    if asked is None:
        return None

    trend = parameters.first(params, "trendType") or TREND_TYPES[0]
    if trend not in TREND_TYPES:
        raise UserError(
            f"{trend} is not a supported trend type: trendType must be one of "
            f"{', '.join(TREND_TYPES)}",
            field="trendType",
        )

    middle = _middle(params, asked.window.start, asked.window.end)
    function = parameters.first(params, "trendFunction") or "p50()"
    names = _columns(function, middle.strftime("%Y-%m-%dT%H:%M:%S"))
    search, conditions = taken_out(asked.search)
    fields = tuple(
        name
        for name in fields_of(params)
        if not re.match(r"(trend_|confidence|count_percentage|t_test)", name)
    ) or ("transaction", "project")
    sort = (parameters.sorting(params) or ("",))[0]
    return HalvesRequest(
        TableRequest(
            asked.asking(fields, search=search),
            fields=(*fields, *dict.fromkeys(names.values())),
            page=Page(_MOST_GROUPS, 0),
        ),
        function,
        names,
        conditions,
        trend == "improved",
        sort or ("trend_percentage()" if trend == "improved" else "-trend_percentage()"),
        page=parameters.page(params, default=PER_PAGE, maximum=PER_PAGE),
        width_s=choose_interval(
            asked.window, parameters.first(params, "interval"), series=PER_PAGE
        ),
    )


async def compare_halves(statistics: Statistics, request: HalvesRequest) -> Halves:
    """Compare every group around the middle; filter, sort and cut the page."""
    answer = await statistics.table(request.table)
    hidden = set(request.names.values())
    rows = [_row(row, request.names, hidden) for row in answer.rows]
    kept = [
        row
        for row in rows
        if all(each.holds(row, falling=request.falling) for each in request.conditions)
    ]
    name = re.sub(r"\(\)$", "", request.sort.lstrip("-"))
    name = "t_test" if name == "confidence" else name
    if any(name not in row for row in kept):
        raise UserError(
            f"sort {request.sort!r} must be one of the columns of the answer", field="sort"
        )

    down = request.sort.startswith("-")
    known = sorted((row for row in kept if row[name] is not None), key=lambda row: _key(row, name))
    in_order = (known[::-1] if down else known) + [row for row in kept if row[name] is None]
    first, limit = request.page.offset, request.page.limit
    columns = {key: type_ for key, (type_, _) in answer.columns.items() if key not in hidden}
    return Halves(tuple(in_order[first : first + limit]), columns, len(in_order) > first + limit)


async def series_of_halves(
    statistics: Statistics, request: HalvesRequest, found: Halves
) -> Mapping[str, Any]:
    """Ask for the series of the groups of a page → key of the group: series of the API."""
    if not found.rows:
        return {}

    fields = tuple(name for name in request.table.fields if "(" not in name)
    texts = tuple(name for name in fields if found.columns.get(name) == "string")
    named = " OR ".join(_named(row, texts) for row in found.rows)
    asking = request.table.asking
    if texts:
        search = f"({asking.search}) ({named})" if asking.search.strip() else named
        asking = replace(asking, search=search)
    top = TopEvents(_MOST_GROUPS, fields, with_other=False)
    answer = await statistics.series(
        SeriesRequest(
            asking,
            axes=(request.function,),
            functions=(request.function,),
            interval_s=request.width_s,
            top=top,
        )
    )
    wanted = {tuple(row[name] for name in fields) for row in found.rows}
    return {
        str(series.group): {
            "data": [
                [at, [{"count": value or 0}]]
                for at, value in zip(series.timestamps, series.values, strict=True)
            ],
            "order": series.order,
            "isMetricsData": False,
            "start": answer.start,
            "end": answer.end,
        }
        for series in answer.series
        if tuple(dict(series.group_values).get(name) for name in fields) in wanted
    }


def _named(row: Row, texts: tuple[str, ...]) -> str:
    """Write a search that finds the rows of one group, by its columns of text."""
    terms = []
    for name in texts:
        text = "" if row[name] is None else str(row[name])
        terms.append(f"{name}:{quoted(text)}" if text else f"!has:{name}")
    return f"({' '.join(terms)})"


def _row(row: Mapping[str, Any], names: Mapping[str, str], hidden: set[str]) -> Row:
    before, after = row[names["aggregate_range_1"]], row[names["aggregate_range_2"]]
    count_1, count_2 = row[names["count_range_1"]], row[names["count_range_2"]]
    return {
        **{name: value for name, value in row.items() if name not in hidden},
        "aggregate_range_1": before,
        "aggregate_range_2": after,
        "count_range_1": count_1,
        "count_range_2": count_2,
        "t_test": _t_test(row, names, count_1, count_2),
        "trend_percentage": None if not before or after is None else after / before,
        "trend_difference": None if before is None or after is None else after - before,
        "count_percentage": count_2 / count_1 if count_1 else None,
    }


def _t_test(
    row: Mapping[str, Any], names: Mapping[str, str], count_1: float, count_2: float
) -> float | None:
    parts = [
        row[names[name]] for name in ("avg_range_1", "avg_range_2", "var_range_1", "var_range_2")
    ]
    if any(part is None for part in parts) or not count_1 or not count_2:
        return None

    squared = parts[2] / count_1 + parts[3] / count_2
    return float((parts[0] - parts[1]) / sqrt(squared)) if squared > 0 else None


def _columns(function: str, middle: str) -> dict[str, str]:
    """Name the functions of the query language behind each column of the answer."""
    match = _FUNCTION.fullmatch(function.strip())
    if match is None or (match[1] == "percentile") != (match[3] is not None):
        raise UserError(
            f"trendFunction {function!r} must be one of {', '.join(_QUANTILES)}, avg or "
            "percentile over one column",
            code="unknown_function",
            field="trendFunction",
        )

    column = match[2] or _DEFAULT_COLUMN
    quantile: str | None = _QUANTILES.get(match[1], match[3])
    names = {}
    # The condition reads `condition(middle, timestamp)`.
    for side, condition in (("1", "greater"), ("2", "lessOrEquals")):
        mean = f"avg_range({column}, {condition}, {middle})"
        names[f"aggregate_range_{side}"] = (
            mean
            if quantile is None
            else f"percentile_range({column}, {quantile}, {condition}, {middle})"
        )
        names[f"avg_range_{side}"] = mean
        names[f"var_range_{side}"] = f"variance_range({column}, {condition}, {middle})"
        names[f"count_range_{side}"] = f"count_range({condition}, {middle})"
    return names


def _middle(params: Params, start: datetime, end: datetime) -> datetime:
    text = parameters.first(params, "middle")
    if text is None:
        return start + (end - start) / 2

    middle = parse_instant(text)
    if middle is None:
        raise UserError(f"middle {text!r} is not a valid ISO 8601 date", field="middle")

    if not start < middle < end:
        raise UserError(
            "The middle date should be within the duration of the query", field="middle"
        )

    return middle


def _key(row: Row, name: str) -> tuple[Any, ...]:
    return (row[name], str(row.get("transaction")))
