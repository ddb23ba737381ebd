"""Raw buckets → a level per bucket on a scale with even noise, and how much each one may say.

A bucket without events says nothing; one with few events says little; a spike is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from groundswell.trends.breakpoints.model import Kind, Tuning
from groundswell.trends.breakpoints.windows import (
    Bools,
    Floats,
    Ints,
    carry_forward,
    median_rows,
    moving_average,
    running_median,
)

_SPIKE_WINDOW = 11
_DOUBT = 8.0  # events that a bucket must have before it counts for more than half
_SIX_HOURS_S = 21_600
_RARE_STEP = 1.25  # squared step of one hit more on the scale of shares, times N


@dataclass(frozen=True, slots=True)
class Batch:
    """Series of one kind on one grid, one per row. `level` has no gaps; `weight` is 0 in them.

    values, events: as given, NaN and 0 where there is nothing. valid: buckets that count.
    raw: transformed values, gaps filled; level: the same with spikes bounded. weight: precision
    of each bucket, at most 1. low_count: rows whose counts are so small that the square root is
    their scale and Poisson their noise. sampling: the noise that shares of so many events have at
    the least, per row, in units of a bucket of weight 1.
    """

    kind: Kind
    timestamps: Ints
    step_s: float
    values: Floats
    events: Floats
    valid: Bools
    raw: Floats
    level: Floats
    weight: Floats
    low_count: Bools
    sampling: Floats

    def rows(self, chosen: Ints) -> Batch:
        """Keep only the chosen rows."""
        return replace(
            self,
            values=self.values[chosen],
            events=self.events[chosen],
            valid=self.valid[chosen],
            raw=self.raw[chosen],
            level=self.level[chosen],
            weight=self.weight[chosen],
            low_count=self.low_count[chosen],
            sampling=self.sampling[chosen],
        )


def prepare(values: Floats, timestamps: Ints, events: Floats, kind: Kind, tuning: Tuning) -> Batch:
    """Transform the rows of one kind, weigh their buckets and bound their spikes."""
    valid = np.isfinite(values) & (events > 0)
    if kind == "latency":
        valid &= np.where(valid, values, 0.0) > 0
    known = np.where(valid, values, 1.0)
    events = np.where(valid, events, 0.0)
    step_s = max(1.0, float(np.median(np.diff(timestamps))))
    if kind == "count":
        # A count is its own traffic; a short average keeps one bucket from weighing itself.
        width = max(5, int(_SIX_HOURS_S / step_s))
        near = moving_average(np.where(valid, values, 0.0), valid.astype(float), width)
        support = np.where(valid, near + 0.5, 0.0)
    else:
        support = events

    level = _transformed(known, events, kind)
    weight = _precision(np.where(valid, level, np.nan), support, valid)
    mean = np.where(valid, values, 0.0).sum(axis=1) / np.maximum(valid.sum(axis=1), 1)
    low_count = (mean < tuning.low_count) & (kind == "count")
    if low_count.any():
        root = 2 * np.sqrt(np.maximum(known, 0.0) + 0.375)
        level = np.where(low_count[:, None], root, level)
        weight = np.where(low_count[:, None], valid.astype(float), weight)

    level = carry_forward(np.where(valid, level, np.nan))
    sampling = _sampling(known, events, weight) if kind == "rate" else np.zeros(len(values))
    batch = Batch(
        kind, timestamps, step_s, values, events, valid, level, level, weight, low_count, sampling
    )
    return bound_spikes(batch, tuning, inside=False)


def bound_spikes(batch: Batch, tuning: Tuning, *, inside: bool) -> Batch:
    """Pull buckets that stand out from their neighbours back to the edge of the noise."""
    middle = running_median(batch.level, _SPIKE_WINDOW, inside=inside)
    root = np.sqrt(np.maximum(batch.weight, 1e-9))
    away = np.abs(batch.level - middle) * root
    spread = 1.4826 * median_rows(np.where(batch.valid, away, np.nan))
    spread = np.nan_to_num(spread) + 1e-9
    spread = np.where(batch.low_count, np.maximum(spread, 1.0), np.maximum(spread, batch.sampling))
    bound = tuning.clip * spread[:, None] / root
    return replace(batch, level=middle + np.clip(batch.level - middle, -bound, bound))


def _transformed(known: Floats, events: Floats, kind: Kind) -> Floats:
    if kind == "count":
        return np.asarray(np.log(np.maximum(known, 0.0) + 0.5))

    if kind == "rate":
        share = np.clip((known * events + 0.375) / (events + 0.75), 0.0, 1.0)
        return np.asarray(2 * np.arcsin(np.sqrt(share)))

    return np.asarray(np.log(np.maximum(known, 1e-9)))


def _sampling(known: Floats, events: Floats, weight: Floats) -> Floats:
    """Give the binomial noise of each row; of a rare share most buckets hold none at all.

    A bucket has the variance 1/N, or where one hit is unlikely N times its chance times its step.
    """
    mass = np.maximum(events.sum(axis=1), 1.0)
    usual = np.clip((known * events).sum(axis=1) / mass, 0.0, 1.0)
    rare = np.minimum(usual, 1 - usual)[:, None]
    variance = np.minimum(1 / np.maximum(events, 1.0), _RARE_STEP * rare)
    return np.asarray(
        np.sqrt((weight**2 * variance).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9))
    )


def _precision(level: Floats, support: Floats, valid: Bools) -> Floats:
    """Weigh each bucket by N / (N + k), where k = s²/τ² of the variance τ² + s²/N of a bucket.

    τ² and s² come from the squared steps between neighbours, at few and at many events.
    """
    both = valid[:, 1:] & valid[:, :-1]
    filled = carry_forward(level)
    squares = np.where(both, np.diff(filled, axis=1) ** 2, np.nan)
    share = 1 / np.maximum(support, 0.5)
    share = np.where(both, 0.5 * (share[:, 1:] + share[:, :-1]), np.nan)
    many = share <= median_rows(share)[:, None]
    few = ~many
    low_share = np.nan_to_num(median_rows(np.where(many, share, np.nan)))
    high_share = np.nan_to_num(median_rows(np.where(few, share, np.nan)))
    low = np.nan_to_num(median_rows(np.where(many, squares, np.nan)))
    high = np.nan_to_num(median_rows(np.where(few, squares, np.nan)))
    slope = (high - low) / np.maximum(high_share - low_share, 1e-12)
    sampling = np.where(high_share > 1.05 * low_share, np.maximum(slope, 0.0), 0.0)
    lasting = np.maximum(low - sampling * low_share, 0.05 * low + 1e-8)
    doubt = np.clip(sampling / lasting, 0.0, 2000.0)
    doubt = np.where(doubt == 0, _DOUBT, doubt)
    return np.where(valid, support / (support + doubt[:, None]), 0.0)
