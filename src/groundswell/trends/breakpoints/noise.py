"""How large a step chance alone makes: the scale of a series, and the critical height of z."""

from __future__ import annotations

from functools import cache
from math import exp, log, pi, sqrt

import numpy as np

from groundswell.trends.breakpoints.windows import Floats, median_rows, prefix

_TRIM = 0.012  # of the window at each end, where no step is looked for


def long_run_scale(level: Floats, weight: Floats, blocks: tuple[int, ...]) -> Floats:
    """Give the sd of a bucket of weight 1 that the means of adjacent blocks speak for.

    The largest over the block lengths: it grows with autocorrelation, and being a median it
    survives the steps themselves.
    """
    sums, mass = prefix(level * weight), prefix(weight)
    length = level.shape[1]
    scale = np.zeros(len(level))
    for block in blocks:
        if length < 6 * block:
            continue

        left = mass[:, block:-block] - mass[:, : -2 * block]
        right = mass[:, 2 * block :] - mass[:, block:-block]
        good = (left > 0) & (right > 0)
        left, right = np.maximum(left, 1e-9), np.maximum(right, 1e-9)
        rise = (sums[:, 2 * block :] - sums[:, block:-block]) / right
        rise -= (sums[:, block:-block] - sums[:, : -2 * block]) / left
        unit = np.abs(rise) / np.sqrt(1 / left + 1 / right)
        middle = median_rows(np.where(good, unit, np.nan)) / 0.6745
        scale = np.maximum(scale, np.nan_to_num(middle))

    return scale


def chance_of_step(z: float) -> float:
    """Give P(the largest standardised step of pure noise > z), searched over all positions.

    The tail of the maximum of a trimmed Brownian bridge (James, James and Siegmund 1987).
    """
    if z < 1.5:
        return 1.0

    if z > 38:
        return 0.0

    width = 2 * log((1 - _TRIM) / _TRIM)
    density = exp(-0.5 * z * z) / sqrt(2 * pi)
    return min(1.0, density * z * ((1 - 1 / (z * z)) * width + 4 / (z * z)))


@cache
def critical_height(alpha: float) -> float:
    """Give the z that pure noise exceeds with probability `alpha`."""
    return float(next(z for z in np.arange(1.5, 38, 0.02) if chance_of_step(float(z)) < alpha))
