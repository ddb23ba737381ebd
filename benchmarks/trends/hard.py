"""Families that are hard on purpose: little traffic, small steps, wild counts, cron, weekends."""

from __future__ import annotations

import numpy as np

from benchmarks.trends.generate import (
    DAY,
    LENGTH,
    T0,
    Family,
    _daily,
    _place,
    _quantiles,
    _series,
)
from benchmarks.trends.score import Labelled

_HOUR = 3600
_WEEK = 7 * DAY


def generate_hard(seed: int, per_family: int = 30) -> list[Labelled]:
    """Make `per_family` series of every hard family."""
    noise = np.random.default_rng([seed, 1])
    return [make(noise) for make in HARD for _ in range(per_family)]


def quiet(noise: np.random.Generator) -> Labelled:
    """Two or three events an hour, and no change."""
    traffic = np.full(LENGTH, noise.uniform(1.5, 4))
    return _series("null_quiet", *_quantiles(noise, np.full(LENGTH, 120.0), traffic))


def quiet_step(noise: np.random.Generator) -> Labelled:
    at, level = _place(noise), np.full(LENGTH, 120.0)
    level[at:] *= noise.uniform(1.8, 3)
    traffic = np.full(LENGTH, noise.uniform(2, 5))
    return _series("step_quiet", *_quantiles(noise, level, traffic), at)


def traffic_moves(noise: np.random.Generator) -> Labelled:
    """Traffic changes tenfold; the level does not, but a percentile of few events lies lower."""
    at, traffic = _place(noise), np.full(LENGTH, 40.0)
    traffic[at:] = 4
    return _series("null_traffic_moves", *_quantiles(noise, np.full(LENGTH, 90.0), traffic))


def small_step(noise: np.random.Generator) -> Labelled:
    at, level = _place(noise), np.full(LENGTH, 250.0)
    level[at:] *= noise.uniform(1.13, 1.2) ** noise.choice([1, -1])
    return _series("step_small", *_quantiles(noise, level, np.full(LENGTH, 400.0), tail=0.4), at)


def too_small_step(noise: np.random.Generator) -> Labelled:
    """A step of 5 % is none to tell of."""
    at, level = _place(noise), np.full(LENGTH, 250.0)
    level[at:] *= 1.05
    return _series("null_too_small", *_quantiles(noise, level, np.full(LENGTH, 400.0), tail=0.4))


def wild_counts(noise: np.random.Generator) -> Labelled:
    """Counts whose variance is thirty times their mean, and that remember the hour before."""
    shape = noise.uniform(1.5, 4)
    rate = noise.gamma(shape, 1 / shape, LENGTH)
    rate[1:] = 0.5 * rate[1:] + 0.5 * rate[:-1]
    counts = noise.poisson(80 * rate).astype(float)
    return _series("null_wild_count", counts, np.ones(LENGTH), kind="count")


def wild_count_step(noise: np.random.Generator) -> Labelled:
    at, mean = _place(noise), np.full(LENGTH, 80.0)
    mean[at:] *= noise.choice([0.33, 3.0])
    counts = noise.poisson(mean * noise.gamma(3, 1 / 3, LENGTH)).astype(float)
    return _series("step_wild_count", counts, np.ones(LENGTH), at, kind="count")


def cron_counts(noise: np.random.Generator) -> Labelled:
    """A job that makes one hour of the day ten times as busy."""
    mean = 30 * _daily(noise, 0.5)
    mean[np.arange(LENGTH) % DAY == int(noise.integers(0, DAY))] *= noise.uniform(4, 12)
    return _series(
        "null_cron_count", noise.poisson(mean).astype(float), np.ones(LENGTH), kind="count"
    )


def cron_step(noise: np.random.Generator) -> Labelled:
    """A step beside a nightly job."""
    at, level = _place(noise), np.full(LENGTH, 150.0)
    level[at:] *= noise.uniform(1.4, 2.5)
    level[np.arange(LENGTH) % DAY == int(noise.integers(0, DAY))] *= noise.uniform(2, 5)
    return _series("step_cron", *_quantiles(noise, level, np.full(LENGTH, 80.0)), at)


def _weekly(noise: np.random.Generator, length: int) -> np.ndarray:
    times = T0 + _HOUR * np.arange(length)
    weekday = (times // 86_400 + 3) % 7  # 0 is a Monday
    return np.where(weekday >= 5, noise.uniform(0.25, 0.6), 1.0)


def weekends(noise: np.random.Generator) -> Labelled:
    """Quiet weekends in level and traffic, for three weeks."""
    length = 3 * _WEEK
    week, day = _weekly(noise, length), _daily(noise, 0.4, length)
    values, events = _quantiles(noise, 180 * day * week**0.4, 90 * day * week)
    return _series("null_weekends", values, events)


def step_near_weekend(noise: np.random.Generator) -> Labelled:
    """A step within half a day of a weekend's edge: what starts on Friday or on Monday."""
    length = 3 * _WEEK
    week, day = _weekly(noise, length), _daily(noise, 0.3, length)
    edges = np.flatnonzero(np.diff(week) != 0) + 1
    inner = edges[(edges > 100) & (edges < length - 60)]
    at = int(noise.choice(inner)) + int(noise.integers(-12, 13))
    level = 180 * day * week**0.3
    level[at:] *= noise.uniform(1.4, 2.5)
    return _series("step_near_weekend", *_quantiles(noise, level, 90 * day * week), at)


def rare_failures(noise: np.random.Generator) -> Labelled:
    """A few events an hour, of which one in twenty or fewer fails: most hours hold no failure."""
    events = noise.poisson(noise.uniform(1, 8), LENGTH)
    failed = noise.binomial(events, noise.uniform(0.005, 0.05))
    values = np.where(events > 0, failed / np.maximum(events, 1), np.nan)
    return _series("null_rare_failures", values, events.astype(float), kind="rate")


def rare_failures_step(noise: np.random.Generator) -> Labelled:
    at, chance = _place(noise), np.full(LENGTH, noise.uniform(0.01, 0.03))
    chance[at:] *= noise.uniform(8, 15)
    events = noise.poisson(noise.uniform(6, 12), LENGTH)
    values = np.where(events > 0, noise.binomial(events, chance) / np.maximum(events, 1), np.nan)
    return _series("step_rare_failures", values, events.astype(float), at, kind="rate")


HARD: tuple[Family, ...] = (
    quiet,
    quiet_step,
    traffic_moves,
    small_step,
    too_small_step,
    wild_counts,
    wild_count_step,
    cron_counts,
    cron_step,
    weekends,
    step_near_weekend,
    rare_failures,
    rare_failures_step,
)
