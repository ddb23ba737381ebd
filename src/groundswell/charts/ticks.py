"""The ticks of a time axis: at most seven, on round instants in UTC."""

from __future__ import annotations

MAX_TICKS = 7
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    *(1, 5, 10, 15, 30),
    *(m * _MINUTE for m in (1, 2, 5, 10, 15, 30)),
    *(h * _HOUR for h in (1, 2, 3, 4, 6, 12)),
    *(d * _DAY for d in (1, 2, 4, 7, 14, 28, 56, 91, 182, 364)),
)


def time_ticks(first: int, last: int, most: int = MAX_TICKS) -> list[int]:
    """Choose round unix seconds in `first..last`: `most` of them, never more than seven."""
    most = max(2, min(most, MAX_TICKS))
    for step in _STEPS:
        start = -(-first // step) * step
        if (last - start) // step < most:
            return list(range(start, last + 1, step))

    step = -(-(last - first) // (most - 1))
    return list(range(first, last + 1, max(step, 1)))
