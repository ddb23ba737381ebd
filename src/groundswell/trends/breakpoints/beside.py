"""Where a series steps when weekends are a habit of it: both are fitted at once.

A step a few hours before a weekend hides behind it: looked for alone it is found where the weekend
ends, and the habit that is then learnt is that of the step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.trends.breakpoints.model import Tuning
from groundswell.trends.breakpoints.season import (
    least_squares,
    weekend_contrast,
    weekends_of,
)
from groundswell.trends.breakpoints.windows import Floats, Ints

_REACH_DAYS = 0.5
_CONTRAST = 1.5  # variance of a weekend against the two days on either side, in weekends


def placed_beside_weekends(
    level: Floats,
    weight: Floats,
    splits: Sequence[Sequence[int]],
    timestamps: Ints,
    step_s: float,
    limit: Floats,
    tuning: Tuning,
) -> list[list[int]]:
    """Place the splits of each row anew where one of them lies near a weekend that matters.

    level: without what repeats every day. limit: how high a step must be, per row.
    """
    weekends, day = weekends_of(timestamps, step_s)
    if not weekends:
        return [list(found) for found in splits]

    inside = np.zeros(level.shape[1])
    for start, stop in weekends:
        inside[start:stop] = 1.0
    reach = round(_REACH_DAYS * day)
    heights = np.max([_height(level, weight, start, stop, day) for start, stop in weekends], axis=0)
    return [
        _placed(level[row], weight[row], list(found), inside, float(limit[row]), tuning)
        if heights[row] > limit[row]
        and any(start - reach <= at <= stop + reach for at in found for start, stop in weekends)
        else list(found)
        for row, found in enumerate(splits)
    ]


def _height(level: Floats, weight: Floats, start: int, stop: int, day: int) -> Floats:
    """Give |weekend - days beside it| / standard error of each row."""
    mass = weight[:, start:stop].sum(axis=1)
    return np.asarray(
        np.abs(weekend_contrast(level, weight, start, stop, day)) * np.sqrt(mass / _CONTRAST)
    )


def _placed(
    level: Floats, weight: Floats, known: list[int], inside: Floats, limit: float, tuning: Tuning
) -> list[int]:
    habits = np.stack([np.ones_like(level), inside])
    # Steps that are wrong hide a part of the habit.
    if not _is_habit(_with_steps(habits, known), weight, level, 0.5 * limit):
        return known

    places: list[int] = []
    for _ in range(tuning.max_breakpoints):
        at, height = _tallest(level, weight, _with_steps(habits, places), tuning)
        if height <= limit or at in places:
            break

        places.append(at)
    for at in sorted(places) if len(places) > 1 else []:
        others = [each for each in places if each != at]
        places = [*others, _tallest(level, weight, _with_steps(habits, others), tuning)[0]]
    columns = _with_steps(habits, places)
    if not (places and _is_habit(columns, weight, level, limit)):
        return known

    alone = _with_steps(habits[:1], known)
    return (
        sorted(set(places))
        if _left(columns, weight, level) < _left(alone, weight, level)
        else known
    )


def _is_habit(columns: Floats, weight: Floats, level: Floats, limit: float) -> bool:
    """Tell whether the second column, weekends, matters beside the steps."""
    size, covariance = least_squares(columns, weight, level)
    return bool(abs(size[1]) > limit * np.sqrt(covariance[1, 1]))


def _tallest(level: Floats, weight: Floats, habits: Floats, tuning: Tuning) -> tuple[int, float]:
    """Give the best place of one step more beside what is known, and |step| / standard error."""
    length, side = len(level), tuning.min_side
    root = np.sqrt(weight)
    known, _ = np.linalg.qr((habits * root).T)
    rest = level * root
    rest = rest - known @ (known.T @ rest)
    # A step column is a suffix of ones; what the habits explain of it is taken away.
    inner = np.arange(side, length - side + 1)
    mass = np.cumsum(weight[::-1])[::-1][inner]
    shared = np.cumsum((known * root[:, None])[::-1], axis=0)[::-1][inner]
    power = mass - (shared**2).sum(axis=1)
    lean = np.cumsum((rest * root)[::-1])[::-1][inner]
    heights = np.where(power > 1e-6 * mass.max(), np.abs(lean), 0.0) / np.sqrt(
        np.maximum(power, 1e-9)
    )
    best = int(heights.argmax())
    return int(inner[best]), float(heights[best])


def _with_steps(habits: Floats, places: Sequence[int]) -> Floats:
    at = np.arange(habits.shape[1])
    steps = [(at >= place).astype(float) for place in places]
    return np.vstack([habits, *steps])


def _left(columns: Floats, weight: Floats, level: Floats) -> float:
    size, _ = least_squares(columns, weight, level)
    return float((weight * (level - size @ columns) ** 2).sum())
