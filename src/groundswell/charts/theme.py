"""How every chart looks: colours, fonts and axes, light and dark, in one place.

The palettes keep a distance of at least 22 (CIE76) between any two of the first five series under
normal, protan, deutan and tritan vision; the grey of "Other" is part of that check.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

ThemeName = Literal["light", "dark"]
FONT = 'Inter, "Liberation Sans", "DejaVu Sans", sans-serif'
PREVIOUS_DASH = [5, 4]
THRESHOLD_DASH = [6, 4]
BAND_OPACITY = 0.16


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one theme. `series` holds the five checked colours, then five more."""

    background: str
    grid: str
    muted: str
    text: str
    series: tuple[str, ...]
    other: str
    previous: str
    single: str
    marker: str
    warning: str
    critical: str


THEMES = MappingProxyType(
    {
        "light": Theme(
            background="#FFFFFF",
            grid="#E6E8EC",
            muted="#5B6470",
            text="#1F2430",
            series=(
                *("#332288", "#E69F00", "#117733", "#56B4E9", "#B4467A"),
                *("#7A6FD0", "#8C5A2B", "#44AA99", "#0B5FA5", "#E0A3C2"),
            ),
            other="#C5CAD1",
            previous="#8A929E",
            single="#0072B2",
            marker="#C2410C",
            warning="#E69F00",
            critical="#D1345B",
        ),
        "dark": Theme(
            background="#1B1E24",
            grid="#2E333B",
            muted="#A6ADB8",
            text="#E8EAED",
            series=(
                *("#88CCEE", "#D55E00", "#0072B2", "#CC79A7", "#DDCC77"),
                *("#44AA99", "#F2A68A", "#8F83E0", "#A8C94E", "#B0896A"),
            ),
            other="#4A515C",
            previous="#8A929E",
            single="#56B4E9",
            marker="#FB923C",
            warning="#E69F00",
            critical="#D1345B",
        ),
    }
)


def config(theme: Theme, width: int = 800) -> dict[str, Any]:
    """Build the Vega-Lite `config` of a theme; a narrow chart has fewer columns of names."""
    columns = max(1, min(3, width // 170))
    return {
        "background": theme.background,
        "font": FONT,
        "padding": 12,
        "view": {"stroke": None},
        "axis": {
            "labelColor": theme.muted,
            "titleColor": theme.muted,
            "gridColor": theme.grid,
            "domainColor": theme.grid,
            "tickColor": theme.grid,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelFlush": False,
            "labelPadding": 6,
        },
        "axisX": {"grid": False, "labelOverlap": "parity"},
        "axisY": {"grid": True, "domain": False, "ticks": False, "tickCount": 5},
        "legend": {
            "orient": "top",
            "offset": 8,
            "direction": "horizontal",
            "title": None,
            "labelColor": theme.text,
            "labelFontSize": 12,
            "symbolSize": 90,
            "labelLimit": min(220, width // columns - 46),
            "columns": columns,
        },
        "title": {
            "color": theme.text,
            "fontSize": 16,
            "fontWeight": 600,
            "anchor": "start",
            "subtitleColor": theme.muted,
            "subtitleFontSize": 12,
            "offset": 12,
        },
        "line": {"strokeWidth": 2, "interpolate": "linear", "strokeJoin": "round"},
        "area": {"interpolate": "linear"},
    }
