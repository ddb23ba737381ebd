"""A chart as plain data → one Vega-Lite 5 specification, for PNG, SVG and page alike.

Data is inline and user text is only ever data or a title: expressions are constants, so nothing
that a person typed can become code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from groundswell.charts import marks
from groundswell.charts import theme as look
from groundswell.charts.ticks import time_ticks
from groundswell.charts.units import Measure, measure
from groundswell.charts.words import MAX_TITLE, clean, distinct

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
BAR_SHARE = 0.84
Role = Literal["normal", "other", "previous"]
Level = Literal["warning", "critical"]
Spec = dict[str, Any]


class Kind(StrEnum):
    """How the lines of a chart are drawn."""

    LINE = "line"
    AREA = "area"
    STACKED_AREA = "stacked_area"
    BAR = "bar"
    STACKED_BAR = "stacked_bar"

    @property
    def stacks(self) -> bool:
        return self in {Kind.STACKED_AREA, Kind.STACKED_BAR, Kind.BAR}

    @property
    def is_bar(self) -> bool:
        return self in {Kind.BAR, Kind.STACKED_BAR}


@dataclass(frozen=True, slots=True)
class Line:
    """One series: `values[i]` belongs to the bucket that starts at unix second `timestamps[i]`."""

    name: str
    timestamps: tuple[int, ...]
    values: tuple[float | int | None, ...]
    role: Role = "normal"


@dataclass(frozen=True, slots=True)
class Marker:
    """A labelled vertical rule at unix second `at`: a breakpoint, or quieter what came along."""

    at: int
    label: str
    role: Literal["breakpoint", "release"] = "breakpoint"


@dataclass(frozen=True, slots=True)
class Plateau:
    """A labelled level that values kept from `start` to `end`, in unix seconds."""

    start: int
    end: int
    value: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A labelled horizontal rule, in the unit of the chart's values."""

    value: float
    label: str
    level: Level = "critical"


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded span of time, in unix seconds."""

    start: int
    end: int
    level: Level = "critical"


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn, as plain data. `type` and `unit` are the meta of the values."""

    title: str
    lines: tuple[Line, ...]
    kind: Kind = Kind.LINE
    subtitle: str = ""
    type: str = "number"
    unit: str | None = None
    interval_s: int = 3600
    markers: tuple[Marker, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    bands: tuple[Band, ...] = ()
    plateaus: tuple[Plateau, ...] = ()
    width: int = 800
    height: int = 400


def vega_lite(chart: Chart, *, theme: look.ThemeName = "light") -> Spec:
    """Draw up the specification of a chart in a theme."""
    colours = look.THEMES[theme]
    names = distinct(line.name for line in chart.lines)
    chart = replace(
        chart,
        lines=tuple(replace(line, name=n) for line, n in zip(chart.lines, names, strict=True)),
    )
    spec: Spec = {
        "$schema": SCHEMA,
        "title": {
            "text": clean(chart.title, MAX_TITLE),
            "subtitle": clean(chart.subtitle, 120),
            "limit": chart.width - 24,
        },
        "width": chart.width,
        "height": chart.height,
        "autosize": {"type": "fit", "contains": "padding"},
        "config": look.config(colours, chart.width),
    }
    if not any(v is not None for line in chart.lines for v in line.values):
        return {**spec, **_nothing(chart, colours)}

    told = measure(chart.type, chart.unit)
    axes = Axes(chart, told)
    layers = [
        *marks.bands(chart, colours, axes),
        *_series(chart, colours, axes),
        *marks.thresholds(chart, colours, axes),
        *marks.plateaus(chart, colours, axes),
        *marks.markers(chart, colours, axes),
    ]
    # Labels of markers stand right above the plot, where title and legend would be.
    if chart.markers and len(chart.lines) > 1:
        spec["config"]["legend"]["offset"] = 24
    if any(marker.role == "release" for marker in chart.markers):
        spec["title"]["offset"] = 34
    return {**spec, "layer": layers}


class Axes:
    """The encodings of x and y that every layer shares."""

    def __init__(self, chart: Chart, told: Measure) -> None:
        self.told = told
        stamps = [t for line in chart.lines for t in line.timestamps]
        self.first = min(stamps)
        self.last = max(stamps) + (chart.interval_s if chart.kind.is_bar else 0)
        if self.last == self.first:
            self.first, self.last = self.first - chart.interval_s, self.last + chart.interval_s
        self.width = chart.width
        top = _highest(chart, told)
        self.y_scale: Spec = {"zero": True, "nice": True}
        self.y_values: list[int] | None = None
        if top <= 0 and _lowest(chart) >= 0:
            self.y_scale = {"domain": [0, 1]}
            self.y_values = [0, 1]

    def x(self, field: str = "t") -> Spec:
        return {
            "field": field,
            # Milliseconds on a linear scale: a page without `eval` cannot compute dates in a scale.
            "type": "quantitative",
            "axis": {
                "title": None,
                "values": [t * 1000 for t in time_ticks(self.first, self.last, self.width // 90)],
                "labelExpr": (
                    "utcFormat(datum.value, '%H%M') == '0000' ? "
                    "utcFormat(datum.value, '%b %d') : utcFormat(datum.value, '%H:%M')"
                ),
            },
            "scale": {
                "domain": [self.first * 1000, self.last * 1000],
                "zero": False,
                "nice": False,
            },
        }

    def y(self, field: str) -> Spec:
        axis: Spec = {"title": None, "labelExpr": self.told.axis_expr}
        if self.told.whole:
            axis["tickMinStep"] = 1
        if self.y_values is not None:
            axis["values"] = self.y_values
        return {"field": field, "type": "quantitative", "axis": axis, "scale": self.y_scale}


def _series(chart: Chart, colours: look.Theme, axes: Axes) -> list[Spec]:
    rows = _rows(chart, axes.told.factor)
    encoding: Spec = {"x": axes.x(), "y": axes.y("v")}
    several = len(chart.lines) > 1
    single = colours.single
    if several:
        encoding["color"] = _colour_scale(chart, colours)
    if chart.kind.stacks:
        encoding["y"] = axes.y("y1")
        encoding["y2"] = {"field": "y0"}

    if chart.kind.is_bar:
        encoding["x2"] = {"field": "t2"}
        mark: Spec = {"type": "bar", "orient": "vertical", **({} if several else {"color": single})}
        return [{"data": {"values": rows}, "mark": mark, "encoding": encoding}]

    if chart.kind is Kind.STACKED_AREA:
        mark = {
            "type": "area",
            "orient": "vertical",
            "opacity": 0.95,
            **({} if several else {"color": single}),
        }
        return [{"data": {"values": rows}, "mark": mark, "encoding": encoding}]

    if several:
        encoding |= _dashes(chart)
    line_mark: Spec = {
        "type": "line",
        "orient": "vertical",
        **({} if several else {"color": single}),
    }
    layers: list[Spec] = [{"data": {"values": rows}, "mark": line_mark, "encoding": encoding}]
    normal = [line for line in chart.lines if line.role == "normal"]
    if chart.kind is Kind.AREA and len(normal) == 1:
        area = {"type": "area", "orient": "vertical", "color": single, "opacity": 0.12}
        own = [row for row in rows if row["s"] == normal[0].name]
        under = {"x": axes.x(), "y": axes.y("v")}
        layers.insert(0, {"data": {"values": own}, "mark": area, "encoding": under})
    lonely = _lonely(chart, axes.told.factor)
    if lonely:
        point: Spec = {"type": "point", "filled": True, "size": 36, "opacity": 1}
        dots = {key: encoding[key] for key in ("x", "y", "color") if key in encoding}
        mark = {**point, **({} if several else {"color": single})}
        layers.append({"data": {"values": lonely}, "mark": mark, "encoding": dots})
    return layers


def _colour_scale(chart: Chart, colours: look.Theme) -> Spec:
    normal = [line for line in chart.lines if line.role == "normal"]
    palette = iter(
        [colours.single]
        if len(normal) == 1
        else [colours.series[i % len(colours.series)] for i in range(len(normal))]
    )
    chosen = [
        colours.other
        if line.role == "other"
        else colours.previous
        if line.role == "previous"
        else next(palette)
        for line in chart.lines
    ]
    names = [line.name for line in chart.lines]
    legend: Spec = (
        {"symbolType": "stroke", "symbolStrokeWidth": 3}
        if chart.kind in {Kind.LINE, Kind.AREA}
        else {"symbolType": "square"}
    )
    return {
        "field": "s",
        "type": "nominal",
        "sort": names,
        "scale": {"domain": names, "range": chosen},
        "legend": legend,
    }


def _dashes(chart: Chart) -> Spec:
    names = [line.name for line in chart.lines]
    old = [line.role == "previous" for line in chart.lines]
    base = {"field": "s", "type": "nominal", "legend": None}
    dash = [look.PREVIOUS_DASH if o else [1, 0] for o in old]
    return {
        "strokeDash": {**base, "scale": {"domain": names, "range": dash}},
        "strokeWidth": {
            **base,
            "scale": {"domain": names, "range": [1.5 if o else 2 for o in old]},
        },
    }


def _rows(chart: Chart, factor: float) -> list[Spec]:
    """One row per point; stacks are added up here, so that area and bar agree to the bit."""
    rows: list[Spec] = []
    heights: dict[int, float] = {}
    bar_ms = int(chart.interval_s * 1000 * BAR_SHARE)
    for line in chart.lines:
        for at, raw in zip(line.timestamps, line.values, strict=True):
            value = None if raw is None or not math.isfinite(raw) else raw * factor
            row: Spec = {"t": at * 1000, "s": line.name, "v": value}
            if chart.kind.stacks:
                below = heights.get(at, 0.0)
                heights[at] = below + (value or 0.0)
                row |= {"y0": below, "y1": heights[at]}
            if chart.kind.is_bar:
                row["t2"] = at * 1000 + bar_ms
            rows.append(row)
    return rows


def _lonely(chart: Chart, factor: float) -> list[Spec]:
    """Points without a neighbour: a line through one point cannot be seen."""
    found = []
    for line in chart.lines:
        values = (None, *line.values, None)
        for i, at in enumerate(line.timestamps):
            before, value, after = values[i : i + 3]
            if value is not None and before is None and after is None:
                found.append({"t": at * 1000, "s": line.name, "v": value * factor})
    return found


def _nothing(chart: Chart, colours: look.Theme) -> Spec:
    """The layer that says there is nothing, instead of an empty frame."""
    mark = {"type": "text", "color": colours.muted, "fontSize": 14}
    return {"data": {"values": [{"l": "No data in this period"}]}, "mark": mark} | {
        "encoding": {"text": {"field": "l"}}
    }


def _highest(chart: Chart, told: Measure) -> float:
    levels = [t.value * told.factor for t in chart.thresholds]
    levels += [p.value * told.factor for p in chart.plateaus]
    return max([v for line in chart.lines for v in line.values if v is not None] + levels)


def _lowest(chart: Chart) -> float:
    return min(v for line in chart.lines for v in line.values if v is not None)
