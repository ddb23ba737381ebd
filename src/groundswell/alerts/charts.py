"""Rules and incidents as charts: the judged values, threshold lines, shaded spans, releases."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from groundswell.alerts.preview import Preview
from groundswell.alerts.questions import (
    ask_series,
    between,
    in_group,
    judged,
    selected,
    subject_of,
)
from groundswell.alerts.rules import limits_of
from groundswell.alerts.suspects import releases
from groundswell.charts.spec import Band, Chart, Kind, Level, Line, Marker, Threshold
from groundswell.charts.trends import moment_text
from groundswell.errors import GroundswellError
from groundswell.model.alerts import Detection, Incident, Rule
from groundswell.model.alerts import Level as Badness
from groundswell.model.tenancy import Scope
from groundswell.stats.statistics import Statistics

MAX_POINTS, MAX_RELEASES, MAX_CHANGES, MAX_LINES = 1500, 6, 4, 5
_DURATION = re.compile(r"\((?:transaction\.duration|span\.(?:duration|self_time|exclusive_time)"
                       r"|function\.(?:duration|self_time)|measurements\.(?:lcp|fcp|fid|ttfb|inp))"
                       r"|^(?:p50|p75|p90|p95|p99|p100)\(\)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a chart shows, in unix seconds."""

    start: int
    end: int


def span_of_incident(rule: Rule, incident: Incident, now: datetime) -> Span:
    """Show an incident in the middle of at least 150 windows."""
    end = incident.closed_at or now
    window = timedelta(seconds=rule.window_s)
    width = max(end - incident.started_at, 3 * window)
    width = min(max(width, 150 * window), 10_000 * window)
    start = incident.started_at - width / 2
    last = min(end + width / 2, now)
    return Span(int(start.timestamp()), int(last.timestamp()))


async def chart_of(
    statistics: Statistics,
    rule: Rule,
    scope: Scope,
    span: Span,
    found: Sequence[Incident] = (),
    *,
    group: str = "",
    width: int = 800,
    height: int = 400,
) -> Chart:
    """Draw a rule over a span with what happened in it."""
    step = rule.window_s
    while (span.end - span.start) // step > MAX_POINTS:
        step *= 2
    edge = span.end - int(statistics.retention.total_seconds()) + step
    # The bucket that is still filling is shown: it is what people were told about.
    start, end = max(span.start, edge) // step * step, -(-span.end // step) * step
    if end <= start:
        end = start + step
    points = await _points(statistics, rule, scope, Span(start, end), step, group)
    markers: tuple[Marker, ...] = ()
    if found:
        markers = await _markers(statistics, rule, scope, Span(start, end))
        markers += _changes(found, Span(start, end))
    bands = tuple(
        Band(
            max(int(one.started_at.timestamp()), start),
            min(int(one.closed_at.timestamp()) if one.closed_at else end, end),
            _level(one.worst or one.level),
        )
        for one in found
        if int(one.started_at.timestamp()) < end
        and (one.closed_at is None or int(one.closed_at.timestamp()) > start)
    )
    kind, unit = measured(rule)
    return Chart(
        title=rule.name + (f" · {group}" if group else ""),
        subtitle=f"{rule.aggregate} per {rule.window_min} min · UTC",
        lines=(Line(rule.aggregate, tuple(t for t, _ in points), tuple(v for _, v in points)),),
        kind=Kind.LINE,
        type=kind,
        unit=unit,
        interval_s=step,
        thresholds=thresholds(rule),
        bands=bands,
        markers=markers,
        width=width,
        height=height,
    )


