"""The contract of `POST /trends/breakpoint-detector`: an existing Sentry's request → its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import numpy as np

from groundswell.errors import UserError
from groundswell.trends.breakpoints import Breakpoint, Kind, detect
from groundswell.trends.metric import metric_of
from groundswell.trends.rows import ORDERS, Row, row_of

# The request does not say how many events a bucket holds; enough that none is doubted.
_UNKNOWN_TRAFFIC = 100.0
_DEFAULT_MIN_RATIO = 0.1
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a change must have: direction, share, amount, and a tail that still shows it."""

    direction: int
    min_share: float
    min_change: float
    tail_s: int


def breakpoint_detector(request: Mapping[str, Any]) -> Row:
    """Answer a request for breakpoints: `{"data": [row, …]}`, in the order of the request.

    data: `"<project>,<transaction>"` → series; the name may hold commas. sort:
    `trend_percentage()` wants improvements, `-trend_percentage()` regressions, "" both.
    allow_midpoint is accepted: a breakpoint is never invented in the middle.
    Raises UserError that names what cannot be read.
    """
    data = request.get("data")
    if not isinstance(data, Mapping):
        raise UserError(
            "data must be an object of series by project and name", code="bad_data", field="data"
        )

    sort = request.get("sort") or ""
    if sort not in ("", *ORDERS):
        allowed = ", ".join(repr(name) for name in ("", *ORDERS))
        raise UserError(f"sort must be one of {allowed}; got {sort!r}", field="sort")

    thresholds = Thresholds(
        direction={"": 0, "trend_percentage()": -1, "-trend_percentage()": 1}[sort],
        min_share=_number(request, "trend_percentage", _DEFAULT_MIN_RATIO),
        min_change=_number(request, "min_change", 0.0),
        tail_s=int(_number(request, "validate_tail_hours", 0)) * _HOUR_S,
    )
    kind = metric_of(str(request.get("trendFunction") or "p95()")).kind
    rows = (_row(str(key), series, kind, thresholds) for key, series in data.items())
    return {"data": [row for row in rows if row is not None]}


def _row(key: str, series: object, kind: Kind, thresholds: Thresholds) -> Row | None:
    if not isinstance(series, Mapping):
        raise UserError(f"data of {key!r} must be an object", code="bad_data", field="data")

    times, values = _points(key, series.get("data"))
    if len(times) < 2:
        return None

    start = _bound(series, "request_start", times[0])
    end = _bound(series, "request_end", times[-1])
    weights = np.full(len(values), _UNKNOWN_TRAFFIC if kind != "count" else 1.0)
    found = detect(values, times, weights, kind=kind)
    wanted = [each for each in found if start <= each.breakpoint <= end]
    if not wanted or not _passes(wanted[-1], times, values, thresholds):
        return None

    project, _, name = key.partition(",")
    return {
        **row_of(wanted[-1], project, name),
        "data_start": int(_bound(series, "data_start", times[0])),
        "data_end": int(_bound(series, "data_end", times[-1])),
        "request_start": int(start),
        "request_end": int(end),
    }


def _passes(
    found: Breakpoint, times: np.ndarray, values: np.ndarray, thresholds: Thresholds
) -> bool:
    if thresholds.direction * found.direction < 0:
        return False

    levels = [found.aggregate_range_2]
    if thresholds.tail_s:
        tail = values[(times >= found.breakpoint) & (times > times[-1] - thresholds.tail_s)]
        tail = tail[np.isfinite(tail)]
        levels += [float(tail.mean())] if len(tail) else []
    before = found.aggregate_range_1
    return all(
        (level - before) * found.direction > thresholds.min_share * abs(before)
        and abs(level - before) >= thresholds.min_change
        for level in levels
    )


def _points(key: str, points: object) -> tuple[np.ndarray, np.ndarray]:
    """Read `[[seconds, [{"count": value}]], …]` in order of time; a later duplicate wins."""
    try:
        read = {
            int(at): nan if cell[0]["count"] is None else float(cell[0]["count"])
            for at, cell in points  # type: ignore[attr-defined]
        }
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        raise UserError(
            f'data of {key!r} must be a list of [seconds, [{{"count": number}}]]',
            code="bad_data",
            field="data",
        ) from None

    times = np.array(sorted(read), dtype=np.int64)
    return times, np.array([read[int(at)] for at in times], dtype=float)


def _bound(series: Mapping[str, Any], name: str, default: float) -> float:
    value = series.get(name)
    if value is None:
        return float(default)

    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise UserError(f"{name} must be a time in seconds, got {value!r}", field=name)

    return float(round(value))


def _number(request: Mapping[str, Any], name: str, default: float) -> float:
    value = request.get(f"{name}()", request.get(name))
    if value is None:
        return default

    try:
        number = float(value)
    except (TypeError, ValueError):
        number = nan
    if not isfinite(number) or number < 0:
        raise UserError(f"{name} must be a number of at least 0, got {value!r}", field=name)

    return number
