"""Score and time the detector: `python -m benchmarks.trends`; `--json` for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.trends.generate import generate
from benchmarks.trends.score import Labelled, bootstrap_f1, by_family, load, score, tallies
from groundswell.trends.breakpoints import detect, detect_many

LABELLED = Path(__file__).parent / "labelled.npz"
SEEDS = (1, 2, 3, 4, 5)
REPEATS = 5


def found(series: Sequence[Labelled]) -> list[list[int]]:
    """Run the detector on each series alone."""
    return [
        [b.index for b in detect(one.values, one.times, one.weights, kind=one.kind)]  # type: ignore[arg-type]
        for one in series
    ]


def timings(series: Sequence[Labelled]) -> dict[str, float]:
    """Give the least CPU milliseconds for 50 and 1,000 hourly series of two weeks."""
    hourly = [one for one in series if len(one.values) == 336 and one.kind == "latency"]
    measured = {}
    for count in (50, 1000):
        chosen = [hourly[i % len(hourly)] for i in range(count)]
        values = np.stack([one.values for one in chosen])
        weights = np.stack([one.weights for one in chosen])
        took = []
        for _ in range(REPEATS):
            start = time.process_time()
            detect_many(values, chosen[0].times, weights, kind="latency")
            took.append(1e3 * (time.process_time() - start))
        measured[f"{count}x336_ms"] = round(min(took), 1)
    return measured


def report() -> dict[str, Any]:
    """Measure everything."""
    labelled = load(LABELLED)
    points = found(labelled)
    counted = tallies(labelled, points)
    generated = {}
    for seed in SEEDS:
        series = generate(seed)
        generated[seed] = asdict(score(tallies(series, found(series))))
    first = generate(SEEDS[0])
    return {
        "labelled": asdict(score(counted)),
        "labelled_f1_interval": bootstrap_f1(counted),
        "families": {name: asdict(one) for name, one in by_family(labelled, points).items()},
        "generated": generated,
        "generated_worst_f1": min(one["f1"] for one in generated.values()),
        "generated_worst_fpr": max(one["false_positive_rate"] for one in generated.values()),
        "generated_families": {
            name: asdict(one) for name, one in by_family(first, found(first)).items()
        },
        "timings": timings(labelled),
    }


if __name__ == "__main__":
    print(json.dumps(report(), indent=None if "--json" in sys.argv else 2))
