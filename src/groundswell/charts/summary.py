"""An answer in words: total, last value, change, a sparkline of text, and text for screen readers.

Numbers are added up only where that makes sense (counts, sums); otherwise the average and the peak
of the buckets are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from groundswell.charts.answers import default_title, is_additive, ordered_series, series_name
from groundswell.charts.units import Measure, measure
from groundswell.charts.words import clean
from groundswell.model.series import Series, SeriesAnswer

BLOCKS = "▁▂▃▄▅▆▇█"
NOTHING = "No data in this period."


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person should know of an answer without seeing its chart.

    headline: `total 12,345` or `average 320 ms`. change: `+12%`, None where it cannot be told.
    sentence: one plain sentence. alt: for the alt text of an image. top: (name, value) by rank.
    """

    headline: str
    last: str
    change: str | None
    sentence: str
    sparkline: str
    alt: str
    top: tuple[tuple[str, str], ...]


def summarize(answer: SeriesAnswer, *, title: str = "", points: int = 24) -> Summary:
    """Tell an answer in words."""
    title = clean(title or default_title(answer), 120)
    ordered = ordered_series(answer)
    if not any(v for s in ordered for v in s.values):
        zero = _measure(ordered[0]).text(0) if ordered else "0"
        return Summary(f"total {zero}", zero, None, NOTHING, "", f"{title}: no data", ())

    first = ordered[0]
    told = _measure(first)
    grouped = answer.is_top_events and all(s.axis == first.axis for s in ordered)
    merged = [s for s in ordered if s.axis == first.axis] if grouped else [first]
    additive = is_additive(first.axis)
    values = _sum_by_bucket(merged) if additive else list(first.values)
    headline = _headline(values, told, additive=additive)
    last = told.text(next((v for v in reversed(values) if v is not None), None))
    change = _change(first, values, additive=additive, alone=len(merged) == 1)
    compared = "on the previous period" if first.comparison else "from first to second half"
    subject = "" if len(merged) > 1 or len(ordered) == 1 else f"{series_name(first, answer)}: "
    tail = f", {change} {compared}" if change else ""
    words = f"{headline}, last {last}{tail}"
    return Summary(
        headline=headline,
        last=last,
        change=change,
        sentence=f"{subject}{words[0].upper()}{words[1:]}."
        if not subject
        else f"{subject}{words}.",
        sparkline=sparkline(values, points),
        alt=f"{title}: {words}",
        top=tuple((clean(series_name(s, answer)), _figure(s)) for s in ordered),
    )


def sparkline(values: Sequence[float | int | None], points: int = 24) -> str:
    """Draw values as a row of blocks, from zero; neighbours are averaged when there are many."""
    count = len(values)
    if not count:
        return ""

    points = min(points, count)
    groups = [values[i * count // points : (i + 1) * count // points] for i in range(points)]
    levels = [_mean([v for v in group if v is not None]) for group in groups]
    top = max(levels, default=0)
    if top <= 0:
        return BLOCKS[0] * points

    return "".join(BLOCKS[round(max(v, 0) / top * (len(BLOCKS) - 1))] for v in levels)


def _headline(values: Sequence[float | int | None], told: Measure, *, additive: bool) -> str:
    known = [v for v in values if v is not None]
    if additive:
        return f"total {told.text(sum(known))}"

    return f"average {told.text(_mean(known))}, peak {told.text(max(known, default=None))}"


def _figure(series: Series) -> str:
    known = [v for v in series.values if v is not None]
    if not known:
        return "no value"

    told = _measure(series)
    return told.text(sum(known) if is_additive(series.axis) else _mean(known))


def _change(
    first: Series, values: Sequence[float | int | None], *, additive: bool, alone: bool
) -> str | None:
    """Compare with the previous period where it was asked for, else the halves of this one."""
    if first.comparison is not None and alone:
        halves = (tuple(first.comparison), tuple(values))
    else:
        half = len(values) // 2
        halves = (tuple(values[:half]), tuple(values[len(values) - half :]))
    fold = sum if additive else _mean
    before, after = (fold([v for v in half if v is not None]) for half in halves)
    if before <= 0:
        return None

    share = (after - before) / before * 100
    return f"{share:+,.0f}%" if abs(share) >= 0.5 else "unchanged"


def _sum_by_bucket(group: Sequence[Series]) -> list[float | int | None]:
    return [
        sum(v for v in bucket if v is not None)
        for bucket in zip(*(s.values for s in group), strict=True)
    ]


def _mean(values: Sequence[float | int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _measure(series: Series) -> Measure:
    return measure(series.type, series.unit)
