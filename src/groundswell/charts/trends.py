"""A trend → its chart: the series, the level before and after, the breakpoint, and releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from groundswell.charts.answers import about_text, span_text
from groundswell.charts.spec import Chart, Kind, Line, Marker, Plateau
from groundswell.charts.units import measure


@dataclass(frozen=True, slots=True)
class Change:
    """A level that changed: `at` in unix seconds, the levels in the unit of the series."""

    at: int
    before: float
    after: float


def chart_of_trend(
    *,
    name: str,
    function: str,
    timestamps: Sequence[int],
    values: Sequence[float | int | None],
    interval_s: int,
    type: str = "number",
    unit: str | None = None,
    change: Change | None = None,
    releases: Sequence[tuple[int, str]] = (),
    title: str = "",
    width: int = 800,
    height: int = 400,
) -> Chart:
    """Lay out the chart of one trend; releases are (unix second, version)."""
    stamps = tuple(timestamps)
    end = stamps[-1] + interval_s if stamps else 0
    told = measure(type, unit)
    markers = [Marker(at, version, "release") for at, version in releases]
    plateaus: tuple[Plateau, ...] = ()
    if change is not None and stamps:
        markers.append(Marker(change.at, moment_text(change.at)))
        plateaus = (
            Plateau(stamps[0], change.at, change.before, told.text(change.before)),
            Plateau(change.at, end, change.after, told.text(change.after)),
        )
    # The first bucket began before the window and was left out.
    span = end - stamps[0] + interval_s if stamps else interval_s
    return Chart(
        title=title or f"{function} of {name}",
        subtitle=f"{about_text(span, interval_s)} · {span_text(interval_s)} buckets · UTC",
        kind=Kind.LINE,
        lines=(Line(function, stamps, tuple(values)),),
        type=type,
        unit=unit,
        interval_s=interval_s,
        markers=tuple(markers),
        plateaus=plateaus,
        width=width,
        height=height,
    )


def change_text(before: float | None, after: float | None) -> str:
    """Tell a change of level: `+85%`, `3.2 times`, `from nothing`."""
    if before is None or after is None:
        return ""

    if before <= 0:
        return "from nothing" if after > 0 else "unchanged"

    ratio = after / before
    if ratio >= 3:
        return f"×{ratio:.1f}"

    return f"{(ratio - 1) * 100:+.0f}%"


def moment_text(at: int) -> str:
    """Tell an instant: `Nov 21, 01:27 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%b %d, %H:%M UTC")
