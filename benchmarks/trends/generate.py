"""Labelled series of families that the published set lacks, from a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.trends.score import Labelled

T0 = 1_735_689_600  # a Wednesday
HOUR, DAY = 3600, 24
LENGTH = 336
Family = Callable[[np.random.Generator], Labelled]


def generate(seed: int, per_family: int = 30) -> list[Labelled]:
    """Make `per_family` series of every family."""
    noise = np.random.default_rng(seed)
    return [make(noise) for make in FAMILIES for _ in range(per_family)]


def _series(
    family: str,
    values: np.ndarray,
    weights: np.ndarray,
    *changes: int,
    kind: str = "latency",
    spans: tuple[tuple[int, int], ...] | None = None,
) -> Labelled:
    times = T0 + HOUR * np.arange(len(values))
    return Labelled(
        values, times, weights, kind, family, changes, spans or tuple((c, c) for c in changes)
    )


def _place(noise: np.random.Generator, length: int = LENGTH) -> int:
    return int(noise.integers(length // 8, length - length // 8))


def _ratio(noise: np.random.Generator) -> float:
    size = float(noise.uniform(1.3, 3.0))
    return size if noise.random() < 0.65 else 1 / size


def _quantiles(
    noise: np.random.Generator, level: np.ndarray, traffic: np.ndarray, *, tail: float = 0.6
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the p95 of lognormal events behind each bucket, given Poisson traffic."""
    events = noise.poisson(traffic)
    spread = tail * np.sqrt(4.5 * 0.05 / np.maximum(events, 1)) + 0.03
    bias = np.where(events < 20, -tail * 0.8 / np.maximum(events, 1), 0.0)
    values = level * np.exp(noise.normal(0, 1, len(level)) * spread + bias)
    return np.where(events > 0, values, np.nan), events.astype(float)


def _daily(noise: np.random.Generator, depth: float, length: int = LENGTH) -> np.ndarray:
    """A working day: a plateau with soft shoulders, not a sine."""
    hour = np.arange(length) % DAY
    plateau = 1 / (1 + np.exp(-(hour - 8))) - 1 / (1 + np.exp(-(hour - 18)))
    return np.exp(depth * plateau * noise.uniform(0.7, 1.3))


def working_day(noise: np.random.Generator) -> Labelled:
    base = 200 * _daily(noise, 0.5)
    return _series("null_working_day", *_quantiles(noise, base, 60 * _daily(noise, 2.0)))


def working_day_step(noise: np.random.Generator) -> Labelled:
    at = _place(noise)
    base = 200 * _daily(noise, 0.4)
    base[at:] *= _ratio(noise)
    return _series("step_working_day", *_quantiles(noise, base, 60 * _daily(noise, 2.0)), at)


def nightly_job(noise: np.random.Generator) -> Labelled:
    base = np.full(LENGTH, 150.0)
    base[np.arange(LENGTH) % DAY == int(noise.integers(0, DAY))] *= noise.uniform(2, 6)
    return _series("null_nightly_job", *_quantiles(noise, base, np.full(LENGTH, 80.0)))


def heavy_tail(noise: np.random.Generator) -> Labelled:
    values = 100 * np.exp(0.15 * noise.standard_t(2.5, LENGTH))
    return _series("null_heavy_tail", values, np.full(LENGTH, 50.0))


def heavy_tail_step(noise: np.random.Generator) -> Labelled:
    at = _place(noise)
    values = 100 * np.exp(0.12 * noise.standard_t(2.5, LENGTH))
    values[at:] *= _ratio(noise)
    return _series("step_heavy_tail", values, np.full(LENGTH, 50.0), at)


def young(noise: np.random.Generator) -> Labelled:
    """A transaction that did not exist for most of the window."""
    born = int(noise.integers(120, 230))
    at = born + int((LENGTH - born) * noise.uniform(0.3, 0.7))
    base = np.full(LENGTH, 80.0)
    base[at:] *= _ratio(noise)
    traffic = np.where(np.arange(LENGTH) < born, 0.0, 60.0)
    return _series("step_young", *_quantiles(noise, base, traffic), at)


def stopped(noise: np.random.Generator) -> Labelled:
    at = _place(noise)
    counts = noise.poisson(noise.uniform(5, 200) * _daily(noise, 0.3)).astype(float)
    counts[at:] = 0
    return _series("count_stopped", counts, np.ones(LENGTH), at, kind="count")


def bursty_counts(noise: np.random.Generator) -> Labelled:
    counts = noise.negative_binomial(4, 4 / (4 + 60.0), LENGTH).astype(float)
    return _series("null_bursty_count", counts, np.ones(LENGTH), kind="count")


def bursty_count_step(noise: np.random.Generator) -> Labelled:
    at, mean = _place(noise), np.full(LENGTH, 60.0)
    mean[at:] *= noise.choice([0.4, 2.2])
    counts = noise.negative_binomial(4, 4 / (4 + mean)).astype(float)
    return _series("step_bursty_count", counts, np.ones(LENGTH), at, kind="count")


def sparse(noise: np.random.Generator) -> Labelled:
    return _series("null_sparse", *_quantiles(noise, np.full(LENGTH, 90.0), np.full(LENGTH, 0.7)))


def failure_step(noise: np.random.Generator) -> Labelled:
    at, share = _place(noise), np.full(LENGTH, noise.uniform(0.02, 0.1))
    share[at:] *= 2.5
    events = noise.poisson(300, LENGTH).astype(float)
    rates = noise.binomial(events.astype(int), share) / np.maximum(events, 1)
    return _series("step_failure_rate", rates, events, at, kind="rate")


def outage(noise: np.random.Generator) -> Labelled:
    """Bad for a day or two, then as before."""
    first = int(noise.integers(50, 200))
    last = first + int(noise.integers(36, 80))
    base = np.full(LENGTH, 120.0)
    base[first:last] *= noise.uniform(1.6, 3)
    return _series("passing", *_quantiles(noise, base, np.full(LENGTH, 90.0)), first, last)


FAMILIES: tuple[Family, ...] = (
    working_day,
    working_day_step,
    nightly_job,
    heavy_tail,
    heavy_tail_step,
    young,
    stopped,
    bursty_counts,
    bursty_count_step,
    sparse,
    failure_step,
    outage,
)
