"""Score and time the detector: `python -m benchmarks.trends`; `--json` for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.trends.generate import generate
from benchmarks.trends.hard import generate_hard
from benchmarks.trends.score import (
    Labelled,
    bootstrap_difference,
    bootstrap_f1,
    by_family,
    load,
    score,
    tallies,
)
from groundswell.trends.breakpoints import detect, detect_many

LABELLED = Path(__file__).parent / "labelled.npz"
EARLIER = Path(__file__).parent / "earlier.npz"
SEEDS = (1, 2, 3, 4, 5)
REPEATS = 9


def found(series: Sequence[Labelled]) -> list[list[int]]:
    """Run the detector on each series alone."""
    return [
        [b.index for b in detect(one.values, one.times, one.weights, kind=one.kind)]  # type: ignore[arg-type]
        for one in series
    ]


def earlier() -> list[list[int]]:
    """Read what the earlier detector found on the labelled series."""
    with np.load(EARLIER) as data:
        offsets, places = data["offsets"], data["found"]
    return [places[a:b].tolist() for a, b in pairwise(offsets)]


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
    before = tallies(labelled, earlier())
    return {
        "labelled": asdict(score(counted)),
        "labelled_f1_interval": bootstrap_f1(counted),
        "earlier": asdict(score(before)),
        "f1_difference_interval": bootstrap_difference(counted, before),
        "families": {name: asdict(one) for name, one in by_family(labelled, points).items()},
        "generated": _sets(generate),
        "hard": _sets(generate_hard),
        "timings": timings(labelled),
    }


def _sets(make: Any) -> dict[str, Any]:
    """Score five sets of one generator; the worst counts."""
    scores = []
    families: dict[str, Any] = {}
    for seed in SEEDS:
        series = make(seed)
        places = found(series)
        scores.append(asdict(score(tallies(series, places))))
        for name, one in by_family(series, places).items():
            families.setdefault(name, []).append(one)
    return {
        "scores": scores,
        "worst_f1": min(one["f1"] for one in scores),
        "worst_fpr": max(one["false_positive_rate"] for one in scores),
        "families": {
            name: {
                "worst_f1": min(one.f1 for one in several),
                "worst_fpr": max(one.false_positive_rate for one in several),
            }
            for name, several in families.items()
        },
    }


if __name__ == "__main__":
    if "--json" in sys.argv:
        print(json.dumps(report()))
    else:
        from benchmarks.trends import run

        run()
