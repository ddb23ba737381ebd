"""Weighted least squares steps: where a series splits, found by prefix sums over intervals.

The whole window, its halves and its thirds are searched, so that a passing change is not lost in
the mean of all the rest; every split is then placed again between its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, sqrt

import numpy as np

from groundswell.trends.breakpoints.model import Tuning
from groundswell.trends.breakpoints.windows import Floats, Ints, prefix

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Sums:
    """Prefix sums of one series: weights, and weighted levels."""

    weight: Floats
    level: Floats
    # Rounds of a search ask for the same intervals again.
    _known: dict[tuple[int, int, int], tuple[int, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def mean(self, start: int, stop: int) -> float:
        mass = float(self.weight[stop] - self.weight[start])
        return float(self.level[stop] - self.level[start]) / max(mass, _TINY)

    def step(self, start: int, at: int, stop: int) -> tuple[float, float]:
        """Give the step at a split and its standard error in units of the noise."""
        left = float(self.weight[at] - self.weight[start])
        right = float(self.weight[stop] - self.weight[at])
        if left <= _TINY or right <= _TINY:
            return 0.0, 1.0

        return self.mean(at, stop) - self.mean(start, at), sqrt(1 / left + 1 / right)

    def heights(self, start: int, stop: int, min_side: int) -> tuple[Ints, Floats]:
        """Give the positions of an interval and |step| / standard error at each of them."""
        at = np.arange(start + min_side, stop - min_side + 1)
        inner = slice(start + min_side, stop - min_side + 1)
        mass = float(self.weight[stop] - self.weight[start])
        left = self.weight[inner] - self.weight[start]
        spread = left * (mass - left)
        total = float(self.level[stop] - self.level[start])
        lean = (self.level[inner] - self.level[start]) * mass
        lean -= left * total
        np.abs(lean, out=lean)
        silent = spread <= _TINY if spread.min() <= _TINY else None
        if silent is not None:
            np.maximum(spread, _TINY, out=spread)
        spread *= max(mass, _TINY)
        np.sqrt(spread, out=spread)
        lean /= spread
        if silent is not None:
            lean[silent] = 0.0
        return at, lean

    def best(self, start: int, stop: int, min_side: int) -> tuple[int, float]:
        """Give the best split of an interval and its height; (-1, 0) when it is too short."""
        if stop - start < 2 * min_side:
            return -1, 0.0

        key = (start, stop, min_side)
        if key not in self._known:
            at, heights = self.heights(start, stop, min_side)
            top = int(heights.argmax())
            self._known[key] = int(at[top]), float(heights[top])
        return self._known[key]


def search(
    level: Floats,
    weight: Floats,
    scale: Floats,
    critical: float,
    tuning: Tuning,
    *,
    rounds: int = 2,
) -> list[list[int]]:
    """Split every row where a step is higher than `critical` times its noise."""
    length = level.shape[1]
    sums = prefix(level * weight)
    mass = prefix(weight)
    present = prefix((weight > 0).astype(float))
    spans = _intervals(length, tuning.min_side)
    heights = np.zeros((len(level), len(spans)))
    places = np.zeros((len(level), len(spans)), dtype=np.int64)
    for i, (start, stop) in enumerate(spans):
        places[:, i], heights[:, i] = _tallest(sums, mass, present, start, stop, tuning.min_side)
    heights /= scale[:, None]
    return [
        _split_row(
            Sums(mass[row], sums[row]),
            spans,
            places[row],
            heights[row],
            critical,
            float(scale[row]),
            tuning,
            rounds,
        )
        if heights[row].max(initial=0.0) > critical
        else []
        for row in range(len(level))
    ]


def _intervals(length: int, min_side: int) -> list[tuple[int, int]]:
    found = {(0, length)}
    for part in (length / 2, length / 3):
        steps = ceil((length - part) / (part / 2))
        for j in range(steps + 1):
            start = min(length - part, j * part / 2)
            found.add((int(start), int(start + part)))

    return sorted(span for span in found if span[1] - span[0] > 2 * min_side)


def _tallest(
    sums: Floats, mass: Floats, present: Floats, start: int, stop: int, min_side: int
) -> tuple[Ints, Floats]:
    inner = slice(start + min_side, stop - min_side + 1)
    whole = mass[:, stop : stop + 1] - mass[:, start : start + 1]
    left = mass[:, inner] - mass[:, start : start + 1]
    spread = left * (whole - left)
    held = present[:, inner] - present[:, start : start + 1]
    rest = present[:, stop : stop + 1] - present[:, inner]
    good = (held >= min_side) & (rest >= min_side) & (spread > _TINY)
    total = sums[:, stop : stop + 1] - sums[:, start : start + 1]
    lean = (sums[:, inner] - sums[:, start : start + 1]) * whole - left * total
    gain = np.where(good, lean * lean / np.maximum(spread, _TINY), 0.0)
    top = gain.argmax(axis=1)
    tallest = gain[np.arange(len(gain)), top] / np.maximum(whole[:, 0], _TINY)
    return top + start + min_side, np.sqrt(tallest)


def _split_row(
    sums: Sums,
    spans: list[tuple[int, int]],
    places: Ints,
    heights: Floats,
    critical: float,
    scale: float,
    tuning: Tuning,
    rounds: int,
) -> list[int]:
    splits: list[int] = []
    for i in np.argsort(-heights, kind="stable"):
        start, stop = spans[i]
        if heights[i] <= critical or len(splits) >= tuning.max_breakpoints:
            break

        if not any(start < split < stop for split in splits):
            splits.append(int(places[i]))

    limit = critical * scale
    length = len(sums.weight) - 1
    splits = sorted(set(splits))
    for _ in range(rounds):
        moved = _placed(sums, _grown(sums, splits, length, limit, tuning), length, limit, tuning)
        if moved == splits:
            break

        splits = moved

    return splits


def _grown(sums: Sums, splits: list[int], length: int, limit: float, tuning: Tuning) -> list[int]:
    """Split the segments once more where they still hold a step."""
    if len(splits) >= tuning.max_breakpoints:
        return splits

    edges = [0, *splits, length]
    more = set(splits)
    for start, stop in pairwise(edges):
        if stop - start >= 4 * tuning.min_side:
            at, height = sums.best(start, stop, tuning.min_side)
            if height > limit:
                more.add(at)

    return sorted(more)


def _placed(sums: Sums, splits: list[int], length: int, limit: float, tuning: Tuning) -> list[int]:
    """Put every split at the best place between its neighbours; drop what no longer stands."""
    edges = [0, *splits, length]
    placed: list[int] = []
    for j in range(1, len(edges) - 1):
        at, height = sums.best(placed[-1] if placed else 0, edges[j + 1], tuning.min_side)
        if height > limit:
            placed.append(at)

    return sorted(set(placed))
