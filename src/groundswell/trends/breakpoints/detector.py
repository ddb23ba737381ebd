"""Series in, breakpoints out: prepare, search, learn the habits beside the steps, search, judge.

Pure and deterministic: a series gets the same answer alone and among a thousand others.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundswell.trends.breakpoints.beside import placed_beside_weekends
from groundswell.trends.breakpoints.evidence import breakpoints_of
from groundswell.trends.breakpoints.grid import Given, read
from groundswell.trends.breakpoints.judge import Line, judge, noise_scale
from groundswell.trends.breakpoints.model import DEFAULT, Breakpoint, Finding, Kind, Reason, Tuning
from groundswell.trends.breakpoints.noise import critical_height
from groundswell.trends.breakpoints.prepare import Batch, bound_spikes, prepare
from groundswell.trends.breakpoints.season import season, season_beside_steps
from groundswell.trends.breakpoints.split import search
from groundswell.trends.breakpoints.windows import Floats, Ints

_ROWS_AT_ONCE = 64  # a batch of this size stays in the cache of a core
_SEARCHES = 3  # the window, its halves and its thirds


def detect(
    values: ArrayLike,
    timestamps: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    kind: Kind,
    tuning: Tuning = DEFAULT,
) -> list[Breakpoint]:
    """Find the changes of level of one series, oldest first.

    values: one per bucket, oldest first, NaN where there is nothing; timestamps: bucket starts in
    unix seconds; weights: events behind each bucket (1 for counts). Odd values are gaps; buckets in
    another order are put in order.

    Raises ValueError for lengths that differ, and for a kind or times that are none.
    """
    return list(
        detect_many(
            np.asarray(values, dtype=float)[None, :],
            timestamps,
            None if weights is None else np.asarray(weights, dtype=float)[None, :],
            kind=kind,
            tuning=tuning,
        )[0].breakpoints
    )


def detect_many(
    values: ArrayLike,
    timestamps: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    kind: Kind,
    tuning: Tuning = DEFAULT,
) -> list[Finding]:
    """Find the changes of many series on one grid: rows of `values` and `weights` are series."""
    given = read(values, timestamps, weights, kind)
    table, times, events = given.values, given.times, given.events
    if len(times) < 2:
        return [Finding((), "too little data" if len(times) else "no data")] * len(table)

    usable = np.isfinite(table)
    begun = usable & (table > 0) if kind == "count" else usable
    findings: list[Finding] = [Finding((), "no data")] * len(table)
    starts = np.where(begun.any(axis=1), begun.argmax(axis=1), len(times))
    # History from before a series existed says nothing, and would hide its habits.
    for start in np.unique(starts[starts < len(times)]):
        rows = np.flatnonzero(starts == start)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            chosen = rows[first : first + _ROWS_AT_ONCE]
            found = _detect_batch(
                table[chosen, start:], times[start:], events[chosen, start:], kind, tuning
            )
            for row, finding in zip(chosen, found, strict=True):
                findings[row] = _placed(finding, given, int(start))

    return findings


def _placed(finding: Finding, given: Given, start: int) -> Finding:
    """Say where breakpoints are in what was given."""
    place = given.place[start:]
    return replace(
        finding,
        breakpoints=tuple(replace(b, index=int(place[b.index])) for b in finding.breakpoints),
    )


def _detect_batch(
    values: Floats, times: Ints, events: Floats, kind: Kind, tuning: Tuning
) -> list[Finding]:
    rows = len(values)
    if values.shape[1] < 2 * tuning.min_side + 2:
        return [Finding((), "too little data")] * rows

    batch = prepare(values, times, events, kind, tuning)
    weekly, daily = season(batch.level, batch.weight, times, batch.step_s)
    first_season = weekly + daily
    first_clean = bound_spikes(
        replace(batch, level=batch.level - first_season), tuning, inside=True
    ).level
    critical = critical_height(tuning.alpha / _SEARCHES)
    # A lenient search first: the long blocks of the noise still hold the steps themselves.
    lenient = noise_scale(batch, first_clean, tuning, tuning.noise_blocks[:-1])
    candidates = search(first_clean, batch.weight, lenient, critical, tuning, rounds=1)
    hits = np.array([row for row in range(rows) if candidates[row]], dtype=np.int64)
    findings = [Finding((), None)] * rows
    if len(hits):
        part = batch.rows(hits)
        places = placed_beside_weekends(
            part.level - daily[hits],
            part.weight,
            [candidates[row] for row in hits],
            times,
            part.step_s,
            critical * lenient[hits],
            tuning,
        )
        seasons, steps = season_beside_steps(part.level, part.weight, places, times, part.step_s)
        rest = _bounded(part, seasons, steps, lenient[hits], tuning)
        scales = noise_scale(part, rest, tuning)
        clean = rest + steps
        places = search(clean, part.weight, scales, critical, tuning)
        for i, row in enumerate(hits):
            line = Line.of(part, i, clean[i], seasons[i], float(scales[i]))
            splits, reason = judge(line, places[i], critical, tuning)
            findings[row] = Finding(breakpoints_of(line, splits), reason)

    silent = np.array([row for row in range(rows) if not findings[row].breakpoints], dtype=np.int64)
    for row, reason in zip(
        silent, _reasons(batch, first_clean, first_season, silent, tuning), strict=True
    ):
        known = findings[row].reason
        findings[row] = Finding((), known if known not in (None, "no change") else reason)

    return findings


def _bounded(part: Batch, seasons: Floats, steps: Floats, scale: Floats, tuning: Tuning) -> Floats:
    """Give what habits and steps leave over, with spikes bounded.

    Beside a strong habit anew from the raw levels: on its slope a step looked like a spike.
    """
    expected = seasons + steps
    strong = np.abs(seasons).max(axis=1) > tuning.clip * scale
    rest = part.level - expected
    again = np.flatnonzero(strong)
    if len(again):
        anew = part.rows(again)
        rest[again] = bound_spikes(
            replace(anew, level=anew.raw - expected[again]), tuning, inside=False
        ).level
    return bound_spikes(replace(part, level=rest), tuning, inside=True).level


def _reasons(
    batch: Batch, clean: Floats, habits: Floats, rows: Ints, tuning: Tuning
) -> list[Reason]:
    """Say why each silent row has no answer: what it lacks, or what it holds instead."""
    if not len(rows):
        return []

    part = batch.rows(rows)
    few = part.valid.sum(axis=1) < 2 * tuning.min_side + 2
    amount = np.where(part.valid, part.values, 0.0) if part.kind == "count" else part.events
    need = tuning.min_events * (1 if part.kind == "count" else 2)
    quiet = amount.sum(axis=1) < need
    scale = noise_scale(part, clean[rows], tuning)
    spread = scale / np.sqrt(np.maximum(part.weight.max(axis=1), 1e-9))
    cut = (np.abs(part.raw - habits[rows] - clean[rows]) > 3 * spread[:, None]) & part.valid
    habit = np.abs(habits[rows]).max(axis=1) > spread
    critical = critical_height(tuning.alpha / _SEARCHES)
    slope = _slope_height(clean[rows], part.weight) / scale > critical
    return [
        "too little data"
        if few[i]
        else "too little traffic"
        if quiet[i]
        else "ramp"
        if slope[i]
        else "spike"
        if cut[i].any()
        else "seasonal"
        if habit[i]
        else "no change"
        for i in range(len(rows))
    ]


def _slope_height(level: Floats, weight: Floats) -> NDArray[np.float64]:
    """Give |slope| / standard error of a weighted line through each row, per unit of noise."""
    at = np.arange(level.shape[1], dtype=float)[None, :]
    mass = np.maximum(weight.sum(axis=1, keepdims=True), 1e-9)
    away = at - (weight * at).sum(axis=1, keepdims=True) / mass
    power = np.maximum((weight * away**2).sum(axis=1), 1e-9)
    return np.asarray(np.abs((weight * away * level).sum(axis=1)) / np.sqrt(power))
