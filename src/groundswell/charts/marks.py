"""What stands over the series of a chart: bands, thresholds, levels, and labelled rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from groundswell.charts import theme as look
from groundswell.charts.words import clean

if TYPE_CHECKING:
    from groundswell.charts.spec import Axes, Chart, Marker

LABEL_GAP_PX = 110
# Labels stand above the plot: breakpoints right above it, releases one row higher.
_ROWS_PX = {"breakpoint": -8, "release": -24}
Spec: TypeAlias = dict[str, Any]


def bands(chart: Chart, colours: look.Theme, axes: Axes) -> list[Spec]:
    """Shade spans of time."""
    layers: list[Spec] = []
    for level, colour in (("warning", colours.warning), ("critical", colours.critical)):
        rows = [
            {"a": max(b.start, axes.first) * 1000, "b": min(b.end, axes.last) * 1000}
            for b in chart.bands
            if b.level == level and b.start < axes.last and b.end > axes.first
        ]
        if rows:
            mark = {"type": "rect", "opacity": look.BAND_OPACITY, "color": colour}
            encoding = {"x": axes.x("a"), "x2": {"field": "b"}}
            layers.append({"data": {"values": rows}, "mark": mark, "encoding": encoding})
    return layers


def thresholds(chart: Chart, colours: look.Theme, axes: Axes) -> list[Spec]:
    """Draw labelled horizontal rules."""
    layers: list[Spec] = []
    for level, colour in (("warning", colours.warning), ("critical", colours.critical)):
        rows = [
            {"y": t.value * axes.told.factor, "l": clean(t.label)}
            for t in chart.thresholds
            if t.level == level
        ]
        if not rows:
            continue

        rule = {"type": "rule", "strokeDash": look.THRESHOLD_DASH, "strokeWidth": 1.5}
        text = {"type": "text", "align": "left", "baseline": "bottom", "x": 6, "dy": -4}
        layers += [
            {
                "data": {"values": rows},
                "mark": {**rule, "color": colour},
                "encoding": {"y": axes.y("y")},
            },
            {
                "data": {"values": rows},
                "mark": {**text, "fontSize": 12, "fontWeight": 600, "color": colour},
                "encoding": {"y": axes.y("y"), "text": {"field": "l"}},
            },
        ]
    return layers


def plateaus(chart: Chart, colours: look.Theme, axes: Axes) -> list[Spec]:
    """Draw levels, with their value over the end that is farther from what parts them."""
    rows = [
        {
            "a": max(p.start, axes.first) * 1000,
            "b": min(p.end, axes.last) * 1000,
            "y": p.value * axes.told.factor,
            "l": clean(p.label),
        }
        for p in chart.plateaus
        if p.start < axes.last and p.end > axes.first
    ]
    if not rows:
        return []

    rule = {"type": "rule", "color": colours.marker, "strokeWidth": 2.5, "strokeCap": "round"}
    place = {"x": axes.x("a"), "x2": {"field": "b"}, "y": axes.y("y")}
    layers: list[Spec] = [{"data": {"values": rows}, "mark": rule, "encoding": place}]
    for side, field, ends in (("left", "a", rows[:1]), ("right", "b", rows[1:])):
        if not ends:
            continue

        text = {"type": "text", "align": side, "baseline": "bottom", "dy": -6, "fontSize": 13}
        text |= {"fontWeight": 600, "dx": 6 if side == "left" else -6}
        encoding = {"x": axes.x(field), "y": axes.y("y"), "text": {"field": "l"}}
        # A seam in the colour of the ground keeps the words readable over the series.
        seam = {"color": colours.background, "stroke": colours.background, "strokeWidth": 5}
        layers += [
            {"data": {"values": ends}, "mark": {**text, **own}, "encoding": encoding}
            for own in (seam, {"color": colours.marker})
        ]
    return layers


def markers(chart: Chart, colours: look.Theme, axes: Axes) -> list[Spec]:
    """Draw labelled vertical rules; a label that would cover its neighbour is left out."""
    layers: list[Spec] = []
    for role, colour in (("release", colours.muted), ("breakpoint", colours.marker)):
        shown = sorted(
            (m for m in chart.markers if m.role == role and axes.first <= m.at <= axes.last),
            key=lambda m: m.at,
        )
        if shown:
            layers += _rules(shown, colour, _ROWS_PX[role], axes)
    return layers


def _rules(shown: list[Marker], colour: str, row_px: int, axes: Axes) -> list[Spec]:
    span = axes.last - axes.first
    rows: list[Spec] = []
    sides: dict[str, list[Spec]] = {"left": [], "right": []}
    free_from = -math.inf
    for marker in shown:
        at = marker.at * 1000
        rows.append({"t": at})
        share = (marker.at - axes.first) / span
        if share * axes.width >= free_from:
            free_from = share * axes.width + LABEL_GAP_PX
            side = "left" if share < 0.7 else "right"
            sides[side].append({"t": at, "l": clean(marker.label)})
    is_quiet = row_px != _ROWS_PX["breakpoint"]
    rule: Spec = {"type": "rule", "color": colour, "strokeDash": [2, 3] if is_quiet else [5, 4]}
    rule["strokeWidth"] = 1 if is_quiet else 1.5
    layers = [{"data": {"values": rows}, "mark": rule, "encoding": {"x": axes.x()}}]
    for side, labels in sides.items():
        if labels:
            text = {"type": "text", "align": side, "color": colour, "fontSize": 12}
            text |= {"fontWeight": 600, "y": row_px, "dx": -4 if side == "left" else 4}
            encoding = {"x": axes.x(), "text": {"field": "l"}}
            layers.append({"data": {"values": labels}, "mark": text, "encoding": encoding})
    return layers
