"""Daily and weekly habits of a series: estimate them, so that they can be taken away.

A daily profile needs three days; below that a day is a sine wave. A weekend that was seen once
is believed, several must agree in sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundswell.trends.breakpoints.windows import Floats, Ints, median_rows, moving_average

DAY_S = 86_400
_PROFILE_DAYS = 3
_LEAST_A_DAY = 4  # buckets; wider ones hold no habit of the day, nor where a weekend begins
_WAVE_FROM_S = 43_200  # a shorter window cannot hold a daily wave
_WEEKEND_DAYS = 13.5


def season(level: Floats, weight: Floats, timestamps: Ints, step_s: float) -> tuple[Floats, Floats]:
    """Estimate the repeating parts of each row → (weekly, daily); zero in too short a window."""
    day = _buckets_a_day(level, step_s)
    if day == 0:
        return np.zeros_like(level), np.zeros_like(level)

    weekly = _weekend(level, weight, timestamps, day)
    return weekly, _daily(level - weekly, weight, day)


def season_beside_steps(
    level: Floats,
    weight: Floats,
    splits: Sequence[Sequence[int]],
    timestamps: Ints,
    step_s: float,
) -> tuple[Floats, Floats]:
    """Fit habits and steps at `splits` together → (season, steps) of each row.

    A step beside a weekend or a daily wave bends the estimate of either when they are fitted one
    after the other.
    """
    waves = daily_wave(timestamps)
    day = round(DAY_S / step_s)
    weekends = [] if len(waves) else _weekends(timestamps, day)
    inside = [_indicator(level.shape[1], start, stop) for start, stop in weekends]
    habits = waves if len(waves) else np.array(inside).reshape(len(inside), level.shape[1])
    seasons, steps = np.zeros_like(level), np.zeros_like(level)
    for row, found in enumerate(splits):
        places = _without_weekends(found, weekends, day)
        columns = np.vstack([_columns(level.shape[1], places), habits])
        size, _ = least_squares(columns, weight[row], level[row])
        count = 1 + len(places)
        steps[row] = size[1:count] @ columns[1:count]
        if len(waves):
            seasons[row] = size[count:] @ waves
        elif weekends:
            seasons[row] = _agreed(size[count:]) * np.clip(habits.sum(axis=0), 0.0, 1.0)

    if not len(waves) and _buckets_a_day(level, step_s):
        seasons += _daily(level - seasons - steps, weight, day)
    return seasons, steps


def daily_wave(timestamps: Ints) -> Floats:
    """Give cosine and sine of a day where the window is too short for a profile, else no rows."""
    span = int(timestamps[-1] - timestamps[0])
    if not _WAVE_FROM_S <= span < _PROFILE_DAYS * DAY_S:
        return np.zeros((0, len(timestamps)))

    angle = 2 * np.pi * (timestamps % DAY_S) / DAY_S
    return np.stack([np.cos(angle), np.sin(angle)])


def least_squares(columns: Floats, weight: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Fit `level` by `columns` (one per row) → (sizes, their covariance in units of the noise)."""
    weighted = columns * weight
    inverse = np.linalg.inv(weighted @ columns.T + 1e-9 * np.eye(len(columns)))
    return np.asarray(inverse @ (weighted @ level)), np.asarray(inverse)


def _columns(length: int, places: Sequence[int]) -> Floats:
    """Give a constant and one step per place."""
    starts = np.array([0, *places])
    return np.asarray((np.arange(length)[None, :] >= starts[:, None]).astype(float))


def _indicator(length: int, start: int, stop: int) -> Floats:
    at = np.arange(length)
    return np.asarray(((at >= start) & (at < stop)).astype(float))


def _buckets_a_day(level: Floats, step_s: float) -> int:
    day = round(DAY_S / step_s)
    return 0 if day < _LEAST_A_DAY or level.shape[1] < _PROFILE_DAYS * day else day


