"""One look at one project: series of its busiest transactions → changes, and levels at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from groundswell.model.tenancy import Project, Scope
from groundswell.model.trends import Trend, WatchSettings
from groundswell.stats.datasets import source_of
from groundswell.stats.request import Asking
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange
from groundswell.trends.breakpoints import Breakpoint
from groundswell.trends.metric import metric_of
from groundswell.trends.panel import Panel, PanelRequest, changes, fetch
from groundswell.trends.watch.plan import (
    HISTORY,
    SCANNED,
    WIDTH_S,
    Spotted,
    Tail,
    believed,
    tail_start,
)

TOP = 100


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look gives: believed changes, and the level at the end for each known trend."""

    found: tuple[Spotted, ...]
    tails: Mapping[int, Tail]
    tested: int


async def look(
    statistics: Statistics, scope: Scope, project: Project, settings: WatchSettings,
    known: Sequence[Trend], now: datetime,
) -> Scan:  # fmt: skip
    """Ask for the series of a project and look for changes. Raises UserError, StoreError."""
    open_ = [trend for trend in known if trend.status.is_open]
    functions = tuple(dict.fromkeys((*settings.functions, *(trend.function for trend in open_))))
    also = tuple((int(project.id), trend.group) for trend in open_)
    asking = asking_of(statistics, scope, project, now)
    panel = await panel_of(statistics, asking, functions, tuple(dict.fromkeys(also)), TOP)
    spotted: list[Spotted] = []
    tails: dict[int, Tail] = {}
    tested = 0
    for function in functions:
        mine = panel if function == functions[0] else panel.of(function)
        metric = metric_of(function)
        by_group = dict(zip((g.name for g in panel.groups), changes(mine, metric), strict=True))
        for trend in open_:
            if trend.function == function:
                later = _later(trend, by_group[trend.group])
                tail = _tail(mine, trend, later, asking.window.end)
                if tail is not None:
                    tails[trend.id] = tail
        if function in settings.functions:
            busy = [
                group.name
                for group in panel.groups
                if group.name and group.count >= settings.min_events
            ]
            tested += len(busy)
            spotted += [
                Spotted(name, function, metric.lower_is_better, by_group[name])
                for name in busy
                if by_group[name]
            ]
    start, end = asking.window.start, asking.window.end
    return Scan(tuple(believed(spotted, tested, settings, start, end)), tails, tested)


def asking_of(statistics: Statistics, scope: Scope, project: Project, now: datetime) -> Asking:
    """Say which events a scan reads: those of the last whole hours of the scanned days."""
    end = now.replace(minute=0, second=0, microsecond=0)
    source = source_of("transactions", "", ("transaction",))
    window = TimeRange(end - SCANNED, end)
    retention = statistics.retention
    return Asking(scope, source, window, (project,), retention=retention, now=now)


async def panel_of(
    statistics: Statistics, asking: Asking, functions: tuple[str, ...],
    also: tuple[tuple[object, ...], ...], limit: int, history: timedelta = HISTORY,
) -> Panel:  # fmt: skip
    """Fetch the series of all functions in one statement."""
    request = PanelRequest(
        asking,
        functions[0],
        ("transaction",),
        limit,
        WIDTH_S,
        extra=functions[1:],
        history=history,
        also=also,
    )
    return await fetch(statistics, request)


def _later(trend: Trend, found: tuple[Breakpoint, ...]) -> Breakpoint | None:
    after = [
        each
        for each in found
        if each.direction == -trend.direction and each.breakpoint > trend.at.timestamp()
    ]
    return after[-1] if after else None


def _tail(panel: Panel, trend: Trend, later: Breakpoint | None, end: datetime) -> Tail | None:
    since = tail_start(trend, later, end)
    if since is None:
        return None

    (row,) = (i for i, group in enumerate(panel.groups) if group.name == trend.group)
    chosen = np.asarray(panel.grid.starts) >= since.timestamp()
    values, events = panel.values[row, chosen], panel.events[row, chosen]
    if metric_of(trend.function).kind == "count":
        level = float(np.nan_to_num(values).mean()) if len(values) else 0.0
        return Tail(since, level, float("inf"))

    has = np.isfinite(values) & (events > 0)
    mass = float(events[has].sum())
    return Tail(since, float((values[has] * events[has]).sum()) / mass if mass else 0.0, mass)
