"""Which functions of profiles changed: parameters of profiling/function-trends → rows with series.

The first fifth of the window is history: changes in it are not reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.parameters import Page, Params
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange
from groundswell.trends.asked import read_asked
from groundswell.trends.metric import metric_of
from groundswell.trends.panel import Panel, PanelRequest, fetch, newest
from groundswell.trends.rows import Row, ordered, row_of
from groundswell.trends.transactions import points_from

TRENDS = ("regression", "improvement")
MAX_THRESHOLD, DEFAULT_THRESHOLD = 1000, 16
PER_PAGE = 5
_TOP = 50
_LONGEST_FUNCTION = 10
_NS_PER_MS = 1_000_000
_HISTORY_SHARE = 5
_DAY_S, _HOUR_S = 86_400, 3_600
_WIDTHS = ((60, 12), (30, 8), (14, 4), (7, 2))  # over so many days: so many hours
_ROUNDING_S = 1_800  # how much longer a period becomes when its ends are rounded
DATASET = "profileFunctions"
_WORST = "worst()"
_GROUPS = ("fingerprint", "package", "function")


@dataclass(frozen=True, slots=True)
class FunctionTrendsRequest:
    """A question for functions that changed. threshold_ms: the least change."""

    panel: PanelRequest
    trend: str
    threshold_ms: int
    page: Page


@dataclass(frozen=True, slots=True)
class FunctionTrends:
    """The rows of one page, and whether there are more."""

    rows: tuple[Row, ...]
    has_more: bool


def refusals(params: Params) -> dict[str, list[str]]:
    """Say what is wrong with the parameters of this endpoint, by parameter; empty where nothing."""
    found: dict[str, list[str]] = {}
    function = parameters.first(params, "function") or ""
    if not function.strip():
        found["function"] = ["This field is required: a function such as p95()."]
    elif len(function) > _LONGEST_FUNCTION:
        found["function"] = [f"Ensure this field has no more than {_LONGEST_FUNCTION} characters."]

    trend = parameters.first(params, "trend")
    if not trend:
        found["trend"] = [f"This field is required: {' or '.join(TRENDS)}."]
    elif trend not in TRENDS:
        found["trend"] = [f'Unknown trend: "{trend}". Must be one of: {", ".join(TRENDS)}.']

    threshold = parameters.first(params, "threshold")
    if threshold is not None and _threshold(threshold) is None:
        found["threshold"] = [
            f"A valid integer between 0 and {MAX_THRESHOLD} (milliseconds) is required."
        ]
    return found


def parse_function_trends(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> FunctionTrendsRequest | None:
    """Read parameters that `refusals` let pass; None where no project is left to ask about."""
    asked = read_asked(params, scope, now, retention)
    if asked is None:
        return None

    function = (parameters.first(params, "function") or "").strip()
    asking = asked.asking((function, *_GROUPS), dataset=DATASET)
    threshold = _threshold(parameters.first(params, "threshold") or str(DEFAULT_THRESHOLD))
    return FunctionTrendsRequest(
        PanelRequest(
            asking,
            function,
            _GROUPS,
            _TOP,
            bucket_width(asked.window),
            extra=(_WORST,),
            history=timedelta(0),
            function_field="function",
        ),
        trend=parameters.first(params, "trend") or TRENDS[0],
        threshold_ms=DEFAULT_THRESHOLD if threshold is None else threshold,
        page=parameters.page(params, default=PER_PAGE, maximum=PER_PAGE),
    )


def bucket_width(window: TimeRange) -> int:
    """Choose the bucket width in seconds by the length of the window alone."""
    hours = next(
        (hours for days, hours in _WIDTHS if window.seconds - _ROUNDING_S > days * _DAY_S), 1
    )
    return hours * _HOUR_S


async def find_function_trends(
    statistics: Statistics, request: FunctionTrendsRequest
) -> FunctionTrends:
    """Ask for the series of the most called functions and look for changes."""
    panel = await fetch(statistics, request.panel)
    starts = panel.grid.starts
    if not starts:
        return FunctionTrends((), has_more=False)

    metric = metric_of(request.panel.function)
    found = newest(panel, metric, starts[len(starts) // _HISTORY_SHARE])
    rows = []
    for place, (group, change) in enumerate(zip(panel.groups, found, strict=True)):
        if change is None:
            continue

        row = row_of(change, group.project, group.name, lower_is_better=metric.lower_is_better)
        least = request.threshold_ms * _NS_PER_MS
        if row["change"] == request.trend and abs(change.trend_difference) >= least:
            rows.append({**row, "_place": place})

    in_order = ordered(rows, "regressed" if request.trend == "regression" else "improved")
    first, limit = request.page.offset, request.page.limit
    shown = tuple(_described(panel, row) for row in in_order[first : first + limit])
    return FunctionTrends(shown, has_more=len(in_order) > first + limit)


def _described(panel: Panel, row: Row) -> Row:
    place = row.pop("_place")
    row.pop("transaction")
    group, grid = panel.groups[place], panel.grid
    _, fingerprint, package, function = group.cells
    examples = [
        [grid.starts[at], _hex(cells[_WORST])]
        for at, cells in sorted(panel.extra[place].items())
        if cells[_WORST]
    ]
    return {
        **row,
        "fingerprint": fingerprint,
        "package": package,
        "function": function,
        "count()": int(group.count),
        "stats": {
            "data": points_from(panel, place, grid.starts[0]),
            "order": place,
            "isMetricsData": False,
            "start": grid.start,
            "end": grid.end,
            "meta": {},
        },
        "worst": examples,
        "examples": examples,
    }


def _hex(profile: object) -> str:
    return str(profile).replace("-", "")


def _threshold(text: str) -> int | None:
    try:
        threshold = int(text)
    except ValueError:
        return None

    return threshold if 0 <= threshold <= MAX_THRESHOLD else None
