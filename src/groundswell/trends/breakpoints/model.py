"""What a detector answers: a breakpoint with its evidence, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["latency", "count", "rate"]
Change: TypeAlias = Literal["regression", "improvement"]
Confidence: TypeAlias = Literal["weak", "strong", "very strong"]
Reason: TypeAlias = Literal[
    "no data",
    "too little data",
    "too little traffic",
    "seasonal",
    "spike",
    "ramp",
    "too small",
    "no change",
]


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """One change of level: the first bucket of the new level, and the evidence for it.

    breakpoint, interval, ramp: unix seconds; `interval` is where the change lies with about 95 %,
    `ramp` is set when the level moved gradually. direction: +1 up, -1 down; change: up is a
    regression (the reader of an apdex turns that around). aggregate_range_1, _2: mean before and
    after, each bucket weighted by its events, in the unit of the values, over count_range_1, _2
    events. trend_percentage: their ratio. effect_size: Cohen's d over the noise of the series.
    p_value: of the largest of all possible steps, floored at 1e-12 and approximate; the words of
    `confidence` are the honest form. unweighted_*: Welch's test of the raw bucket values, negative
    for a rise.
    """

    breakpoint: int
    index: int
    direction: int
    change: Change
    aggregate_range_1: float
    aggregate_range_2: float
    count_range_1: float
    count_range_2: float
    trend_percentage: float
    absolute_percentage_change: float
    trend_difference: float
    effect_size: float
    z: float
    p_value: float
    confidence: Confidence
    interval: tuple[int, int]
    ramp: tuple[int, int] | None
    unweighted_t_value: float
    unweighted_p_value: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer for one series: breakpoints, oldest first, or the reason why there are none."""

    breakpoints: tuple[Breakpoint, ...]
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Tuning:
    """The numbers that decide. Lengths are buckets unless the name says otherwise."""

    alpha: float = 1e-3
    min_ratio: float = 1.10
    min_side: int = 5
    min_events: float = 25.0
    max_breakpoints: int = 4
    clip: float = 3.0
    noise_blocks: tuple[int, ...] = (1, 4, 12, 24)
    noise_floor: float = 0.01
    rate_noise_floor: float = 0.002
    low_count: float = 8.0


DEFAULT = Tuning()
