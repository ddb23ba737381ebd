"""One trend → its chart and its sentence, the same for pages and chats."""

from __future__ import annotations

from groundswell.charts.spec import Chart
from groundswell.charts.trends import Change, change_text, chart_of_trend, moment_text
from groundswell.charts.units import measure
from groundswell.trends.one import OneTrend

_NOTHING_S = 3600


def chart_of_one(
    one: OneTrend | None, *, name: str, function: str, width: int, height: int
) -> Chart:
    """Lay out the chart; name, function: what was asked for, told where nothing matches."""
    if one is None:
        return chart_of_trend(
            name=name,
            function=function,
            timestamps=(),
            values=(),
            interval_s=_NOTHING_S,
            width=width,
            height=height,
        )

    row = one.change
    change = None
    if row is not None:
        change = Change(row["breakpoint"], row["aggregate_range_1"], row["aggregate_range_2"])
    return chart_of_trend(
        name=one.name,
        function=one.function,
        timestamps=one.timestamps,
        values=one.values,
        interval_s=one.interval_s,
        type=one.type,
        unit=one.unit,
        change=change,
        releases=one.releases,
        width=width,
        height=height,
    )


def sentence_of(one: OneTrend | None) -> str:
    """Tell the change in one sentence."""
    if one is None:
        return "No data in this period."

    row = one.change
    if row is None:
        return "No lasting change of level was found in this period."

    told = measure(one.type, one.unit)
    before, after = row["aggregate_range_1"], row["aggregate_range_2"]
    verb = "rose" if (row["trend_difference"] or 0) > 0 else "fell"
    return (
        f"{one.function} {verb} from {told.text(before)} to {told.text(after)} "
        f"({change_text(before, after)}) at {moment_text(row['breakpoint'])}; "
        f"the evidence is {row['confidence']}."
    )
