"""Row-wise numpy helpers over whole batches: medians that skip NaN, running medians and means."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def median_rows(values: Floats) -> Floats:
    """Give the median of the finite values of each row; NaN where a row has none."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(values).sum(axis=1)[:, None]
    low = np.maximum((count - 1) // 2, 0)
    high = np.maximum(np.minimum(count // 2, count - 1), 0)
    pair = np.take_along_axis(ordered, np.hstack([low, high]), axis=1)
    return np.asarray(0.5 * (pair[:, 0] + pair[:, 1]))


def prefix(values: Floats) -> Floats:
    """Sum rows up to, and without, each position: one column more than `values`."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def running_median(values: Floats, width: int, *, inside: bool) -> Floats:
    """Give the median of `width` (odd) neighbours around each position.

    At the ends the first or last value is repeated, or with `inside` the window stays within.
    """
    length = values.shape[1]
    width = min(width, length if length % 2 else length - 1)
    half = width // 2
    if not inside:
        values = np.pad(values, ((0, 0), (half, half)), mode="edge")
    count = values.shape[1] - width + 1
    lanes = [values[:, i : i + count] for i in range(width)]
    for low, high in _median_network(width):
        lanes[low], lanes[high] = (
            np.minimum(lanes[low], lanes[high]),
            np.maximum(lanes[low], lanes[high]),
        )

    middle = lanes[half]
    if not inside:
        return middle

    return np.asarray(middle[:, np.clip(np.arange(length) - half, 0, count - 1)])


def moving_average(values: Floats, weights: Floats, width: int) -> Floats:
    """Average `width` neighbours around each position; the window shrinks at the ends."""
    length = values.shape[1]
    sums, mass = prefix(values * weights), prefix(weights)
    start = np.clip(np.arange(length) - width // 2, 0, length)
    stop = np.clip(np.arange(length) - width // 2 + width, 0, length)
    return np.asarray(
        (sums[:, stop] - sums[:, start]) / np.maximum(mass[:, stop] - mass[:, start], 1e-12)
    )


def carry_forward(values: Floats) -> Floats:
    """Fill NaN with the last value before it, or the first one after it at the start of a row."""
    known = np.isfinite(values)
    rows = np.arange(len(values))
    source = np.where(known, np.arange(values.shape[1]), 0)
    np.maximum.accumulate(source, axis=1, out=source)
    first = values[rows, known.argmax(axis=1)]
    filled = np.take_along_axis(values, source, axis=1)
    filled = np.where(np.isfinite(filled), filled, first[:, None])
    return np.where(np.isfinite(filled), filled, 0.0)


@cache
def _median_network(width: int) -> tuple[tuple[int, int], ...]:
    """Give the comparators of Batcher's odd-even sort that the middle lane depends on."""
    comparators: list[tuple[int, int]] = []
    p = 1
    while p < width:
        k = p
        while k >= 1:
            for j in range(k % p, width - k, 2 * k):
                for i in range(min(k, width - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        comparators.append((i + j, i + j + k))
            k //= 2
        p *= 2

    needed = {width // 2}
    kept: list[tuple[int, int]] = []
    for low, high in reversed(comparators):
        if low in needed or high in needed:
            needed |= {low, high}
            kept.append((low, high))

    return tuple(reversed(kept))
