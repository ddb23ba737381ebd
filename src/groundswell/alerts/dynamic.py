"""What is likely at this time of day and week, from the last four weeks: middle and spread.

A window is compared with the windows at the same time of the days before (while those are few,
with their neighbours too), workdays with workdays and weekends with weekends, on a scale on which
noise does not grow with the level. Medians, because incidents of the past must not make the
incidents of today look normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from groundswell.alerts.rules import Limits
from groundswell.model.alerts import Level, Rule, Side
from groundswell.trends.metric import metric_of

Numbers: TypeAlias = NDArray[np.float64]
Scale: TypeAlias = Literal["log", "root", "angle", "plain"]

DAYS = 28
DAY_S = 86_400
MIN_KNOWN = 6
# Distances in spreads at which a window is unlikely; docs/alerts.md names them to people.
SPREADS = {"low": 6.5, "medium": 5.0, "high": 4.0}
WARNING_SHARE, RESOLVE_SHARE = 0.75, 0.6
# A series that never moves still moves by this share of its level.
LEAST_SHARE = 0.05
# How many windows the noise of the whole history counts for beside those at this time of day.
TRUST = 12.0
_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class History:
    """The values of the last weeks on one grid, nan where there is none; events behind each."""

    first: int
    width_s: int
    values: Numbers
    events: Numbers

    @classmethod
    def of(
        cls,
        found: Mapping[int, tuple[float | None, float]],
        first: int,
        end: int,
        width_s: int,
        empty: float,
    ) -> History:
        """Lay (value, events) by their starts on a grid. empty: the value without events."""
        count = max(0, (end - first) // width_s)
        values, events = np.full(count, empty), np.zeros(count)
        # Before the first event there is no history, rather than a history of zeros.
        known = [start for start, (value, _) in found.items() if value is not None]
        values[: max(0, (min(known, default=end) - first) // width_s)] = np.nan
        for start, (value, behind) in found.items():
            place = (start - first) // width_s
            if 0 <= place < count:
                values[place] = np.nan if value is None else value
                events[place] = behind
        return cls(first, width_s, values, events)


@dataclass(frozen=True, slots=True)
class Habit:
    """A history on its scale, with its noise from day to day: steady + thin / events."""

    history: History
    scale: Scale
    steady: float
    thin: float


def habit_of(history: History, aggregate: str) -> Habit:
    """Learn how much a history differs from one day to the next."""
    scale = _scale(history, aggregate)
    on_scale = _forward(history.values, scale)
    steps = max(1, round(DAY_S / history.width_s))
    starts = history.first + np.arange(len(on_scale)) * history.width_s
    same_kind = _is_weekend(starts[steps:]) == _is_weekend(starts[:-steps])
    apart = (on_scale[steps:] - on_scale[:-steps]) / np.sqrt(2)
    thinness = 1 / np.maximum(history.events, 1)
    both = (thinness[steps:] + thinness[:-steps]) / 2
    known = ~np.isnan(apart) & same_kind
    steady, thin = _noise(apart[known], both[known])
    return Habit(history, scale, steady, thin)


def limits_at(rule: Rule, habit: Habit, start: int, events: float) -> Limits | None:
    """Give the limits of a window with so many events; None while too little is known."""
    found = likely(habit, start, events)
    if found is None:
        return None

    middle, spread = found
    reach = SPREADS[rule.sensitivity] * spread

    def back(distance: float) -> float:
        return _back(middle + distance, habit.scale)

    def side(sign: int) -> tuple[float | None, float | None, float | None]:
        warning = None
        if rule.trigger(Level.WARNING) is not None:
            warning = back(sign * reach * WARNING_SHARE)
        return warning, back(sign * reach), back(sign * reach * RESOLVE_SHARE)

    nothing = (None, None, None)
    return Limits(
        high=nothing if rule.side is Side.BELOW else side(1),
        low=nothing if rule.side is Side.ABOVE else side(-1),
    )


def likely(habit: Habit, start: int, events: float) -> tuple[float, float] | None:
    """Give the middle and the spread of what is likely, on the scale of the habit."""
    values, behind = _alike(habit.history, start, (0,))
    if len(values) < MIN_KNOWN:
        values, behind = _alike(habit.history, start, (-1, 0, 1))
    count = len(values)
    if count < MIN_KNOWN:
        return None

    found = _forward(values, habit.scale)
    middle = float(np.median(found))
    here = (float(np.median(np.abs(found - middle))) * _TO_DEVIATION) ** 2
    # Windows with fewer events than those before scatter more, and the other way round.
    noise = habit.steady + habit.thin / max(events, 1.0)
    usual = habit.steady + habit.thin * float(np.mean(1 / np.maximum(behind, 1)))
    if usual > 0:
        here *= noise / usual
    spread = (count * here + TRUST * noise) / (count + TRUST)
    # The middle itself is known from `count` windows only.
    spread *= 1 + np.pi / 2 / count
    return middle, max(float(np.sqrt(spread)), _floor(habit.scale, middle, events))


def _scale(history: History, aggregate: str) -> Scale:
    kind = metric_of(aggregate).kind
    values = history.values[~np.isnan(history.values)]
    if len(values) and values.min() < 0:
        return "plain"

    if kind == "rate" and (not len(values) or values.max() <= 1):
        return "angle"

    return "root" if kind == "count" or (len(values) and values.min() == 0) else "log"


def _forward(values: Numbers, scale: Scale) -> Numbers:
    match scale:
        case "log":
            return np.asarray(np.log(values), float)
        case "root":
            return np.asarray(2 * np.sqrt(values + 0.375), float)
        case "angle":
            return np.asarray(np.arcsin(np.sqrt(values)), float)
    return values


def _back(value: float, scale: Scale) -> float:
    match scale:
        case "log":
            return float(np.exp(min(value, 700.0)))
        case "root":
            # Below every count: what has no lower limit never falls out of it.
            return -1.0 if value < 0 else max(value * value / 4 - 0.375, -1.0)
        case "angle":
            if value <= 0:
                return -1.0
            return 2.0 if value >= np.pi / 2 else float(np.sin(value) ** 2)
    return value


def _floor(scale: Scale, middle: float, events: float) -> float:
    """Give the least spread: chance alone, or a small share of the level."""
    match scale:
        case "log":
            return LEAST_SHARE
        case "root":
            # On this scale counts of independent events scatter by one.
            return max(1.0, abs(middle) / 2 * LEAST_SHARE)
        case "angle":
            return max(0.5 / float(np.sqrt(max(events, 1.0))), abs(middle) / 2 * LEAST_SHARE)
    return max(abs(middle) * LEAST_SHARE, 1e-9)


def _noise(apart: Numbers, thinness: Numbers) -> tuple[float, float]:
    """Fit variance = steady + thin / events to differences, by their calm and their thin half."""
    if len(apart) < 4:
        return 0.0, 0.0

    def variance(some: Numbers) -> float:
        return float((np.median(np.abs(some)) * _TO_DEVIATION) ** 2)

    middle = np.median(thinness)
    calm, wild = thinness <= middle, thinness > middle
    if not wild.any():
        return variance(apart), 0.0

    low, high = float(thinness[calm].mean()), float(thinness[wild].mean())
    at_low, at_high = variance(apart[calm]), variance(apart[wild])
    thin = max(0.0, (at_high - at_low) / (high - low)) if high > low else 0.0
    return max(0.0, at_low - thin * low), thin


def _alike(history: History, start: int, neighbours: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Give values and events at this time of the days before, of the same kind of day.

    A window that lies between two of the grid is a mixture of them.
    """
    days = np.arange(1, DAYS + 1)
    weekend = _is_weekend(start - days * DAY_S) == _is_weekend(np.array(start))
    alike = start - days[weekend] * DAY_S
    shifts = np.array(neighbours) * history.width_s if history.width_s < DAY_S else np.array([0])
    places, late = np.divmod((alike[:, None] + shifts).ravel() - history.first, history.width_s)
    share = late / history.width_s
    following = places + (late > 0)
    inside = (places >= 0) & (following < history.values.size)
    places, following, share = places[inside], following[inside], share[inside]
    values = history.values[places] * (1 - share) + history.values[following] * share
    events = history.events[places] * (1 - share) + history.events[following] * share
    known = ~np.isnan(values)
    return values[known], events[known]


def _is_weekend(starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    # The epoch was a Thursday.
    weekend: NDArray[np.bool_] = (starts // DAY_S + 3) % 7 >= 5
    return weekend
