"""A series as a small SVG drawn by the server: the line, and the levels around a change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 56.0


@dataclass(frozen=True, slots=True)
class Mini:
    """Paths of an SVG of WIDTH × HEIGHT; `rule` is the x of the change, None without one."""

    line: str
    levels: str = ""
    rule: float | None = None


def mini(
    timestamps: Sequence[int],
    values: Sequence[float | None],
    *,
    at: int | None = None,
    before: float | None = None,
    after: float | None = None,
) -> Mini:
    """Draw a series from zero, and the levels before and after unix second `at`."""
    known = [v for v in (*values, before, after) if v is not None and math.isfinite(v)]
    if len(timestamps) < 2 or not known:
        return Mini("")

    first, span = timestamps[0], timestamps[-1] - timestamps[0]
    top = max(known) or 1.0

    def x(time: int) -> float:
        return min(max((time - first) / span, 0.0), 1.0) * WIDTH

    def y(value: float) -> float:
        return HEIGHT - 2 - max(value, 0.0) / top * (HEIGHT - 4)

    points = [
        f"{x(time):.1f} {y(value):.1f}"
        for time, value in zip(timestamps, values, strict=True)
        if value is not None
    ]
    line = "M" + "L".join(points) if points else ""
    if at is None or before is None or after is None:
        return Mini(line)

    levels = f"M0 {y(before):.1f}H{x(at):.1f}M{x(at):.1f} {y(after):.1f}H{WIDTH:g}"
    return Mini(line, levels, round(x(at), 1))
