"""A breakpoint → the row that clients of the original detector read, and the order of such rows."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, log
from typing import Any, Literal, TypeAlias

from groundswell.trends.breakpoints import Breakpoint

Row: TypeAlias = dict[str, Any]
Order: TypeAlias = Literal["improved", "regressed", "strength"]

# Sentry's names; `sort` of a request picks the order, and for its detector the direction too.
ORDERS: dict[str, Order] = {"trend_percentage()": "improved", "-trend_percentage()": "regressed"}


def row_of(found: Breakpoint, project: str, name: str, *, lower_is_better: bool = True) -> Row:
    """Name the evidence as the original does; numbers that JSON cannot say become null."""
    worse = (found.direction > 0) == lower_is_better
    row: Row = {
        "project": project,
        "transaction": name,
        "aggregate_range_1": found.aggregate_range_1,
        "aggregate_range_2": found.aggregate_range_2,
        "count_range_1": found.count_range_1,
        "count_range_2": found.count_range_2,
        "unweighted_t_value": found.unweighted_t_value,
        "unweighted_p_value": found.unweighted_p_value,
        "trend_percentage": found.trend_percentage,
        "absolute_percentage_change": found.absolute_percentage_change,
        "trend_difference": found.trend_difference,
        "effect_size": found.effect_size,
        "p_value": found.p_value,
        "confidence": found.confidence,
        "breakpoint": found.breakpoint,
        "breakpoint_interval": list(found.interval),
        "ramp": None if found.ramp is None else list(found.ramp),
        "change": "regression" if worse else "improvement",
    }
    return {
        key: None if isinstance(value, float) and not isfinite(value) else value
        for key, value in row.items()
    }


def strength(ratio: float | None) -> float:
    """Give |ln(after / before)|; a level that came from or went to nothing is the strongest."""
    if ratio is None or ratio <= 0:
        return inf

    return abs(log(ratio))


def ordered(rows: Iterable[Row], order: Order) -> list[Row]:
    """Sort rows: best improvement first, worst regression first, or strongest first; ties by name.

    Equally strong changes come by their difference, larger first.
    """

    def key(row: Row) -> tuple[Any, ...]:
        ratio = row["trend_percentage"] if row["trend_percentage"] is not None else inf
        name = (row["transaction"], row["project"])
        if order == "strength":
            return (-strength(ratio), -abs(row["trend_difference"] or 0.0), *name)

        return (ratio if order == "improved" else -ratio, *name)

    return sorted(rows, key=key)
