"""Score breakpoints against labelled series: precision, recall, F1, false positives on no change.

A found point matches a label within max(3, 2 % of the buckets), one to one; every other found
point is a false positive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

LEAST_TOLERANCE = 3
TOLERANCE_SHARE = 0.02

Detector: TypeAlias = Callable[["Labelled"], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One series and its truth: `changes` first buckets of a level, `spans` accepted ranges."""

    values: np.ndarray
    times: np.ndarray
    weights: np.ndarray
    kind: str
    family: str
    changes: tuple[int, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """What one series adds: hits, points too many, points missed; whether it has no change."""

    hits: int
    extra: int
    missed: int
    unchanged: bool


@dataclass(frozen=True, slots=True)
class Score:
    precision: float
    recall: float
    f1: float
    false_positive_rate: float


def load(path: Path) -> list[Labelled]:
    """Read a file of labelled series."""
    with np.load(path) as data:
        meta = json.loads(str(data["meta"]))
        offsets, values, weights = data["offsets"], data["values"], data["weights"]
        starts, steps = data["t0"], data["step"]
    return [
        Labelled(
            values[offsets[i] : offsets[i + 1]].astype(float),
            int(starts[i]) + np.arange(offsets[i + 1] - offsets[i]) * int(steps[i]),
            weights[offsets[i] : offsets[i + 1]].astype(float),
            label["kind"],
            label["family"],
            tuple(label["cps"]),
            tuple((first, last) for first, last in label["spans"]),
            bool(label["ignore"]),
        )
        for i, label in enumerate(meta)
    ]


def tally(series: Labelled, found: Sequence[int]) -> Tally:
    """Match found buckets with the labels of one series."""
    tolerance = max(LEAST_TOLERANCE, round(TOLERANCE_SHARE * len(series.values)))
    left = sorted(found)
    hits = 0
    for change, (first, last) in zip(series.changes, series.spans, strict=True):
        near = [at for at in left if first - tolerance <= at <= last + tolerance]
        if near:
            left.remove(min((abs(at - change), at) for at in near)[1])
            hits += 1

    return Tally(hits, len(left), len(series.changes) - hits, not series.changes)


def tallies(series: Sequence[Labelled], found: Sequence[Sequence[int]]) -> list[Tally]:
    """Tally all series but those whose change is too small to matter."""
    return [
        tally(one, points) for one, points in zip(series, found, strict=True) if not one.ignored
    ]


def score(counted: Sequence[Tally]) -> Score:
    """Sum up."""
    hits = sum(one.hits for one in counted)
    precision = hits / max(1, hits + sum(one.extra for one in counted))
    recall = hits / max(1, hits + sum(one.missed for one in counted))
    unchanged = [one for one in counted if one.unchanged]
    return Score(
        precision,
        recall,
        2 * precision * recall / max(1e-9, precision + recall),
        sum(one.extra > 0 for one in unchanged) / max(1, len(unchanged)),
    )


def bootstrap_f1(
    counted: Sequence[Tally], *, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Give the 95 % interval of F1 over resampled series."""
    table = np.array([(one.hits, one.extra, one.missed) for one in counted], dtype=float)
    noise = np.random.default_rng(seed)
    sums = np.array(
        [table[noise.integers(0, len(table), len(table))].sum(axis=0) for _ in range(rounds)]
    )
    f1 = 2 * sums[:, 0] / np.maximum(2 * sums[:, 0] + sums[:, 1] + sums[:, 2], 1)
    low, high = np.percentile(f1, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_difference(
    new: Sequence[Tally], old: Sequence[Tally], *, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Give the 95 % interval of the difference in F1, both over the same resampled series."""
    table = np.array(
        [
            (a.hits, a.extra, a.missed, b.hits, b.extra, b.missed)
            for a, b in zip(new, old, strict=True)
        ],
        dtype=float,
    )
    noise = np.random.default_rng(seed)
    sums = np.array(
        [table[noise.integers(0, len(table), len(table))].sum(axis=0) for _ in range(rounds)]
    )
    first, second = (
        2 * part[:, 0] / np.maximum(2 * part[:, 0] + part[:, 1] + part[:, 2], 1)
        for part in (sums[:, :3], sums[:, 3:])
    )
    low, high = np.percentile(first - second, [2.5, 97.5])
    return float(low), float(high)


def by_family(series: Sequence[Labelled], found: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Score each family apart."""
    families = sorted({one.family for one in series if not one.ignored})
    pairs = list(zip(series, found, strict=True))
    return {
        family: score([tally(one, points) for one, points in pairs if one.family == family])
        for family in families
    }
