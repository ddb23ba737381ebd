"""Answers → the bodies that clients of `events-stats` and `events` read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from groundswell.model.series import Series, SeriesAnswer, TableAnswer

Body: TypeAlias = dict[str, Any]

NO_PROJECTS_HINT = "You need at least one project with a membership or access to query events."


def events_stats(answer: SeriesAnswer, *, names_as_typed: bool = False) -> Body:
    """Give the body of `events-stats`.

    One axis: the series itself; several: an object by axis as typed. Top events: an object by
    group, of series or of such objects. Without projects: `{"data": []}`.
    """
    if not answer.series:
        return {"data": []}

    groups: dict[str | None, list[Series]] = {}
    for series in answer.series:
        groups.setdefault(series.group, []).append(series)

    def one(series: Series) -> Body:
        return series_body(series, answer, names_as_typed=names_as_typed)

    def by_axis(axes: Iterable[Series]) -> Body:
        return {axis.axis: {**one(axis), "order": axis.axis_order} for axis in axes}

    if not answer.is_top_events or None in groups:
        axes = answer.series
        return one(axes[0]) if len(axes) == 1 else by_axis(axes)

    if all(len(axes) == 1 for axes in groups.values()):
        return {str(key): {**one(axes[0]), "order": axes[0].order} for key, axes in groups.items()}

    return {str(key): {**by_axis(axes), "order": axes[0].order} for key, axes in groups.items()}


def series_body(series: Series, answer: SeriesAnswer, *, names_as_typed: bool = False) -> Body:
    """Give one series with its grid and its meta."""
    return {
        "data": points(series),
        "isMetricsData": False,
        "start": answer.start,
        "end": answer.end,
        "meta": _series_meta(series, answer, names_as_typed=names_as_typed),
    }


def points(series: Series) -> list[Any]:
    """Give the rows `[seconds, [{"count": value}]]`, with the compared value where there is one."""
    if series.comparison is None:
        return [
            [timestamp, [{"count": value}]]
            for timestamp, value in zip(series.timestamps, series.values, strict=True)
        ]

    return [
        [timestamp, [{"count": value, "comparisonCount": compared}]]
        for timestamp, value, compared in zip(
            series.timestamps, series.values, series.comparison, strict=True
        )
    ]


def events(answer: TableAnswer) -> Body:
    """Give the body of `events`."""
    meta = {
        **_meta(answer.columns, answer),
        "tips": {"query": None, "columns": None, **answer.tips},
    }
    return {"data": list(answer.rows), "meta": meta}


def no_projects() -> Body:
    """Give the body of `events` where there is no project to ask about."""
    return {"data": [], "meta": {"tips": {"query": NO_PROJECTS_HINT}}}


def _series_meta(series: Series, answer: SeriesAnswer, *, names_as_typed: bool) -> Body:
    columns: dict[str, tuple[str, str | None]] = {"time": ("date", None)}
    for name, (type_, _) in answer.column_types.items():
        columns[name] = (type_, None)
    columns[series.axis if names_as_typed else series.alias] = (series.type, series.unit)
    return _meta(columns, answer)


def _meta(
    columns: Mapping[str, tuple[str, str | None]], answer: SeriesAnswer | TableAnswer
) -> Body:
    meta: Body = {
        "fields": {name: type_ for name, (type_, _) in columns.items()},
        "units": {name: unit for name, (_, unit) in columns.items()},
        "isMetricsData": False,
        "isMetricsExtractedData": False,
        "tips": {},
        "datasetReason": "unchanged",
        "dataset": answer.dataset,
    }
    if answer.is_extrapolated:
        meta["isExtrapolated"] = True
    if answer.notes:
        meta["warnings"] = list(answer.notes)
    return meta
