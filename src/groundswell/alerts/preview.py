"""How often would a rule have fired in the last two weeks? The same state machine, on the past.

Windows stand side by side here, where the evaluator slides them: a short breach between two
windows may be missed, none is invented.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from groundswell.alerts.dynamic import Habit, limits_at
from groundswell.alerts.learning import MOST_GROUPS, learn
from groundswell.alerts.questions import (
    COUNT,
    Group,
    Row,
    Subject,
    ask_group_series,
    ask_series,
    between,
    judged,
    leading_groups,
    selected,
    subject_of,
)
from groundswell.alerts.rules import Ended, Limits, Moved, Opened, State, Window, limits_of, step
from groundswell.model.alerts import Detection, Level, Rule, Side
from groundswell.model.tenancy import Scope
from groundswell.stats.statistics import Statistics
from groundswell.timeframe import TimeRange

DAYS = 14
# Learned limits take longer: about a fifth of a millisecond each.
MOST_WINDOWS, MOST_LEARNED = 100_000, 12_000


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that a rule would have fired. end: None while it would still be open."""

    start: int
    end: int | None
    level: Level
    peak: float
    group: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The windows by group ("" where there are none), those that matter most first, and the
    episodes in order of time."""

    width_s: int
    windows: Mapping[str, Sequence[Window]]
    episodes: tuple[Episode, ...]

    @property
    def points(self) -> tuple[tuple[int, float | None], ...]:
        """The judged values of the first group, by window start."""
        first: Sequence[Window] = next(iter(self.windows.values()), ())
        return tuple((one.end - self.width_s, one.value) for one in first)


async def preview(
    statistics: Statistics, rule: Rule, scope: Scope, now: datetime, *, days: int = DAYS
) -> Preview:
    """Judge every whole window of the last days. Raises UserError as a question does."""
    subject, width = subject_of(rule), rule.window_s
    end = int(now.timestamp()) // width * width
    edge = int((now - statistics.retention).timestamp())
    start = max(end - days * 86_400, edge) // width * width
    past = between(start, end)
    groups = await _groups(statistics, rule, subject, scope, past)
    found = await _asked(statistics, rule, subject, scope, past, groups)
    before: Mapping[str, Mapping[int, Row]] = {}
    if rule.delta_min:
        earlier = past.shifted(rule.delta_min * 60)
        before = await _asked(statistics, rule, subject, scope, earlier, groups)
    habits: Mapping[str, Habit] | None = None
    if rule.detection is Detection.DYNAMIC:
        habits = await learn(statistics, subject, scope, rule, end)

    def judge() -> Preview:
        starts = range(start, end, width)
        windows = {
            group: _windows(rule, rows, before.get(group, {}), habits, group, starts)
            for group, rows in found.items()
        }
        fired = episodes(rule, windows)
        counts = {group: sum(one.group == group for one in fired) for group in windows}
        ranked = sorted(windows, key=lambda group: -counts[group])
        return Preview(width, {group: windows[group] for group in ranked}, fired)

    # Many groups are many windows: others are answered meanwhile.
    return await asyncio.to_thread(judge)


def episodes(rule: Rule, windows: Mapping[str, Sequence[Window]]) -> tuple[Episode, ...]:
    """Run the state machine over the windows of all groups, with no more open than allowed."""
    states = dict.fromkeys(windows, State())
    current: dict[str, Episode] = {}
    done: list[Episode] = []
    for together in zip(*windows.values(), strict=True):
        present = dict(zip(windows, together, strict=True))
        for group in sorted(present, key=lambda g: (g not in current, _worth(rule, present[g]))):
            window = present[group]
            state, change = step(
                states[group], window, window_s=rule.window_s, periods=rule.periods
            )
            is_full = rule.group_by is not None and len(current) >= rule.group_limit
            if isinstance(change, Opened) and is_full:
                continue
            states[group] = state
            match change:
                case Opened(level=level, started=started, value=value):
                    current[group] = Episode(started, None, level, value, group)
                case Moved(level=level):
                    worst = max(level, current[group].level)
                    current[group] = replace(current[group], level=worst)
                case Ended(at=at):
                    done.append(replace(current.pop(group), end=at))
            if group in current and window.value is not None:
                current[group] = _measured(current[group], window)
    return tuple(sorted((*done, *current.values()), key=lambda one: (one.start, one.group)))


def _windows(
    rule: Rule,
    rows: Mapping[int, Row],
    before: Mapping[int, Row],
    habits: Mapping[str, Habit] | None,
    group: str,
    starts: range,
) -> list[Window]:
    fixed, shift = limits_of(rule), (rule.delta_min or 0) * 60
    habit = habits.get(group) if habits is not None else None
    made = []
    for at in starts:
        row, limits = rows.get(at, {}), fixed
        if habits is not None:
            learned = limits_at(rule, habit, at, row.get(COUNT) or 0) if habit else None
            limits = learned or Limits()
        value = judged(rule, row, before.get(at - shift))
        made.append(Window(at + rule.window_s, value, limits))
    return made


async def _groups(
    statistics: Statistics, rule: Rule, subject: Subject, scope: Scope, past: TimeRange
) -> list[Group]:
    windows = MOST_LEARNED if rule.detection is Detection.DYNAMIC else MOST_WINDOWS
    most = min(MOST_GROUPS, max(1, int(windows * subject.window_s // max(1, past.seconds))))
    # What is lowest over two weeks says little of where it falls; what is busy matters.
    by = selected([rule]) if rule.side is Side.ABOVE else (COUNT,)
    return await leading_groups(statistics, subject, scope, past, by, most)


async def _asked(
    statistics: Statistics,
    rule: Rule,
    subject: Subject,
    scope: Scope,
    past: TimeRange,
    groups: Sequence[Group],
) -> dict[str, dict[int, Row]]:
    select = selected([rule])
    if subject.group_by is None:
        return {"": await ask_series(statistics, subject, scope, past, select)}

    return await ask_group_series(statistics, subject, scope, past, select, groups)


def _measured(episode: Episode, window: Window) -> Episode:
    assert window.value is not None
    worse = min if window.limits.high[1] is None else max
    return replace(episode, peak=worse(episode.peak, window.value))


def _worth(rule: Rule, window: Window) -> float:
    if window.value is None:
        return float("inf")

    return window.value if rule.side is Side.BELOW else -window.value
