"""A link (and the saved query that it names) → the one statistics request it stands for. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from groundswell.errors import UserError
from groundswell.slack.links import Kind, Link
from groundswell.timeframe import MAX_POINTS, TimeRange, parse_period, parse_range

REFERRER = "discover.slack.unfurl"
DATE_KEYS = ("statsPeriod", "statsPeriodStart", "statsPeriodEnd", "start", "end")
_SAVED_DATASETS = {
    "discover": "discover",
    "error-events": "errors",
    "transaction-like": "transactions",
}
# Values of these do not add up, so their groups are drawn as lines, not stacked.
_UNSTACKABLE = frozenset(
    (
        *("count_unique", "failure_count", "min", "max", "p50", "p75", "p90", "p95", "p99"),
        *("p100", "percentile", "avg", "apdex", "user_misery", "failure_rate"),
    )
)
_AGGREGATE = re.compile(r"(\w+)\(.*\)\s*", re.DOTALL)
_EQUATION = "equation|"
_SUMS = frozenset({"count", "count_unique", "sum"})


class Display(StrEnum):
    """How the numbers of a link are drawn."""

    AREA = "default"
    BAR = "bar"
    LINE = "line"
    DAILY = "daily"
    PREVIOUS = "previous"
    TOP_AREA = "top5"
    TOP_LINE = "top5line"
    TOP_BAR = "dailytop5"


@dataclass(frozen=True, slots=True)
class ChartRequest:
    """Parameters of events-stats, how to draw the answer, and the name that people gave it.

    label: what its series are called where several requests are drawn in one chart.
    """

    params: Mapping[str, list[str]]
    display: Display
    name: str | None = None
    label: str = ""

    @property
    def axes(self) -> list[str]:
        return self.params["yAxis"]

    def without_comparison(self) -> ChartRequest:
        """Ask for the period alone, where the one before is older than what is kept."""
        params = {k: v for k, v in self.params.items() if k != "comparisonDelta"}
        return ChartRequest(params, Display.AREA, self.name)


def saved_query_id(link: Link) -> str | None:
    """Name the saved query that a Discover link is built on."""
    return link.first("id") if link.kind is Kind.DISCOVER else None


def from_link(
    link: Link, saved: Mapping[str, Any] | None, *, now: datetime, retention: timedelta
) -> ChartRequest:
    """Turn a Discover, Explore or trends link into its request.

    saved: the saved query as the API answers it, or None. Raises UserError for dates that cannot
    be read.
    """
    if link.kind is Kind.EXPLORE:
        return _from_explore(link, now=now, retention=retention)

    return _from_discover(link, saved or {}, now=now, retention=retention)


def _from_discover(
    link: Link, saved: Mapping[str, Any], *, now: datetime, retention: timedelta
) -> ChartRequest:
    params = _common(link)
    if not any(params.get(key) for key in DATE_KEYS):
        params.update(_saved_dates(saved))
    fields = link.values("field") or strings(saved.get("fields"))
    axes = (
        link.values("yAxis")
        or strings(saved.get("yAxis"))
        or [field for field in fields if is_aggregate(field)][:1]
        or ["count()"]
    )
    order = link.values("sort") or strings(saved.get("orderby"))
    dataset = (
        link.first("dataset")
        or _SAVED_DATASETS.get(link.first("queryDataset") or "")
        or _SAVED_DATASETS.get(str(saved.get("queryDataset")))
    )
    # An empty `query=` in the address means that the person cleared it.
    query = link.params["query"][0] if "query" in link.params else str(saved.get("query") or "")
    params.setdefault("project", strings(saved.get("projects")))
    params.setdefault("environment", strings(saved.get("environment")))
    params |= {"yAxis": axes, "field": fields, "sort": order, "query": [query]}
    if dataset:
        params["dataset"] = [dataset]
    wanted = link.first("display") or str(saved.get("display") or "default")
    display = _display(wanted, axes)
    if "top5" in wanted:
        top = link.first("topEvents") or str(saved.get("topEvents") or "") or "5"
        params["topEvents"] = [top]
        # Groups need a column; without one of their own people mean what went wrong.
        params["field"] = fields or ["title", axes[0]]
    if display is Display.PREVIOUS:
        _compare(params, now=now, retention=retention)
    intervals = (link.first("interval"), str(saved.get("interval") or ""))
    fit_interval(params, display, intervals, now=now, retention=retention)
    name = link.first("name") or str(saved.get("name") or "") or None
    return ChartRequest(_filled(params), display, name)


def _from_explore(link: Link, *, now: datetime, retention: timedelta) -> ChartRequest:
    params = _common(link)
    if not any(params.get(key) for key in DATE_KEYS):
        params["statsPeriod"] = ["14d"]
    visual = _visualized(link)
    defaults = {
        "traces": "count(span.duration)",
        "logs": "count(message)",
        "metrics": "sum(value)",
    }
    axes = visual.axes or [defaults[link.item]]
    groups = [group for group in visual.groups if group]
    query = link.first("query") or link.first("logsQuery") or ""
    params |= {"yAxis": axes[:1], "query": [query]}
    params["dataset"] = [{"traces": "spans", "logs": "logs", "metrics": "tracemetrics"}[link.item]]
    bars = visual.chart_type == 0 or (visual.chart_type is None and _function(axes[0]) in _SUMS)
    display = Display.AREA if visual.chart_type == 2 else Display.BAR if bars else Display.LINE
    if groups:
        named = {*axes, *groups}
        sorts = link.values("aggregateSort") or link.values("sort")
        kept = [sort for sort in sorts if sort.removeprefix("-") in named]
        params |= {
            "topEvents": ["5"],
            "field": [*groups, *axes[:1]],
            "sort": kept or [f"-{axes[0]}"],
        }
        display = (
            Display.TOP_BAR
            if bars
            else Display.TOP_AREA
            if visual.chart_type == 2
            else Display.TOP_LINE
        )
    window = parse_range(params, now=now, retention=retention)
    requested = link.first("interval")
    fits = requested and _fits(requested, window, 5 if groups else 1)
    params["interval"] = [requested if requested and fits else _explore_interval(window)]
    name = link.first("title") or f"Explore {link.item.capitalize()} - {axes[0]}"
    return ChartRequest(_filled(params), display, name)


@dataclass(frozen=True, slots=True)
class _Visual:
    axes: list[str]
    groups: list[str]
    chart_type: int | None


def _visualized(link: Link) -> _Visual:
    """Read what Explore draws: JSON objects in `visualize` or `aggregateField`, or plain names."""
    axes, groups = link.values("yAxis"), link.values("groupBy")
    chart_type: int | None = None
    for text in (*link.values("visualize"), *link.values("aggregateField")):
        try:
            entry = json.loads(text)
        except ValueError:
            continue
        if not isinstance(entry, dict):
            continue
        axes += strings(entry.get("yAxes")) + strings(entry.get("yAxis"))
        groups += strings(entry.get("groupBy"))
        if chart_type is None and entry.get("chartType") in {0, 1, 2}:
            chart_type = entry["chartType"]
    return _Visual(axes, groups, chart_type)


def is_aggregate(field: str) -> bool:
    """Say whether a field is an aggregate, or an equation that contains one."""
    if field.startswith(_EQUATION):
        return _AGGREGATE.search(field) is not None

    return _AGGREGATE.fullmatch(field) is not None


def _display(wanted: str, axes: Sequence[str]) -> Display:
    if "top5" in wanted and "daily" in wanted:
        return Display.TOP_BAR

    if "top5" in wanted:
        first = axes[0]
        as_lines = first.startswith(_EQUATION) or _function(first) in _UNSTACKABLE
        return Display.TOP_LINE if as_lines else Display.TOP_AREA

    if "previous" in wanted:
        return Display.PREVIOUS

    if "daily" in wanted:
        return Display.DAILY

    return {"bar": Display.BAR, "line": Display.LINE}.get(wanted, Display.AREA)


def _compare(params: dict[str, list[str]], *, now: datetime, retention: timedelta) -> None:
    """Compare with the period just before, whatever its length."""
    if not any(params.get(key) for key in DATE_KEYS):
        params["statsPeriod"] = ["14d"]
    period = parse_period((params.get("statsPeriod") or [""])[0])
    if period is None:
        period = round(parse_range(params, now=now, retention=retention).seconds)
    params["comparisonDelta"] = [str(period)]
    # Two periods of several aggregates cannot be told apart in one picture.
    params["yAxis"] = params["yAxis"][:1]


def fit_interval(
    params: dict[str, list[str]],
    display: Display,
    requested: Sequence[str | None],
    *,
    now: datetime,
    retention: timedelta,
) -> None:
    """Choose the width of the buckets: the first requested one that fits the range, else ours."""
    if display in {Display.DAILY, Display.TOP_BAR}:
        params["interval"] = ["1d"]
        return

    window = parse_range(params, now=now, retention=retention)
    series = _whole((params.get("topEvents") or ["1"])[0])
    fitting = (text for text in requested if text and _fits(text, window, series))
    params["interval"] = [next(fitting, None) or _ladder(window)]


def _ladder(window: TimeRange) -> str:
    days = window.seconds / 86_400
    for least, interval in ((60, "1d"), (30, "4h")):
        if days >= least:
            return interval

    return "1h" if days > 1 else "5m" if window.seconds > 3600 else "15m"


def _explore_interval(window: TimeRange) -> str:
    hours = window.seconds / 3600
    steps = ((30 * 24, "3h"), (14 * 24, "1h"), (4 * 24, "30m"), (48, "10m"), (12, "5m"))
    return next((interval for least, interval in steps if hours >= least), "1m")


def _fits(text: str, window: TimeRange, series: int) -> bool:
    width_s = parse_period(text)
    if not width_s:
        return False

    return width_s <= window.seconds and window.seconds / width_s <= MAX_POINTS / max(series, 1)


def _common(link: Link) -> dict[str, list[str]]:
    names = (*DATE_KEYS, "project", "projectSlug", "environment")
    found = {name: link.values(name) for name in names if link.values(name)}
    return {**found, "referrer": [REFERRER]}


def _saved_dates(saved: Mapping[str, Any]) -> dict[str, list[str]]:
    if saved.get("range"):
        return {"statsPeriod": [str(saved["range"])]}

    if saved.get("start") and saved.get("end"):
        return {"start": [str(saved["start"])], "end": [str(saved["end"])]}

    return {}


def strings(value: object) -> list[str]:
    """Read what may be a string, a number or a list of them."""
    if value is None or value == "":
        return []

    items = value if isinstance(value, (list, tuple)) else [value]
    return [str(item) for item in items if item not in (None, "")]


def _function(axis: str) -> str:
    return axis.partition("(")[0].strip()


def _whole(text: str) -> int:
    try:
        return max(int(text), 1)
    except ValueError:
        raise UserError(
            f"topEvents must be a whole number, got {text!r}", field="topEvents"
        ) from None


def _filled(params: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in params.items() if values}