def _is_weekend(timestamps: Ints) -> NDArray[np.bool_]:
    weekday = (timestamps // DAY_S + 4) % 7
    return np.asarray((weekday == 0) | (weekday == 6))


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.diff(np.concatenate([[0], mask.astype(np.int64), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def weekends_of(timestamps: Ints, step_s: float) -> tuple[list[tuple[int, int]], int]:
    """Give the weekends of a window that is long enough for habits, and the buckets of a day."""
    day = round(DAY_S / step_s)
    if len(timestamps) < _WEEKEND_DAYS * day:
        return [], day

    return _weekends(timestamps, day), day


def _weekends(timestamps: Ints, day: int) -> list[tuple[int, int]]:
    """Give the weekends that have at least half a day of the week on either side."""
    length = len(timestamps)
    if day < _LEAST_A_DAY:
        return []

    return [
        (start, stop)
        for start, stop in _runs(_is_weekend(timestamps))
        if stop - start >= 1.5 * day and start >= day // 2 and length - stop >= day // 2
    ]


def _without_weekends(
    splits: Sequence[int], weekends: Sequence[tuple[int, int]], day: int
) -> list[int]:
    """Drop the splits that only mark where a weekend begins and ends."""
    near = max(3, day // 4)
    kept = list(splits)
    for start, stop in weekends:
        into = [split for split in kept if abs(split - start) <= near]
        out = [split for split in kept if abs(split - stop) <= near]
        if into and out:
            kept = [split for split in kept if split not in into and split not in out]

    return kept


def _agreed(effects: Floats) -> float:
    """Join the effects of several weekends: the smaller of two, the median of more, or 0."""
    signs = np.sign(effects)
    if not (signs == signs[0]).all():
        return 0.0

    size = np.abs(effects)
    return float(signs[0] * (size.min() if len(size) <= 2 else np.median(size)))


def _daily(level: Floats, weight: Floats, day: int) -> Floats:
    """Take the median of each time of day, off a 24 h moving average, shrunk by its own noise."""
    rows, length = level.shape
    days = -(-length // day)
    rest = np.where(weight > 0, level - moving_average(level, weight, day), np.nan)
    folded = np.full((rows, days * day), np.nan)
    folded[:, :length] = rest
    by_day = folded.reshape(rows, days, day)
    by_time = by_day.transpose(0, 2, 1).reshape(rows * day, days)
    profile = np.nan_to_num(median_rows(by_time).reshape(rows, day))
    off = np.abs(by_day - profile[:, None, :]).reshape(rows, -1)
    spread = 1.4826 * np.nan_to_num(median_rows(off))
    noise = 1.57 * spread**2 * day / length
    if day >= 12:
        ring = np.pad(profile, ((0, 0), (1, 1)), mode="wrap")
        profile = 0.25 * ring[:, :-2] + 0.5 * ring[:, 1:-1] + 0.25 * ring[:, 2:]
        noise = 0.375 * noise
    profile = profile - profile.mean(axis=1, keepdims=True)
    power = np.maximum((profile**2).mean(axis=1), 1e-12)
    profile = profile * np.clip(1 - noise / power, 0.0, 1.0)[:, None]
    return np.tile(profile, (1, days))[:, :length]


def _weekend(level: Floats, weight: Floats, timestamps: Ints, day: int) -> Floats:
    """Estimate what weekends differ from the days beside them, when all of them agree."""
    length = level.shape[1]
    quiet = np.zeros_like(level)
    if length < _WEEKEND_DAYS * day:
        return quiet

    weekend = _is_weekend(timestamps)
    found = [
        weekend_contrast(level, weight, start, stop, day)
        for start, stop in _runs(weekend)
        if stop - start >= 1.5 * day and start >= day and length - stop >= day
    ]
    if len(found) < 2:
        return quiet

    effects = np.array(found)
    agree = (np.sign(effects) == np.sign(effects[0])).all(axis=0)
    size = np.abs(effects).min(axis=0) if len(found) == 2 else np.abs(np.median(effects, axis=0))
    effect = np.where(agree, np.sign(effects[0]) * size, 0.0)
    return np.asarray(np.where(weekend[None, :], effect[:, None], 0.0))


def weekend_contrast(level: Floats, weight: Floats, start: int, stop: int, day: int) -> Floats:
    """Compare a weekend with the two days on either side, so that a step cannot leak in."""

    def mean(first: int, last: int) -> Floats:
        mass = np.maximum(weight[:, first:last].sum(axis=1), 1e-9)
        return np.asarray((level[:, first:last] * weight[:, first:last]).sum(axis=1) / mass)

    before = mean(max(0, start - 2 * day), start)
    after = mean(stop, min(level.shape[1], stop + 2 * day))
    return mean(start, stop) - 0.5 * (before + after)
