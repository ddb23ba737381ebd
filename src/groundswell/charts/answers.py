"""The answer of a statistics question → the chart that shows it, in the display the user chose."""

from __future__ import annotations

import re
from dataclasses import replace

from groundswell.charts.spec import Chart, Kind, Line
from groundswell.model.series import Series, SeriesAnswer

DISPLAYS = ("default", "line", "bar", "daily", "previous", "top5", "top5line", "dailytop5")

_EQUATION = "equation|"
_ADDITIVE = re.compile(r"(count|sum|count_if|failure_count|count_web_vitals)\(|count$")
_RATE = re.compile(r"(eps|epm|tps|tpm|sps|spm|count_unique|count_miserable)\(")
_SMALL_TOP5 = re.compile(
    r"equation\||(count_unique|failure_count|min|max|p50|p75|p90|p95|p99|p100|percentile|avg|apdex"
    r"|user_misery|failure_rate|count_miserable|eps|epm|tps|tpm)\("
)
_KINDS = {
    "line": Kind.LINE,
    "top5line": Kind.LINE,
    "bar": Kind.STACKED_BAR,
    "daily": Kind.STACKED_BAR,
    "dailytop5": Kind.STACKED_BAR,
    "top5": Kind.STACKED_AREA,
    "area": Kind.STACKED_AREA,
}


def is_additive(axis: str) -> bool:
    """Say whether the values of buckets may be added up: counts and sums, not percentiles."""
    return _ADDITIVE.match(axis) is not None


def on_grid(answer: SeriesAnswer) -> SeriesAnswer:
    """Put series that leave empty buckets out on one whole grid.

    In an empty bucket a count, a sum and a rate are 0; a percentile or a share has no value, and a
    chart that drew 0 there would tell of answers given at once.
    """
    starts = sorted(
        {
            *range(answer.start, answer.end, max(answer.interval_s, 1)),
            *(at for series in answer.series for at in series.timestamps),
        }
    )
    grid = tuple(starts)
    return replace(answer, series=tuple(_filled(series, grid) for series in answer.series))


def _filled(series: Series, grid: tuple[int, ...]) -> Series:
    if series.timestamps == grid:
        return series

    nothing = 0 if is_additive(series.axis) or _RATE.match(series.axis) else None

    def fill(values: tuple[float | int | None, ...]) -> tuple[float | int | None, ...]:
        at = dict(zip(series.timestamps, values, strict=True))
        return tuple(at.get(start, nothing) for start in grid)

    comparison = None if series.comparison is None else fill(series.comparison)
    return replace(series, timestamps=grid, values=fill(series.values), comparison=comparison)


def effective_display(display: str, first_axis: str, *, is_top_events: bool = False) -> str:
    """Choose the display that is drawn: values that cannot be stacked become lines."""
    if display not in DISPLAYS and display != "area":
        display = "default"
    if is_top_events and display in {"default", "previous"}:
        display = "top5"
    if display == "top5" and _SMALL_TOP5.match(first_axis):
        return "top5line"

    return display


def chart_of(
    answer: SeriesAnswer,
    display: str = "default",
    *,
    title: str = "",
    subtitle: str = "",
    width: int = 800,
    height: int = 400,
) -> Chart:
    """Lay out an answer as a chart; the title is made from the axes and groups when empty."""
    ordered = ordered_series(answer)
    first_axis = ordered[0].axis if ordered else "count()"
    shown = effective_display(display, first_axis, is_top_events=answer.is_top_events)
    lines = tuple(
        Line(series_name(s, answer), s.timestamps, s.values, "other" if s.is_other else "normal")
        for s in ordered
    )
    previous = _previous(ordered)
    if previous:
        lines = (Line("This period", lines[0].timestamps, lines[0].values), *previous)
    kinds = {(s.type, s.unit) for s in ordered}
    value_type, unit = kinds.pop() if len(kinds) == 1 else ("number", None)
    return Chart(
        title=title or default_title(answer),
        subtitle=subtitle or default_subtitle(answer),
        kind=_kind(shown, ordered),
        lines=lines,
        type=value_type,
        unit=unit,
        interval_s=answer.interval_s,
        width=width,
        height=height,
    )


def ordered_series(answer: SeriesAnswer) -> list[Series]:
    """Give the series in the order of legend and stack: by rank, "Other" last."""
    return sorted(answer.series, key=lambda s: (s.is_other, s.order))


def series_name(series: Series, answer: SeriesAnswer) -> str:
    """Name a series for the legend: its group, its axis, or both where both differ."""
    axis = series.axis.removeprefix(_EQUATION)
    if series.group is None:
        return axis

    group = series.group or axis
    several_axes = answer.is_top_events and len({s.axis for s in answer.series}) > 1
    return f"{group} · {axis}" if several_axes and series.group else group


def default_title(answer: SeriesAnswer) -> str:
    """Say what is drawn: `p95(transaction.duration) by transaction`."""
    axes = list(dict.fromkeys(s.axis for s in ordered_series(answer))) or ["count()"]
    columns = list(dict.fromkeys(name for s in answer.series for name, _ in s.group_values))
    title = ", ".join(axis.removeprefix(_EQUATION) for axis in axes)
    return f"{title} by {', '.join(columns)}" if columns else title


def default_subtitle(answer: SeriesAnswer) -> str:
    """Say how long and how fine: `14 days · 1 h buckets`."""
    span = max(answer.end - answer.start, answer.interval_s)
    return f"{about_text(span, answer.interval_s)} · {span_text(answer.interval_s)} buckets · UTC"


def about_text(seconds: int, slack_s: int) -> str:
    """Tell the length of a window whose ends were moved out to whole buckets: `14 days`."""
    for size in (86_400, 3600, 60):
        rest = seconds % size
        if seconds >= size and rest <= min(slack_s, size - 1):
            return span_text(seconds - rest)

    return span_text(seconds)


def span_text(seconds: int) -> str:
    """Tell a length of time in its largest whole unit: `14 days`, `90 min`."""
    for size, one, many in (
        (86_400, "1 day", "days"),
        (3600, "1 h", "h"),
        (60, "1 min", "min"),
    ):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return one if count == 1 else f"{count} {many}"

    return f"{round(seconds / 3600, 1):g} h" if seconds > 7200 else f"{seconds} s"


def _kind(shown: str, ordered: list[Series]) -> Kind:
    if shown in _KINDS:
        return _KINDS[shown]

    if len(ordered) > 1:
        stackable = all(is_additive(s.axis) for s in ordered)
        return Kind.STACKED_AREA if stackable else Kind.LINE

    return Kind.AREA


def _previous(ordered: list[Series]) -> tuple[Line, ...]:
    if len(ordered) != 1 or ordered[0].comparison is None:
        return ()

    return (Line("Previous period", ordered[0].timestamps, ordered[0].comparison, "previous"),)
