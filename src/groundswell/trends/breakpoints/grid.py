"""Series as they are given → one even grid, oldest first: habits and blocks count buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from groundswell.trends.breakpoints.model import Kind
from groundswell.trends.breakpoints.windows import Floats, Ints

_MOST_GAPS = 4  # a grid of more than so many cells for each that is given is not filled up
_LARGEST = 1e150  # squares of values must stay finite


@dataclass(frozen=True, slots=True)
class Given:
    """Rows of series on one grid. `place[i]` is where a bucket was in what was given."""

    values: Floats
    times: Ints
    events: Floats
    place: Ints


def read(values: ArrayLike, timestamps: ArrayLike, weights: ArrayLike | None, kind: Kind) -> Given:
    """Put buckets in order of time, and rows that were left out back as gaps; a later twin wins.

    Raises ValueError for shapes that do not fit and times that are none.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {', '.join(get_args(Kind))}, got {kind!r}")

    table = np.atleast_2d(np.asarray(values, dtype=float))
    events = np.ones_like(table) if weights is None else np.atleast_2d(np.asarray(weights, float))
    at = np.asarray(timestamps)
    if at.ndim != 1 or table.shape != events.shape or table.shape[1] != len(at):
        raise ValueError("values, timestamps and weights must have the same number of buckets")

    if at.dtype.kind == "f" and not np.isfinite(at).all():
        raise ValueError("timestamps must be finite")

    times = at.astype(np.int64)
    usable = np.isfinite(table) & (np.abs(table) < _LARGEST) & np.isfinite(events) & (events > 0)
    given = Given(
        np.where(usable, table, np.nan),
        times,
        np.where(usable, np.minimum(events, _LARGEST), 0.0),
        np.arange(len(times)),
    )
    return _even(_in_order(given))


def _in_order(given: Given) -> Given:
    apart = np.diff(given.times)
    if (apart > 0).all():
        return given

    order = np.argsort(given.times, kind="stable")
    ordered = given.times[order]
    order = order[np.append(np.diff(ordered) > 0, True)]
    return Given(given.values[:, order], given.times[order], given.events[:, order], order)


def _even(given: Given) -> Given:
    times = given.times
    apart = np.diff(times)
    if not len(apart) or (apart == apart[0]).all():
        return given

    step = int(apart.min())
    cells = (times - times[0]) // step
    if (apart % step).any() or cells[-1] >= _MOST_GAPS * len(times):
        return given

    length = int(cells[-1]) + 1
    values = np.full((len(given.values), length), np.nan)
    events = np.zeros_like(values)
    values[:, cells], events[:, cells] = given.values, given.events
    # A gap belongs to the bucket that follows it: there a new level is seen first.
    place = given.place[np.searchsorted(cells, np.arange(length))]
    return Given(values, times[0] + step * np.arange(length), events, place)