def preview_chart(rule: Rule, found: Preview, *, width: int = 800, height: int = 400) -> Chart:
    """Draw what a rule would have done: of a rule per group, the groups that fired most."""
    kind, unit = measured(rule)
    times = fired_words(len(found.episodes))
    shown = list(found.windows.items())[:MAX_LINES]
    last = max((windows[-1].end for _, windows in shown if windows), default=0)
    least = max((len(windows) for _, windows in shown), default=0) * found.width_s // 200
    of = f" of {len(found.windows)} groups" if rule.group_by else ""
    lines = []
    for group, windows in shown:
        points = thinned([(one.end - found.width_s, one.value) for one in windows], rule)
        name = group or rule.aggregate
        lines.append(Line(name, tuple(t for t, _ in points), tuple(v for _, v in points)))
    return Chart(
        title=rule.name if rule.name != "Preview" else rule.aggregate,
        subtitle=f"{rule.aggregate} per {rule.window_min} min{of}, 14 days · {times}",
        lines=tuple(lines),
        type=kind,
        unit=unit,
        interval_s=found.width_s,
        thresholds=thresholds(rule),
        bands=tuple(
            # A short episode is a hair in two weeks: it is shown as wide as can be seen.
            Band(one.start, max(one.end or last, one.start + least), _level(one.level))
            for one in found.episodes[:200]
        ),
        width=width,
        height=height,
    )


def fired_words(count: int) -> str:
    if count == 0:
        return "would not have fired"

    return f"would have fired {'once' if count == 1 else f'{count} times'}"


def thresholds(rule: Rule) -> tuple[Threshold, ...]:
    """Give the lines of a rule whose limits do not move."""
    if rule.detection is Detection.DYNAMIC:
        return ()

    limits = limits_of(rule)
    warning, critical, _ = limits.high if limits.high[1] is not None else limits.low
    lines = []
    if critical is not None:
        lines.append(Threshold(critical, "Critical", "critical"))
    if warning is not None:
        lines.append(Threshold(warning, "Warning", "warning"))
    return tuple(lines)


def measured(rule: Rule) -> tuple[str, str | None]:
    """Give type and unit of what is drawn."""
    if rule.delta_min is not None:
        return "number", None

    if _DURATION.search(rule.aggregate) and not rule.aggregate.startswith("count"):
        return "duration", "millisecond"

    return ("percentage", None) if rule.aggregate.startswith("failure_rate(") else ("number", None)


def thinned(
    points: Sequence[tuple[int, float | None]], rule: Rule
) -> list[tuple[int, float | None]]:
    """Keep the worst of neighbours where there are more points than a chart can show."""
    if len(points) <= MAX_POINTS:
        return list(points)

    size = -(-len(points) // MAX_POINTS)
    worst = min if limits_of(rule).high[1] is None and rule.delta_min is None else max
    kept = []
    for first in range(0, len(points), size):
        some = points[first : first + size]
        values = [value for _, value in some if value is not None]
        kept.append((some[0][0], worst(values) if values else None))
    return kept


async def _points(
    statistics: Statistics, rule: Rule, scope: Scope, span: Span, step: int, group: str
) -> list[tuple[int, float | None]]:
    subject, select = in_group(subject_of(rule), group), selected([rule])
    past = between(span.start, span.end)
    now = await ask_series(statistics, subject, scope, past, select, width_s=step)
    shift, before = (rule.delta_min or 0) * 60, {}
    if shift:
        before = await ask_series(
            statistics, subject, scope, past.shifted(shift), select, width_s=step
        )
    return [
        (at, judged(rule, now.get(at, {}), before.get(at - shift)))
        for at in range(span.start, span.end, step)
    ]


async def _markers(
    statistics: Statistics, rule: Rule, scope: Scope, span: Span
) -> tuple[Marker, ...]:
    """Mark releases that appeared in the span; without them the chart is a chart all the same."""
    try:
        found = await releases(statistics, scope, rule, span.start, span.end)
    except GroundswellError:
        return ()

    # What was there at the very start appeared before it.
    new = [(name, at) for name, at in found if at > span.start + rule.window_s]
    return tuple(Marker(at, name, "release") for name, at in new[-MAX_RELEASES:])


def _changes(found: Sequence[Incident], span: Span) -> tuple[Marker, ...]:
    """Mark where the level changed, as far as incidents were explained."""
    known = {(one.suspect or {}).get("breakpoint") for one in found}
    seen = sorted(at for at in known if isinstance(at, int) and span.start <= at < span.end)
    return tuple(Marker(at, moment_text(at)) for at in seen[-MAX_CHANGES:])


def _level(level: Badness) -> Level:
    return "warning" if level is Badness.WARNING else "critical"
