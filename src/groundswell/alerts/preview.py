"""How often would a rule have fired in the last two weeks? The same state machine, on the past.

Windows stand side by side here, where the evaluator slides them: a short breach between two
windows may be missed, none is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from groundswell.alerts.dynamic import limits_at
from groundswell.alerts.evaluator import learn
from groundswell.alerts.questions import ask_series, between, judged, selected, subject_of
from groundswell.alerts.rules import Ended, Limits, Moved, Opened, State, Window, limits_of, step
from groundswell.model.alerts import Detection, Level, Rule
from groundswell.model.tenancy import Scope
from groundswell.stats.statistics import Statistics

DAYS = 14


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a rule would have fired. end: None while it would still be open."""

    start: int
    end: int | None
    level: Level
    peak: float


@dataclass(frozen=True, slots=True)
class Preview:
    """The judged values by window start, the episodes, and the limits of each window."""

    width_s: int
    points: tuple[tuple[int, float | None], ...]
    episodes: tuple[Episode, ...]
    limits: tuple[Limits, ...]


async def preview(
    statistics: Statistics, rule: Rule, scope: Scope, now: datetime, *, days: int = DAYS
) -> Preview:
    """Judge every whole window of the last days. Raises UserError as a question does."""
    subject, width = subject_of(rule), rule.window_s
    end = int(now.timestamp()) // width * width
    edge = int((now - statistics.retention).timestamp())
    start = max(end - days * 86_400, edge) // width * width
    select = selected([rule])
    past = between(start, end)
    found = await ask_series(statistics, subject, scope, past, select)
    shift = (rule.delta_min or 0) * 60
    before = {}
    if shift:
        before = await ask_series(statistics, subject, scope, past.shifted(shift), select)
    history = None
    if rule.detection is Detection.DYNAMIC:
        history = await learn(statistics, subject, scope, rule, end)
    fixed = limits_of(rule)
    windows = []
    for at in range(start, end, width):
        value = judged(rule, found.get(at, {}), before.get(at - shift))
        limits = fixed if history is None else limits_at(rule, history, at)
        windows.append(Window(at + width, value if limits else None, limits or Limits()))
    return Preview(
        width,
        tuple((w.end - width, w.value) for w in windows),
        episodes(rule, windows),
        tuple(w.limits for w in windows),
    )


def episodes(rule: Rule, windows: list[Window]) -> tuple[Episode, ...]:
    """Run the state machine over windows. Pure."""
    state, done = State(), []
    current: Episode | None = None
    for window in windows:
        state, change = step(state, window, window_s=rule.window_s, periods=rule.periods)
        match change:
            case Opened(level=level, started=started, value=value):
                current = Episode(started, None, level, value)
            case Moved(level=level) if current is not None:
                worst = max(level, current.level)
                current = Episode(current.start, None, worst, current.peak)
            case Ended(at=at) if current is not None:
                done.append(Episode(current.start, at, current.level, current.peak))
                current = None
        if current is not None and window.value is not None:
            is_low = rule.trigger(Level.CRITICAL) and window.limits.high[1] is None
            worse = min if is_low else max
            peak = worse(current.peak, window.value)
            current = Episode(current.start, None, current.level, peak)
    if current is not None:
        done.append(current)
    return tuple(done)
