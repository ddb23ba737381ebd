"""Welch's t-test without scipy: the t distribution through the incomplete beta function."""

from __future__ import annotations

from math import exp, inf, isfinite, lgamma, log, sqrt

from groundswell.trends.breakpoints.windows import Floats

_TINY = 1e-300


def welch(before: Floats, after: Floats) -> tuple[float, float]:
    """Compare two means without assuming equal variances → (t, two-sided p); t < 0 for a rise.

    Without any variance t is ±inf with p 0 where the means differ, and 0 with p 1 where not; a
    side with fewer than two values proves nothing.
    """
    if len(before) < 2 or len(after) < 2:
        return 0.0, 1.0

    first, share_1 = _moments(before)
    second, share_2 = _moments(after)
    squared = share_1 + share_2
    # Equal floats summed in another order differ in the last bits: that is nothing.
    nothing = 1e-12 * max(abs(first), abs(second))
    if squared <= nothing**2:
        return (
            (0.0, 1.0) if abs(first - second) <= nothing else (inf if first > second else -inf, 0.0)
        )

    t = (first - second) / sqrt(squared)
    freedom = (
        squared**2 / (share_1**2 / (len(before) - 1) + share_2**2 / (len(after) - 1))
        if isfinite(squared**2) and squared**2 > 0
        else float(len(before) + len(after) - 2)
    )
    return t, two_sided(t, freedom)


def _moments(values: Floats) -> tuple[float, float]:
    """Give the mean and its squared standard error."""
    count = len(values)
    mean = float(values.sum()) / count
    away = values - mean
    away *= away
    return mean, float(away.sum()) / (count - 1) / count


def two_sided(t: float, freedom: float) -> float:
    """Give P(|T| > |t|) of Student's t with `freedom` degrees."""
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Give the regularised incomplete beta function (Lentz's continued fraction)."""
    if x <= 0:
        return 0.0

    if x >= 1:
        return 1.0

    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)

    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x)) / a
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, 300):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        total *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        total *= d * c
        if abs(d * c - 1) < 1e-14:
            break

    return min(1.0, front * total)


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
