"""A week of a project as a document: what became worse, what became better, with charts as data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from groundswell.model.tenancy import Project, Scope
from groundswell.model.trends import Status, Trend
from groundswell.stats.statistics import Statistics
from groundswell.store.metadata import Metadata
from groundswell.store.metadata import trends as rows
from groundswell.store.metadata.trends import Wanted
from groundswell.trends.panel import Panel
from groundswell.trends.rows import Row, strength
from groundswell.trends.watch.describe import described, headline
from groundswell.trends.watch.plan import WEEK, WIDTH_S
from groundswell.trends.watch.scan import asking_of, panel_of, row_of_group

MOST = 5
_MOST_OF_A_WEEK = 1_000
_SHOWN = timedelta(days=14)
_TOLD = (Status.NEW, Status.ACKNOWLEDGED, Status.RECOVERED)


async def digest_of(
    metadata: Metadata, statistics: Statistics, scope: Scope, project: Project, end: datetime
) -> Row:
    """Sum up the week before `end`: the strongest changes in either direction, and their charts."""
    start = end - WEEK
    wanted = Wanted((project.id,), _TOLD, since=start)
    found = await metadata.run(rows.list_trends, project.org_id, wanted, limit=_MOST_OF_A_WEEK)
    found = [trend for trend in found if trend.at < end]
    top = {change: _top(found, change) for change in ("regression", "improvement")}
    shown = [trend for trends in top.values() for trend in trends]
    charts = await charts_of(statistics, scope, project, shown, end)
    entries = {
        trend.id: {**described(trend, project), "title": headline(trend), "chart": chart}
        for trend, chart in zip(shown, charts, strict=True)
    }
    slug = scope.organization.slug
    return {
        "title": f"Trends of {project.slug}, the week to {end:%Y-%m-%d}",
        "text": _lines([*top["regression"], *top["improvement"]]),
        "org": slug,
        "project": {"id": str(project.id), "slug": project.slug},
        "start": int(start.timestamp()),
        "end": int(end.timestamp()),
        "found": len(found),
        "recovered": sum(trend.status is Status.RECOVERED for trend in found),
        "regressions": [entries[trend.id] for trend in top["regression"]],
        "improvements": [entries[trend.id] for trend in top["improvement"]],
        "path": f"/organizations/{slug}/trends/?project={project.id}",
    }


async def charts_of(
    statistics: Statistics, scope: Scope, project: Project, trends: Sequence[Trend], end: datetime
) -> list[Row]:
    """Give the chart of each trend of one project: two weeks by the hour up to `end`, as data."""
    charts: dict[int, Row] = {}
    for subject in dict.fromkeys(trend.subject for trend in trends):
        mine = [trend for trend in trends if trend.subject == subject]
        functions = tuple(dict.fromkeys(trend.function for trend in mine))
        also = tuple(dict.fromkeys((int(project.id), *trend.raw) for trend in mine))
        asking = asking_of(statistics, scope, project, end, subject)
        panel = await panel_of(
            statistics, asking, subject, functions, also, limit=0, history=_SHOWN
        )
        panels = {name: panel if name == functions[0] else panel.of(name) for name in functions}
        charts |= {trend.id: chart_of(panels[trend.function], trend) for trend in mine}
    return [charts[trend.id] for trend in trends]


def chart_of(panel: Panel, trend: Trend) -> Row:
    """Give one chart as plain data: the line, levels before and after, the breakpoint as a rule."""
    row = row_of_group(panel, trend)
    starts = [int(start) for start in panel.grid.starts]
    values = [float(value) if np.isfinite(value) else None for value in panel.values[row]]
    at = int(trend.at.timestamp())
    ends_at = panel.grid.end
    if trend.recovered_at is not None:
        ends_at = max(at, int(trend.recovered_at.timestamp()))
    return {
        "title": headline(trend),
        "interval_s": WIDTH_S,
        "type": panel.type,
        "unit": panel.unit,
        "lines": [{"name": trend.function, "timestamps": starts, "values": values}],
        "levels": [
            {"name": "before", "start": panel.grid.start, "end": at, "value": trend.before},
            {"name": "after", "start": at, "end": ends_at, "value": trend.after},
        ],
        "markers": [{"at": at, "label": trend.change}],
    }


def _top(found: Sequence[Trend], change: str) -> list[Trend]:
    return sorted(
        (trend for trend in found if trend.change == change),
        key=lambda trend: (-strength(trend.ratio), trend.group, trend.function),
    )[:MOST]


def _lines(trends: Sequence[Trend]) -> str:
    return "\n".join(f"{headline(trend)} ({trend.status})" for trend in trends)
