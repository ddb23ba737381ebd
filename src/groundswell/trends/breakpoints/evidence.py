"""An accepted split → a breakpoint with everything that clients and people read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.trends.breakpoints.judge import Line, Split
from groundswell.trends.breakpoints.model import Breakpoint, Confidence
from groundswell.trends.breakpoints.noise import chance_of_step
from groundswell.trends.breakpoints.welch import welch
from groundswell.trends.breakpoints.windows import Floats

_SMALLEST_P = 1e-12
_SEARCHES = 3  # the window, its halves and its thirds
_INTERVAL_DROP = 6.0  # in z², about 95 %
_VERY_STRONG, _STRONG = 8.0, 6.0


def breakpoints_of(line: Line, splits: Sequence[Split]) -> tuple[Breakpoint, ...]:
    """Describe every split against the levels up to its neighbours."""
    edges = [0, *(split.at for split in splits), line.length]
    return tuple(_describe(line, split, edges[j], edges[j + 2]) for j, split in enumerate(splits))


def confidence(z: float) -> Confidence:
    """Say how sure a z of the largest step is; the p-value would promise more than it knows."""
    if z >= _VERY_STRONG:
        return "very strong"

    return "strong" if z >= _STRONG else "weak"


def _describe(line: Line, split: Split, start: int, stop: int) -> Breakpoint:
    batch, at = line.batch, split.at
    direction = 1 if split.log_ratio > 0 else -1
    before, after = _levels(line, start, at, stop, direction)
    ratio = after / before if before else after
    valid = batch.valid[line.row]
    values = batch.values[line.row]
    t_value, p_value = welch(values[start:at][valid[start:at]], values[at:stop][valid[at:stop]])
    first, last = _interval(line, split, start, stop)
    times = batch.timestamps
    # A count is its own number of events.
    events = np.where(valid, values, 0.0) if batch.kind == "count" else batch.events[line.row]
    return Breakpoint(
        breakpoint=int(times[at]),
        index=at,
        direction=direction,
        change="regression" if direction > 0 else "improvement",
        aggregate_range_1=before,
        aggregate_range_2=after,
        count_range_1=float(events[start:at].sum()),
        count_range_2=float(events[at:stop].sum()),
        trend_percentage=ratio,
        absolute_percentage_change=abs(ratio),
        trend_difference=after - before,
        effect_size=abs(split.step) / line.scale,
        z=split.z,
        p_value=min(1.0, max(_SMALLEST_P, _SEARCHES * chance_of_step(split.z))),
        confidence=confidence(split.z),
        interval=(int(times[first]), int(times[last])),
        ramp=None if split.ramp is None else (int(times[split.ramp[0]]), int(times[split.ramp[1]])),
        unweighted_t_value=t_value,
        unweighted_p_value=round(p_value, 10),
    )


def _levels(line: Line, start: int, at: int, stop: int, direction: int) -> tuple[float, float]:
    """Average both sides by events; with spikes bounded where they would turn the change around."""
    batch, row = line.batch, line.row
    values = np.where(batch.valid[row], batch.values[row], 0.0)
    events = batch.events[row]
    before, after = _mean(values, events, start, at), _mean(values, events, at, stop)
    if (after - before) * direction > 0:
        return before, after

    bounded = np.where(batch.level[row] == batch.raw[row], values, _untransformed(line))
    return _mean(bounded, events, start, at), _mean(bounded, events, at, stop)


def _mean(values: Floats, events: Floats, start: int, stop: int) -> float:
    mass = float(events[start:stop].sum())
    return float((values[start:stop] * events[start:stop]).sum()) / mass if mass else 0.0


def _untransformed(line: Line) -> Floats:
    level = line.batch.level[line.row]
    if line.batch.low_count[line.row]:
        return np.asarray(np.maximum((level / 2) ** 2 - 0.375, 0.0))

    if line.batch.kind == "rate":
        return np.asarray(np.sin(level / 2) ** 2)

    if line.batch.kind == "count":
        return np.asarray(np.maximum(np.exp(level) - 0.5, 0.0))

    return np.asarray(np.exp(level))


def _interval(line: Line, split: Split, start: int, stop: int) -> tuple[int, int]:
    """Give the buckets where a split would have been nearly as good."""
    at, heights = line.sums.heights(start, stop, 1)
    squares = (heights / line.scale) ** 2
    near = at[squares > squares[split.at - start - 1] - _INTERVAL_DROP]
    return min(int(near[0]), split.at), max(int(near[-1]), split.at)
