"""What of a function can be told apart by values: a mean, a share, or a number per minute.

A mean is a sum of shares times means, so what each value adds to it is exact. A percentile has no
such parts; what moves it is the share of events beyond a level, and that share has. The level is
half-way (on the logarithmic scale) between the percentile before and after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt
from typing import Literal, TypeAlias

from groundswell.query.question import Dataset
from groundswell.store.shares import Sums

Name: TypeAlias = Literal["mean", "beyond", "failed", "count", "sum"]

_CALL = re.compile(r"\s*([a-z_0-9]+)\s*\(\s*([a-z_][\w.\[\]]*)?\s*(?:,\s*([\d.]+))?")
_PERCENTILES = {
    "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p100": 1.0, "median": 0.5,
    "max": 1.0,
}  # fmt: skip
_COUNTS = frozenset({"count", "epm", "eps", "tpm", "tps", "spm", "sps", "count_if", "count_unique"})
_COLUMNS = {
    Dataset.SPANS: "span.duration",
    Dataset.FUNCTIONS: "function.duration",
}


@dataclass(frozen=True, slots=True)
class Basis:
    """name: what is told apart; column: that is measured; quantile: of a percentile."""

    name: Name
    column: str | None = None
    quantile: float | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """The two sides as a whole. minutes_1, _2: how long they are; sums: of all rows."""

    sums: Sums
    minutes_1: float
    minutes_2: float


def basis_of(function: str, dataset: Dataset) -> Basis:
    """Choose by the name of a function; means of durations where nothing fits better."""
    match = _CALL.match(function)
    name = match[1] if match else ""
    column = (match[2] if match else None) or _COLUMNS.get(dataset, "transaction.duration")
    if name in _COUNTS or dataset is Dataset.ERRORS:
        return Basis("count")

    if name == "failure_rate":
        return Basis("failed", "transaction.status")

    if name == "sum":
        return Basis("sum", column)

    if dataset is Dataset.FUNCTIONS:
        # A row holds many calls, whose sum is all that can be told apart.
        return Basis("mean", column)

    quantile = _PERCENTILES.get(name)
    if name == "percentile" and match and match[3] and float(match[3]) <= 1:
        quantile = float(match[3])
    return Basis("mean" if quantile is None else "beyond", column, quantile)


def level_between(before: float | None, after: float | None) -> float:
    """Give the level that the share of events beyond is taken of."""
    if before is None or after is None:
        return after or before or 0.0

    return sqrt(before * after) if before > 0 and after > 0 else (before + after) / 2


def value(basis: Basis, levels: Levels) -> tuple[float | None, float | None]:
    """Give what is told apart, before and after."""
    sums = levels.sums
    if basis.name == "count":
        return sums.n1 / levels.minutes_1, sums.n2 / levels.minutes_2

    if basis.name == "sum":
        return sums.s1 / levels.minutes_1, sums.s2 / levels.minutes_2

    if basis.name == "beyond":
        return _ratio(sums.e1, sums.m1), _ratio(sums.e2, sums.m2)

    return _ratio(sums.s1, sums.m1), _ratio(sums.s2, sums.m2)


def contribution(basis: Basis, levels: Levels, part: Sums) -> float:
    """Say how much a value adds to the change; over all values of a column it is the whole.

    A value that only takes another's share of events adds nothing, for a mean is compared with the
    mean of all before.
    """
    if basis.name == "count":
        return part.n2 / levels.minutes_2 - part.n1 / levels.minutes_1

    if basis.name == "sum":
        return part.s2 / levels.minutes_2 - part.s1 / levels.minutes_1

    usual = value(basis, levels)[0] or 0.0
    whole = levels.sums
    had: tuple[float, float] = (part.s1, part.s2)
    if basis.name == "beyond":
        had = (part.e1, part.e2)
    before = (had[0] - usual * part.m1) / whole.m1 if whole.m1 else 0.0
    after = (had[1] - usual * part.m2) / whole.m2 if whole.m2 else 0.0
    return after - before


def own(basis: Basis, levels: Levels, part: Sums) -> tuple[float | None, float | None]:
    """Give the level of a value itself, before and after; a mean also where shares are compared."""
    if basis.name == "beyond":
        return _ratio(part.s1, part.m1), _ratio(part.s2, part.m2)

    return value(basis, Levels(part, levels.minutes_1, levels.minutes_2))


def _ratio(sum_: float, count: float) -> float | None:
    return sum_ / count if count else None
