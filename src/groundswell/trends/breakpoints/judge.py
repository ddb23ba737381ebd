"""Which splits of one series are news: large, certain, no spike, no habit, not traffic alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log, sin, sqrt

import numpy as np

from groundswell.trends.breakpoints.model import DEFAULT, Reason, Tuning
from groundswell.trends.breakpoints.noise import long_run_scale
from groundswell.trends.breakpoints.prepare import Batch
from groundswell.trends.breakpoints.season import daily_wave, least_squares
from groundswell.trends.breakpoints.split import Sums
from groundswell.trends.breakpoints.windows import Floats, prefix

_SHORT_SIDE = 22  # buckets; below it a few spikes can look like a level
_SHORT_SIDE_SHARE = 0.7
_PASSING_SHARE = 0.1  # of the window; a passing change that is shorter is a long spike
_FEW_EVENTS = 10  # below it the percentile of a bucket is biased low
_TRAFFIC_MOVED = 3.0
_LARGEST_BIAS = 0.8  # in logarithms: a p95 of 3 events against one of very many


@dataclass(frozen=True, slots=True)
class Split:
    """An accepted split: bucket, step on the working scale, z, log of the ratio, ramp or None."""

    at: int
    step: float
    z: float
    log_ratio: float
    ramp: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Line:
    """One prepared series. `clean` is the level without habits, `season` what was taken away."""

    batch: Batch
    row: int
    clean: Floats
    season: Floats
    scale: float
    sums: Sums

    @classmethod
    def of(cls, batch: Batch, row: int, clean: Floats, season: Floats, scale: float) -> Line:
        weight = batch.weight[row]
        stacked = prefix(np.stack([weight, weight * clean]))
        return cls(batch, row, clean, season, scale, Sums(stacked[0], stacked[1]))

    @property
    def length(self) -> int:
        return len(self.clean)

    def log_ratio(self, start: int, at: int, stop: int) -> float:
        """Give ln(after / before) of the levels on either side of a split."""
        before, after = self.sums.mean(start, at), self.sums.mean(at, stop)
        if self.batch.low_count[self.row]:
            low, high = (max((root / 2) ** 2 - 0.375, 0.05) for root in (before, after))
            return log(high / low)

        if self.batch.kind == "rate":
            low, high = (max(sin(angle / 2) ** 2, 1e-4) for angle in (before, after))
            return log(high / low)

        return after - before


def judge(
    line: Line, places: Sequence[int], critical: float, tuning: Tuning
) -> tuple[list[Split], Reason | None]:
    """Merge ramps, then drop the weakest split that fails a gate until all stand.

    Returns the splits, and why the last one was dropped.
    """
    splits, ramps = _without_ramps(line, list(places), tuning)
    reason: Reason | None = None
    while splits:
        edges = [0, *splits, line.length]
        waved = _beside_wave(line, splits)
        judged = [
            _judge_one(line, edges[j : j + 3], waved[j] if waved else None, critical, tuning)
            for j in range(len(splits))
        ]
        failed: list[tuple[float, int, Reason | None]] = [
            (height, j, why) for j, (height, _, _, why) in enumerate(judged) if why is not None
        ]
        if not failed:
            failed = _passing(judged, splits, line.length)
        if not failed:
            return [
                Split(at, step, height, ratio, ramps.get(at))
                for at, (height, step, ratio, _) in zip(splits, judged, strict=True)
            ], None

        _, weakest, reason = min(failed)
        splits.pop(weakest)

    return [], reason


def _judge_one(
    line: Line, edges: Sequence[int], waved: float | None, critical: float, tuning: Tuning
) -> tuple[float, float, float, Reason | None]:
    """Give z, step, log ratio of one split, and the gate that it fails."""
    start, at, stop = edges
    step, error = line.sums.step(start, at, stop)
    ratio = line.log_ratio(start, at, stop)
    plain = abs(step) / (error * line.scale)
    height = plain if waved is None else waved
    why: Reason | None = None
    if not _has_sides(line, start, at, stop, tuning):
        why = "too little data"
    elif height <= critical:
        why = "no change" if plain <= critical else "seasonal"
    elif abs(ratio) < log(tuning.min_ratio):
        why = "too small"
    elif (
        _too_little_traffic(line, at, tuning)
        or _follows_traffic(line, start, at, stop, ratio)
        or not _shows_in_shares(line, start, at, stop, ratio, critical)
    ):
        why = "too little traffic"
    elif not _shows_in_buckets(line, start, at, stop, step):
        why = "spike"

    return height, step, ratio, why


def _without_ramps(
    line: Line, splits: list[int], tuning: Tuning
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Join close splits in one direction into one gradual change, placed at its steepest point."""
    longest = max(12, line.length // 8)
    ramps: dict[int, tuple[int, int]] = {}
    while len(splits) > 1:
        edges = [0, *splits, line.length]
        means = [line.sums.mean(a, b) for a, b in pairwise(edges)]
        rises = np.diff(means)
        close = [
            (splits[j + 1] - splits[j], j)
            for j in range(len(splits) - 1)
            if rises[j] * rises[j + 1] > 0 and splits[j + 1] - splits[j] <= longest
        ]
        if not close:
            break

        j = min(close)[1]
        first = ramps.pop(splits[j], (splits[j], splits[j]))[0]
        last = ramps.pop(splits[j + 1], (splits[j + 1], splits[j + 1]))[1]
        at = line.sums.best(edges[j], edges[j + 3], tuning.min_side)[0]
        at = min(max(at, first), last)
        splits[j : j + 2] = [at]
        ramps[at] = (first, last)

    return splits, ramps


def _beside_wave(line: Line, splits: Sequence[int]) -> list[float] | None:
    """Give the z that each split keeps beside a daily wave, where no profile could be learnt."""
    waves = daily_wave(line.batch.timestamps)
    if not len(waves):
        return None

    starts = np.array([0, *splits])
    steps = (np.arange(line.length)[None, :] >= starts[:, None]).astype(float)
    columns = np.vstack([steps, waves])
    weight = line.batch.weight[line.row]
    size, covariance = least_squares(columns, weight, line.clean)
    rest = (line.clean - size @ columns)[None, :]
    scale = noise_scale(line.batch.rows(np.array([line.row])), rest)[0]
    errors = np.sqrt(np.diag(covariance))
    return [float(abs(size[j]) / (errors[j] * scale)) for j in range(1, len(starts))]


def noise_scale(
    batch: Batch, rest: Floats, tuning: Tuning = DEFAULT, blocks: tuple[int, ...] | None = None
) -> Floats:
    """Give the noise of each row of what steps and habits leave over, never under its floor."""
    floor: float | Floats = tuning.noise_floor
    if batch.kind == "rate":
        floor = np.maximum(tuning.rate_noise_floor, batch.sampling)
    scale = np.maximum(long_run_scale(rest, batch.weight, blocks or tuning.noise_blocks), floor)
    return np.where(batch.low_count, np.maximum(scale, 1.0), scale)


def _has_sides(line: Line, start: int, at: int, stop: int, tuning: Tuning) -> bool:
    """Ask for buckets that hold something; a gap is no evidence of a level."""
    valid = line.batch.valid[line.row]
    return min(int(valid[start:at].sum()), int(valid[at:stop].sum())) >= tuning.min_side


def _too_little_traffic(line: Line, at: int, tuning: Tuning) -> bool:
    """All data on a side counts, whatever other splits lie in it."""
    if line.batch.kind == "count":
        values = line.batch.values[line.row]
        return float(np.where(line.batch.valid[line.row], values, 0.0).sum()) < tuning.min_events

    events = line.batch.events[line.row]
    return min(float(events[:at].sum()), float(events[at:].sum())) < tuning.min_events


def _follows_traffic(line: Line, start: int, at: int, stop: int, ratio: float) -> bool:
    """Tell whether a change is what a percentile of few events does when traffic moves."""
    if line.batch.kind != "latency":
        return False

    events = line.batch.events[line.row]
    before = events[start:at][events[start:at] > 0]
    after = events[at:stop][events[at:stop] > 0]
    if min((before >= _FEW_EVENTS).mean(), (after >= _FEW_EVENTS).mean()) > 0.5:
        return False

    usual = float(np.median(before)), float(np.median(after))
    few, many = min(usual), max(usual)
    if few >= _FEW_EVENTS or many <= _TRAFFIC_MOVED * max(few, 0.5):
        return False

    return (ratio > 0) == (usual[1] > usual[0]) and abs(ratio) < _LARGEST_BIAS


def _shows_in_shares(
    line: Line, start: int, at: int, stop: int, ratio: float, critical: float
) -> bool:
    """Ask of a share that it also moved among all events of either side, bucket or not.

    Where hardly anything fails the scale of a bucket moves with its traffic alone.
    """
    if line.batch.kind != "rate":
        return True

    events = line.batch.events[line.row]
    hits = np.where(events > 0, line.batch.values[line.row], 0.0) * events
    many = float(events[start:at].sum()), float(events[at:stop].sum())
    had = float(hits[start:at].sum()), float(hits[at:stop].sum())
    usual = min(max(sum(had) / max(sum(many), 1.0), 0.0), 1.0)
    error = sqrt(usual * (1 - usual) * (1 / max(many[0], 1.0) + 1 / max(many[1], 1.0)))
    rise = had[1] / max(many[1], 1.0) - had[0] / max(many[0], 1.0)
    return (rise > 0) == (ratio > 0) and abs(rise) > critical * error


def _shows_in_buckets(line: Line, start: int, at: int, stop: int, step: float) -> bool:
    """Ask of a short side that most of its raw buckets lie beyond the middle of the step."""
    if min(at - start, stop - at) >= _SHORT_SIDE:
        return True

    middle = 0.5 * (line.sums.mean(start, at) + line.sums.mean(at, stop))
    for first, last, side in ((start, at, -1.0), (at, stop, 1.0)):
        if last - first < _SHORT_SIDE:
            heard = line.batch.weight[line.row, first:last] > 0
            raw = line.batch.raw[line.row, first:last] - line.season[first:last] - middle
            if float((raw[heard] * step * side > 0).mean()) < _SHORT_SIDE_SHARE:
                return False

    return True


def _passing(
    judged: Sequence[tuple[float, float, float, Reason | None]], splits: Sequence[int], length: int
) -> list[tuple[float, int, Reason | None]]:
    """Find a short stretch between two opposite steps; the weaker of the two is to go."""
    for j in range(len(splits) - 1):
        opposite = judged[j][1] * judged[j + 1][1] < 0
        if opposite and splits[j + 1] - splits[j] < _PASSING_SHARE * length:
            weaker = j if judged[j][0] < judged[j + 1][0] else j + 1
            return [(judged[weaker][0], weaker, "spike")]

    return []
