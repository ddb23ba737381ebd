"""One look at one project: series of its busiest groups → changes, and levels at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from groundswell.errors import UserError
from groundswell.model.tenancy import Project, Scope
from groundswell.model.trends import Subject, Trend, WatchSettings
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
    """What one look gives: believed changes, and the level at the end for each known trend.

    error: why a question could not be asked, where others could.
    """

    found: tuple[Spotted, ...]
    tails: Mapping[int, Tail]
    tested: int
    error: str | None = None


@dataclass(slots=True)
class _Look:
    """What the questions of one scan gave so far."""

    spotted: list[Spotted] = field(default_factory=list)
    tails: dict[int, Tail] = field(default_factory=dict)
    tested: int = 0


async def look(
    statistics: Statistics, scope: Scope, project: Project, settings: WatchSettings,
    known: Sequence[Trend], now: datetime,
) -> Scan:  # fmt: skip
    """Ask for the series of a project and look for changes.

    A question that means nothing does not keep the others from being asked. Raises UserError where
    none could be, StoreError.
    """
    open_ = [trend for trend in known if trend.status.is_open]
    asked = {each.subject: each.functions for each in settings.watched}
    for trend in open_:
        asked.setdefault(trend.subject, ())
    found, refused = _Look(), []
    for subject, functions in asked.items():
        mine = [trend for trend in open_ if trend.subject == subject]
        try:
            asking = asking_of(statistics, scope, project, now, subject)
            await _look_at(statistics, asking, subject, functions, mine, settings, found)
        except UserError as error:
            refused.append(error)
    if len(refused) == len(asked):
        raise refused[0]

    window = window_of(now)
    stand = believed(found.spotted, found.tested, settings, window.start, window.end)
    return Scan(tuple(stand), found.tails, found.tested, str(refused[0]) if refused else None)


async def _look_at(
    statistics: Statistics, asking: Asking, subject: Subject, watched: Sequence[str],
    known: Sequence[Trend], settings: WatchSettings, found: _Look,
) -> None:  # fmt: skip
    """Look at the groups of one subject."""
    functions = tuple(dict.fromkeys((*watched, *(trend.function for trend in known))))
    (project,) = asking.projects
    also = tuple(dict.fromkeys((int(project.id), *trend.raw) for trend in known))
    panel = await panel_of(statistics, asking, subject, functions, also, TOP)
    for function in functions:
        mine = panel if function == functions[0] else panel.of(function)
        metric = metric_of(function)
        by_group = dict(zip((g.raw for g in panel.groups), changes(mine, metric), strict=True))
        for trend in known:
            if trend.function == function:
                later = _later(trend, by_group[int(project.id), *trend.raw])
                tail = _tail(mine, trend, later, asking.window.end)
                if tail is not None:
                    found.tails[trend.id] = tail
        if function in watched:
            busy = [
                group
                for group in panel.groups
                if group.name.strip(",") and group.count >= settings.min_events
            ]
            found.tested += len(busy)
            found.spotted += [
                Spotted(
                    subject,
                    group.name,
                    group.raw[1:],
                    group.cells[1:],
                    function,
                    metric.lower_is_better,
                    by_group[group.raw],
                )
                for group in busy
                if by_group[group.raw]
            ]


def window_of(now: datetime) -> TimeRange:
    """Give the last whole hours of the scanned days."""
    end = now.replace(minute=0, second=0, microsecond=0)
    return TimeRange(end - SCANNED, end)


def asking_of(
    statistics: Statistics, scope: Scope, project: Project, now: datetime, subject: Subject
) -> Asking:
    """Say which events a scan reads."""
    source = source_of(subject.dataset, subject.query, subject.fields)
    retention = statistics.retention
    return Asking(
        scope,
        source,
        window_of(now),
        (project,),
        search=source.narrowed(subject.query),
        retention=retention,
        now=now,
    )


async def panel_of(
    statistics: Statistics, asking: Asking, subject: Subject, functions: tuple[str, ...],
    also: tuple[tuple[object, ...], ...], limit: int, history: timedelta = HISTORY,
) -> Panel:  # fmt: skip
    """Fetch the series of all functions in one statement."""
    request = PanelRequest(
        asking,
        functions[0],
        subject.fields,
        limit,
        WIDTH_S,
        extra=functions[1:],
        history=history,
        also=also,
    )
    return await fetch(statistics, request)


def row_of_group(panel: Panel, trend: Trend) -> int:
    """Find the series of a trend."""
    (row,) = (i for i, group in enumerate(panel.groups) if group.raw[1:] == trend.raw)
    return row


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

    row = row_of_group(panel, trend)
    chosen = np.asarray(panel.grid.starts) >= since.timestamp()
    values, events = panel.values[row, chosen], panel.events[row, chosen]
    if metric_of(trend.function).kind == "count":
        level = float(np.nan_to_num(values).mean()) if len(values) else 0.0
        return Tail(since, level, float("inf"))

    has = np.isfinite(values) & (events > 0)
    mass = float(events[has].sum())
    return Tail(since, float((values[has] * events[has]).sum()) / mass if mass else 0.0, mass)
