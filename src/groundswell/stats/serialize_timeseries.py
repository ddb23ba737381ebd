"""Answers → the body of `events-timeseries`: milliseconds, one element per group and axis."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from groundswell.model.series import Series, SeriesAnswer
from groundswell.stats.serialize import Body
from groundswell.timeframe import TimeRange

# Events may arrive this much later and still belong to a bucket.
SETTLING_S = 90
INCOMPLETE = "INCOMPLETE_BUCKET"


def events_timeseries(answer: SeriesAnswer, window: TimeRange, now: datetime) -> Body:
    """Give the body of `events-timeseries`."""
    settled_until = now.timestamp() - SETTLING_S
    meta: Body = {
        "dataset": answer.dataset,
        "start": window.start.timestamp() * 1000,
        "end": window.end.timestamp() * 1000,
    }
    if answer.is_extrapolated:
        meta["isExtrapolated"] = True
    if answer.notes:
        meta["warnings"] = list(answer.notes)
    return {
        "meta": meta,
        "timeSeries": [_element(series, answer, settled_until) for series in answer.series],
    }


def _element(series: Series, answer: SeriesAnswer, settled_until: float) -> Body:
    return {
        "yAxis": series.axis,
        "groupBy": [{"key": key, "value": value} for key, value in series.group_values],
        "values": _values(series, answer.interval_s, settled_until),
        "meta": {
            "valueType": series.type,
            "valueUnit": series.unit,
            "interval": answer.interval_s * 1000,
            "order": series.order,
            "isOther": series.is_other,
        },
    }


def _values(series: Series, width_s: int, settled_until: float) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = []
    for position, (start, value) in enumerate(zip(series.timestamps, series.values, strict=True)):
        incomplete = start + width_s >= settled_until
        point: dict[str, Any] = {
            "timestamp": start * 1000,
            "value": value,
            "incomplete": incomplete,
        }
        if incomplete:
            point["incompleteReason"] = INCOMPLETE
        if series.comparison is not None:
            point["comparisonValue"] = series.comparison[position]
        values.append(point)
    return values
