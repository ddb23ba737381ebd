"""Why did the number of a rule move? The moment of the change, then what changed with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundswell.alerts.questions import (
    COUNT,
    Subject,
    ask_series,
    between,
    in_group,
    narrowed,
    question,
    subject_of,
)
from groundswell.model.alerts import Incident, Rule, Side
from groundswell.model.tenancy import Scope
from groundswell.stats.datasets import SOURCES
from groundswell.stats.request import Asking
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange
from groundswell.trends.basis import basis_of
from groundswell.trends.breakpoints import detect
from groundswell.trends.explain import explain
from groundswell.trends.metric import metric_of
from groundswell.trends.parts import ExplainRequest

# Fine enough to find a step of one window, coarse enough that a bucket has events.
STEPS_S = (60, 300, 900, 3600)
BUCKETS_BEFORE = 150
LEAST_BEFORE, MOST_BEFORE = timedelta(hours=6), timedelta(days=7)
WORTH_TELLING = 0.3
MAX_CAUSES = 5


async def explanation_of(
    statistics: Statistics, scope: Scope, rule: Rule, incident: Incident, now: datetime
) -> dict[str, Any] | None:
    """Say in one sentence what moved the number of an incident, and when; None for no answer.

    Raises UserError for a function whose parts cannot be told apart.
    """
    subject = in_group(subject_of(rule), incident.group)
    end = min(incident.closed_at or now, now)
    at = await moment_of(statistics, scope, rule, subject, incident, end)
    if at is None:
        at = incident.started_at.replace(microsecond=0)
    if at >= end - timedelta(seconds=1):
        return None

    request = _request(statistics, scope, rule, subject, at, end)
    answer = await explain(statistics, request)
    before, after = answer["before"]["value"] or 0, answer["after"]["value"] or 0
    if rule.side is not Side.BOTH and (after > before) is not (rule.side is Side.ABOVE):
        # The other way round: this is not what the rule is about.
        return None

    causes = [
        {"kind": one["kind"], "value": one["value"], "share": round(one["share_of_change"], 3)}
        for one in answer["causes"]
        if (one["share_of_change"] or 0.0) >= WORTH_TELLING
    ]
    if not causes and not answer["releases"]:
        return None

    return {
        "explanation": answer["sentence"],
        "breakpoint": answer["breakpoint"],
        "causes": causes[:MAX_CAUSES],
    }


async def moment_of(
    statistics: Statistics,
    scope: Scope,
    rule: Rule,
    subject: Subject,
    incident: Incident,
    end: datetime,
) -> datetime | None:
    """Find when the level changed that an incident is about; None where no step can be seen."""
    width = max(step for step in STEPS_S if step <= max(60, rule.window_s // 5))
    last = int(end.timestamp()) // width * width
    began = int(incident.started_at.timestamp())
    first = began // width * width - BUCKETS_BEFORE * width
    starts = np.arange(first, last, width)
    found = await ask_series(
        statistics, subject, scope, between(first, last), (rule.aggregate, COUNT), width_s=width
    )
    empty = 0.0 if rule.is_additive else np.nan
    values = [_or(found.get(int(at), {}).get(rule.aggregate), empty) for at in starts]
    events = [_or(found.get(int(at), {}).get(COUNT), 0.0) for at in starts]
    kind = metric_of(rule.aggregate).kind
    changes = detect(values, starts, np.ones(len(starts)) if kind == "count" else events, kind=kind)
    wanted = {Side.ABOVE: {1}, Side.BELOW: {-1}, Side.BOTH: {1, -1}}[rule.side]
    near = [
        one.breakpoint
        for one in changes
        if one.direction in wanted and one.breakpoint >= began - 3 * rule.window_s
    ]
    if near:
        return datetime.fromtimestamp(near[-1], UTC)

    # The new level is too short for evidence of its own; that there is one, the rule has said.
    recent = int(np.searchsorted(starts, began - rule.window_s))
    sign = {Side.ABOVE: 1, Side.BELOW: -1, Side.BOTH: 0}[rule.side]
    place = sharpest(np.array(values), recent, sign)
    return None if place is None else datetime.fromtimestamp(int(starts[place]), UTC)


def sharpest(values: NDArray[np.float64], recent: int, sign: int) -> int | None:
    """Find the first bucket, from `recent` on, of the stretch that stands out most.

    sign: +1 for one above what was before, -1 below, 0 whichever the last buckets are.
    """
    before, after = values[:recent], values[recent:]
    if np.isnan(before).all() or np.isnan(after).all():
        return None

    away = np.nan_to_num(after - np.nanmedian(before))
    away *= sign or (1 if away.sum() >= 0 else -1)
    # Counted from half-way between the levels, no other stretch has a larger sum.
    place, first, total, most = None, 0, 0.0, 0.0
    for n, beyond in enumerate(away - away.max() / 2):
        if total <= 0:
            first, total = n, 0.0
        total += beyond
        if total > most:
            place, most = recent + first, total
    return place


def _request(
    statistics: Statistics, scope: Scope, rule: Rule, subject: Subject, at: datetime, end: datetime
) -> ExplainRequest:
    before = min(max(LEAST_BEFORE, 24 * timedelta(seconds=rule.window_s)), MOST_BEFORE)
    window = TimeRange(at - before, end)
    # The words of the question that the evaluator asks, so that both see the same rows.
    asked = question(subject, scope, window, (rule.aggregate,))
    known = set(narrowed(scope, subject))
    asking = Asking(
        scope,
        SOURCES[subject.dataset.value],
        window,
        tuple(project for project in scope.projects if project.id in known),
        environments=asked.environments,
        search=asked.search,
        retention=statistics.retention,
        now=end,
    )
    return ExplainRequest(asking, at, rule.aggregate, basis_of(rule.aggregate, asking.dataset))


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
