"""Self time and breakdowns of a whole batch at once: unions of intervals, group by group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

# Keeps the sum over a batch of millions of intervals below 2^63; 34 days.
_LONGEST_US = 3_000_000_000_000


def union_lengths(groups: Ints, starts: Ints, ends: Ints, group_count: int) -> Ints:
    """How many microseconds the intervals of each group cover together.

    groups[i] is the number of the group of interval [starts[i], ends[i]), in any order.
    """
    if not len(groups):
        return np.zeros(group_count, dtype=np.int64)
    order = np.lexsort((starts, groups))
    group, start, end = groups[order], starts[order], ends[order]
    first = np.empty(len(group), dtype=bool)
    first[0] = True
    np.not_equal(group[1:], group[:-1], out=first[1:])
    heads = np.flatnonzero(first)
    rank = np.cumsum(first) - 1
    origin = start[heads][rank]
    begin = np.minimum(start - origin, _LONGEST_US)
    finish = np.maximum(np.minimum(end - origin, _LONGEST_US), begin)
    # Shift every group behind the one before it, so that one running maximum serves them all.
    room = np.maximum.reduceat(finish, heads) + 1
    offset = (np.cumsum(room) - room)[rank]
    begin, finish = begin + offset, finish + offset
    reached = np.empty_like(finish)
    reached[0] = 0
    np.maximum.accumulate(finish[:-1], out=reached[1:])
    fresh = np.maximum(finish - np.maximum(begin, reached), 0)
    totals = np.zeros(group_count, dtype=np.int64)
    totals[group[heads]] = np.add.reduceat(fresh, heads)
    return totals


def self_times(starts: Ints, ends: Ints, parents: Ints) -> Ints:
    """The time of each node that none of its direct children covers, in microseconds.

    parents[i] is the position of node i's parent, -1 for none. A child counts only where it
    overlaps its parent.
    """
    nodes = np.flatnonzero(parents >= 0)
    parent = parents[nodes]
    begin = np.maximum(starts[nodes], starts[parent])
    finish = np.minimum(ends[nodes], ends[parent])
    inside = finish > begin
    covered = union_lengths(parent[inside], begin[inside], finish[inside], len(starts))
    own: Ints = np.maximum(ends - starts - covered, 0)
    return own


def parent_positions(owners: list[int], span_ids: list[int], parent_ids: list[int]) -> Ints:
    """Where each node's parent stands: same owner, `span_ids` equal to its parent id; else -1."""
    positions = dict(zip(zip(owners, span_ids, strict=True), range(len(owners)), strict=True))
    find = positions.get
    found = np.fromiter(
        (find(key, -1) for key in zip(owners, parent_ids, strict=True)),
        dtype=np.int64,
        count=len(owners),
    )
    found[found == np.arange(len(found))] = -1
    return found
