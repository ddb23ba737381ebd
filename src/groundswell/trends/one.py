"""One trend: the series of one group, its newest change, and the releases that began meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from groundswell.model.tenancy import Scope
from groundswell.stats import parameters
from groundswell.stats.parameters import Page, Params
from groundswell.stats.request import TableRequest
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import parse_instant
from groundswell.trends.metric import metric_of
from groundswell.trends.panel import Panel, title_of
from groundswell.trends.rows import Row
from groundswell.trends.transactions import TrendsRequest, find_trends, parse_trends

_MOST_RELEASES = 20
# What asks for many groups or a page of them.
_OF_LISTS = frozenset({"topEvents", "trendType", "sort", "per_page", "cursor"})


@dataclass(frozen=True, slots=True)
class OneTrend:
    """One group: `values[i]` (None: no data) belongs to the bucket that starts at `timestamps[i]`.

    change: the row of its change in the window, None where it kept its level.
    releases: (unix second of its first event in the window, version).
    """

    name: str
    project: str
    function: str
    type: str
    unit: str | None
    timestamps: tuple[int, ...]
    values: tuple[float | None, ...]
    interval_s: int
    change: Row | None
    releases: tuple[tuple[int, str], ...]


def parse_one(
    params: Params, scope: Scope, now: datetime, retention: timedelta
) -> TrendsRequest | None:
    """Read the parameters of trends for the one group that `query` leaves over.

    `breakpoint` says which of its changes is meant; the newest where nothing is said.

    Raises UserError, NotAllowed; None where no project is left to ask about.
    """
    asked = {name: values for name, values in params.items() if name not in _OF_LISTS}
    asked |= {"trendType": ["any"], "topEvents": ["1"]}
    request = parse_trends(asked, scope, now, retention)
    at = parse_instant(parameters.first(params, "breakpoint") or "")
    return request if request is None or at is None else replace(request, near=at.timestamp())


async def find_one(statistics: Statistics, request: TrendsRequest) -> OneTrend | None:
    """Ask for the series of the group; None where nothing matches."""
    trends = await find_trends(statistics, request)
    if not trends.panel.groups:
        return None

    function = request.panel.function
    group = trends.panel.groups[0]
    timestamps, values = series_of(trends.panel, 0, function, request)
    return OneTrend(
        name=title_of(request.panel.groups, group.cells[1:]),
        project=group.project,
        function=function,
        type=trends.panel.type,
        unit=trends.panel.unit,
        timestamps=timestamps,
        values=values,
        interval_s=trends.panel.grid.width_s,
        change=trends.rows[0] if trends.rows else None,
        releases=await _releases(statistics, request),
    )


def series_of(
    panel: Panel, row: int, function: str, request: TrendsRequest
) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """Give the buckets of the requested window; without events a count is 0, a level unknown.

    Nothing is known of what lies ahead.
    """
    start = request.panel.asking.window.start.timestamp()
    is_count = metric_of(function).kind == "count"
    kept = [
        (int(at), float(value) if np.isfinite(value) else 0.0 if is_count and known else None)
        for at, value, known in zip(
            panel.grid.starts, panel.values[row], panel.is_known, strict=True
        )
        if at >= start
    ]
    return tuple(at for at, _ in kept), tuple(value for _, value in kept)


async def _releases(statistics: Statistics, request: TrendsRequest) -> tuple[tuple[int, str], ...]:
    first = "min(timestamp)"
    answer = await statistics.table(
        TableRequest(
            request.panel.asking,
            fields=("release", first),
            sort=(first,),
            page=Page(_MOST_RELEASES, 0),
        )
    )
    found = [(parse_instant(str(row[first])), str(row["release"] or "")) for row in answer.rows]
    seen = [(int(at.timestamp()), version) for at, version in found if at and version]
    start = request.panel.asking.window.start.timestamp()
    # The release that was there from the beginning did not begin in the window.
    width_s = request.panel.width_s
    return tuple((at, version) for at, version in seen if at > start + width_s)
