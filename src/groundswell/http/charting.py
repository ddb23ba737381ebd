"""Parameters of a chart → the answer it shows → the chart; shared by the API and the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from groundswell.charts.answers import chart_of, on_grid
from groundswell.charts.spec import Chart
from groundswell.charts.theme import THEMES, ThemeName
from groundswell.errors import UserError
from groundswell.http.requests import now
from groundswell.model.series import SeriesAnswer
from groundswell.model.tenancy import Scope
from groundswell.stats.request import parse_series
from groundswell.stats.statistics import Statistics

SIZES = {"width": (200, 2000, 800), "height": (120, 1200, 400)}


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn, from the parameters that events-stats does not know."""

    display: str = "default"
    title: str = ""
    theme: ThemeName = "light"
    width: int = 800
    height: int = 400


def look_of(params: Mapping[str, Sequence[str]]) -> Look:
    """Read display, title, theme, width and height. Raises UserError."""

    def first(name: str, default: str) -> str:
        return next((value for value in params.get(name, ()) if value), default)

    theme = first("theme", "light")
    if theme not in THEMES:
        raise UserError(f"theme must be one of {', '.join(THEMES)}, got {theme!r}", field="theme")

    return Look(
        display=first("display", "default"),
        title=first("title", ""),
        theme="dark" if theme == "dark" else "light",
        width=_size("width", first("width", "")),
        height=_size("height", first("height", "")),
    )


async def ask_chart(
    statistics: Statistics,
    params: Mapping[str, Sequence[str]],
    scope: Scope,
    look: Look,
) -> tuple[SeriesAnswer, Chart]:
    """Ask for the series and lay them out.

    Raises what a question for the same series raises: a chart needs the access of its data.
    """
    asked = dict(params)
    if "top5" in look.display and not asked.get("topEvents"):
        asked["topEvents"] = ["5"]
    if "daily" in look.display and not asked.get("interval"):
        asked["interval"] = ["1d"]
    request = parse_series(asked, scope, now(), statistics.retention)
    answer = on_grid(await statistics.series(replace(request, zerofill=False)))
    chart = chart_of(answer, look.display, title=look.title, width=look.width, height=look.height)
    return answer, chart


def _size(name: str, text: str) -> int:
    least, most, default = SIZES[name]
    if not text:
        return default

    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
        raise UserError(f"{name} must be from {least} to {most} pixels, got {text!r}", field=name)

    return int(text)
