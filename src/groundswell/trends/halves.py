"""The older comparison: each group before and after one instant, without a search for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from groundswell.errors import UserError
from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.datasets import source_of
from groundswell.stats.parameters import Page, Params
from groundswell.stats.request import Asking, SeriesRequest, TableRequest, TopEvents
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import choose_interval, parse_instant, parse_range
from groundswell.trends.rows import Row

TREND_TYPES = ("regression", "improved")
PER_PAGE = 5
_MOST_GROUPS = 10_000
_DEFAULT_COLUMN = "transaction.duration"
_QUANTILES = {"p50": "0.5", "p75": "0.75", "p95": "0.95", "p99": "0.99"}
_FUNCTION = re.compile(
    r"(p50|p75|p95|p99|percentile|avg)\(\s*([\w.\[\]]*)\s*(?:,\s*([\d.]+)\s*)?\)"
)
_FILTER = re.compile(
    r"(?<!\S)(trend_percentage|trend_difference|confidence|count_percentage|t_test)\(\)"
    r":(>=|<=|>|<|=)?(-?\d+(?:\.\d+)?)(%|ms|s)?(?!\S)"
)
_FACTORS = {"%": 0.01, "s": 1000.0, "ms": 1.0, None: 1.0}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
}
_TURNED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "="}


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter on a pseudo-function of the comparison, turned to the column that it is about."""

    column: str
    operator: str
    value: float

    def holds(self, row: Row) -> bool:
        found = row[self.column]
        return found is not None and _COMPARE[self.operator](found, self.value)


@dataclass(frozen=True, slots=True)
class HalvesRequest:
    """A question for groups compared around `middle`. names: column of the answer → its name."""

    table: TableRequest
    function: str
    names: Mapping[str, str]
    conditions: tuple[Condition, ...]
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
    window = parse_range(params, now=now, retention=retention)
    projects = parameters.projects(params, scope)
    if not projects:
        return None

    trend = parameters.first(params, "trendType") or TREND_TYPES[0]
    if trend not in TREND_TYPES:
        raise UserError(
            f"{trend} is not a supported trend type: trendType must be one of "
            f"{', '.join(TREND_TYPES)}",
            field="trendType",
        )

    middle = _middle(params, window.start, window.end)
    function = parameters.first(params, "trendFunction") or "p50()"
    names = _columns(function, middle.strftime("%Y-%m-%dT%H:%M:%S"))
    search, conditions = _conditions(parameters.first(params, "query") or "", trend)
    fields = tuple(
        name
        for name in parameters.texts(params, "field")
        if not re.match(r"(trend_|confidence|count_percentage|t_test)", name)
    ) or ("transaction", "project")
    source = source_of(parameters.first(params, "dataset") or "transactions", search, fields)
    asking = Asking(
        scope,
        source,
        window,
        projects,
        environments=parameters.environments(params),
        search=source.narrowed(search),
        retention=retention,
        now=now,
    )
    sort = (parameters.sorting(params) or ("",))[0]
    return HalvesRequest(
        TableRequest(
            asking,
            fields=(*fields, *dict.fromkeys(names.values())),
            page=Page(_MOST_GROUPS, 0),
        ),
        function,
        names,
        conditions,
        sort or ("trend_percentage()" if trend == "improved" else "-trend_percentage()"),
        page=parameters.page(params, default=PER_PAGE, maximum=PER_PAGE),
        width_s=choose_interval(window, parameters.first(params, "interval"), series=PER_PAGE),
    )


async def compare_halves(statistics: Statistics, request: HalvesRequest) -> Halves:
    """Compare every group around the middle; filter, sort and cut the page."""
    answer = await statistics.table(request.table)
    hidden = set(request.names.values())
    rows = [_row(row, request.names, hidden) for row in answer.rows]
    kept = [row for row in rows if all(each.holds(row) for each in request.conditions)]
    name = re.sub(r"\(\)$", "", request.sort.lstrip("-"))
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
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
        terms.append(f'{name}:"{quoted}"' if text else f"!has:{name}")
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


def _conditions(search: str, trend: str) -> tuple[str, tuple[Condition, ...]]:
    """Take the filters on the comparison out of a search."""
    found = []
    for name, operator, number, unit in _FILTER.findall(search):
        operator = operator or "="
        value = float(number) * _FACTORS[unit or None]
        improved = trend == "improved"
        if name == "trend_percentage":
            value = 1 - value if improved else 1 + value
            operator = _TURNED[operator] if improved else operator
        elif name == "trend_difference" and improved:
            value, operator = -value, _TURNED[operator]
        elif name in ("confidence", "t_test"):
            if name == "confidence" and not improved:
                value, operator = -value, _TURNED[operator]
            name = "t_test"
        found.append(Condition(name, operator, value))
    return _FILTER.sub("", search).strip(), tuple(found)


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
