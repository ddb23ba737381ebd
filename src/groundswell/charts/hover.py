"""What the page adds to a specification: a rule that follows the pointer, with values in words.

The words are data, made here: nothing that a person typed becomes part of an expression.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from groundswell.charts.spec import Chart
from groundswell.charts.theme import THEMES, ThemeName
from groundswell.charts.units import measure
from groundswell.charts.words import distinct

_NEAREST = {
    "name": "hover",
    "select": {
        "type": "point",
        "on": "pointermove",
        "nearest": True,
        "clear": "pointerout",
        "encodings": ["x"],
    },
}


def with_hover(spec: dict[str, Any], chart: Chart, *, theme: ThemeName) -> dict[str, Any]:
    """Add the layer of the pointer to a specification that has layers."""
    if "layer" not in spec:
        return spec

    # Of the layers only x is taken over, so that the axis stays one and the same.
    x = next(layer["encoding"]["x"] for layer in spec["layer"] if "x" in layer["encoding"])
    shown = {"condition": {"param": "hover", "empty": False, "value": 0.7}, "value": 0}
    layer = {
        "data": {"values": _rows(chart)},
        "params": [_NEAREST],
        "mark": {"type": "rule", "color": THEMES[theme].muted, "tooltip": {"content": "data"}},
        "encoding": {"x": {**x, "field": "t"}, "opacity": shown},
    }
    return {**spec, "layer": [*spec["layer"], layer]}


def _rows(chart: Chart) -> list[dict[str, Any]]:
    told = measure(chart.type, chart.unit)
    names = distinct(line.name for line in chart.lines)
    words: dict[int, dict[str, str]] = {}
    for name, line in zip(names, chart.lines, strict=True):
        for at, value in zip(line.timestamps, line.values, strict=True):
            words.setdefault(at, {})[name] = told.text(value)
    form = "%b %d, %Y" if chart.interval_s % 86_400 == 0 else "%b %d, %H:%M"
    return [
        {
            "t": at * 1000,
            "time": datetime.fromtimestamp(at, UTC).strftime(form) + " UTC",
            "tip": tip,
        }
        for at, tip in sorted(words.items())
    ]
