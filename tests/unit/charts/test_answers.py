"""An answer becomes the chart of its display, and the words that go with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from groundswell.charts.answers import (
    about_text,
    chart_of,
    default_subtitle,
    effective_display,
    on_grid,
)
from groundswell.charts.spec import Kind
from groundswell.charts.summary import sparkline, summarize
from groundswell.model.series import Series, SeriesAnswer

GRID = tuple(1_732_147_200 + i * 3600 for i in range(4))


def series(axis="count()", values=(1, 2, 3, 4), **more):
    return Series(axis, GRID, tuple(values), **{"type": "integer", **more})


def answer(*all_series, top=False):
    return SeriesAnswer(all_series, GRID[0], GRID[-1] + 3600, 3600, "discover", is_top_events=top)


def group(name, order, values, **more):
    return series(values=values, order=order, group=name, group_values=(("title", name),), **more)


P95 = {"axis": "p95()", "type": "duration", "unit": "millisecond"}


@pytest.mark.parametrize(
    ("display", "given", "kind"),
    [
        ("default", answer(series()), Kind.AREA),
        ("nonsense", answer(series()), Kind.AREA),
        ("default", answer(series(), series("sum(x)")), Kind.STACKED_AREA),
        ("default", answer(series(**P95), series()), Kind.LINE),
        ("line", answer(series()), Kind.LINE),
        ("bar", answer(series()), Kind.STACKED_BAR),
        ("daily", answer(series()), Kind.STACKED_BAR),
        ("top5", answer(group("a", 0, (1, 1, 1, 1)), top=True), Kind.STACKED_AREA),
        ("default", answer(group("a", 0, (1, 1, 1, 1)), top=True), Kind.STACKED_AREA),
        ("top5", answer(series(**P95, group="a"), top=True), Kind.LINE),
        ("dailytop5", answer(series(**P95, group="a"), top=True), Kind.STACKED_BAR),
    ],
)
def test_display_decides_the_kind(display, given, kind):
    assert chart_of(given, display).kind is kind


def test_top_events_are_in_order_with_other_last():
    given = answer(
        group("Other", 5, (1, 1, 1, 1), is_other=True), group("b", 1, (1, 1, 1, 1)),
        group("a", 0, (2, 2, 2, 2)), top=True,
    )  # fmt: skip
    chart = chart_of(given, "top5")
    assert [(drawn.name, drawn.role) for drawn in chart.lines] == [
        ("a", "normal"), ("b", "normal"), ("Other", "other"),
    ]  # fmt: skip
    assert chart.title == "count() by title"


def test_comparison_becomes_a_previous_line():
    chart = chart_of(answer(series(comparison=(4, 3, 2, 1))), "previous")
    assert [(drawn.name, drawn.role, drawn.values) for drawn in chart.lines] == [
        ("This period", "normal", (1, 2, 3, 4)),
        ("Previous period", "previous", (4, 3, 2, 1)),
    ]


def test_mixed_units_are_plain_numbers_and_subtitle_tells_the_grid():
    given = answer(series(**P95), series())
    assert (chart_of(given).type, chart_of(given).unit) == ("number", None)
    assert default_subtitle(given) == "4 h · 1 h buckets · UTC"


@pytest.mark.parametrize(
    ("axis", "nothing"),
    [("count()", 0), ("sum(x)", 0), ("epm()", 0), ("count_unique(user)", 0), ("p95()", None),
     ("failure_rate()", None), ("equation|count() / 2", None)],
)  # fmt: skip
def test_empty_bucket_counts_nothing_and_has_no_percentile(axis, nothing):
    sparse = Series(axis, (GRID[1], GRID[3]), (5, 7), comparison=(1, 2))
    (filled,) = on_grid(answer(sparse)).series
    assert filled.timestamps == GRID
    assert filled.values == (nothing, 5, nothing, 7)
    assert filled.comparison == (nothing, 1, nothing, 2)


def test_an_equation_is_named_without_its_mark():
    given = answer(Series("equation|count() / 2", GRID, (1, 2, 3, 4)))
    chart = chart_of(given)
    assert (chart.title, chart.lines[0].name) == ("count() / 2", "count() / 2")


def test_top5_of_percentiles_is_drawn_as_lines():
    assert effective_display("top5", "p95(transaction.duration)") == "top5line"
    assert effective_display("top5", "equation|count() / 2") == "top5line"
    assert effective_display("top5", "count()") == "top5"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (answer(series()), "Total 10, last 4, +133% from first to second half."),
        (
            answer(series(comparison=(2, 2, 2, 2))),
            "Total 10, last 4, +25% on the previous period.",
        ),
        (
            answer(series(**P95, values=(100, None, 300, 200))),
            "Average 200 ms, peak 300 ms, last 200 ms, +150% from first to second half.",
        ),
        (answer(series(values=(0, 0, 0, 0))), "No data in this period."),
        (answer(), "No data in this period."),
        (
            answer(group("a", 0, (1, 1, 1, 1)), group("b", 1, (2, 2, 2, 2)), top=True),
            "Total 12, last 3, unchanged from first to second half.",
        ),
    ],
)
def test_sentence(given, sentence):
    assert summarize(given).sentence == sentence


def test_alt_text_holds_title_last_value_and_change():
    assert summarize(answer(series()), title="Errors 🔥").alt == (
        "Errors: total 10, last 4, +133% from first to second half"
    )


def test_top_lists_every_group_with_its_figure():
    given = answer(group("a", 0, (1, 1, 1, 1)), group("b", 1, (2, 2, 2, 2)), top=True)
    assert summarize(given).top == (("a", "4"), ("b", "8"))


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((0, 1, 2, 4), "▁▃▅█"),
        ((), ""),
        ((0, 0), "▁▁"),
        ((None, 5), "▁█"),
        ((1,) * 100, "█" * 24),
    ],
)
def test_sparkline(values, drawn):
    assert sparkline(values) == drawn


def test_a_series_of_nothing_but_missing_values_is_no_data():
    empty = replace(series(**P95), values=(None,) * 4)
    assert summarize(answer(empty)).headline == "total 0 ms"


@pytest.mark.parametrize(
    ("seconds", "bucket_s", "told"),
    [
        (14 * 86_400 + 3600, 3600, "14 days"),
        (14 * 86_400, 3600, "14 days"),
        (3600 + 300, 300, "1 h"),
        (25 * 3600, 300, "25 h"),
        (90 * 60, 300, "90 min"),
    ],
)
def test_length_of_a_window_is_told_without_its_last_part_of_a_bucket(seconds, bucket_s, told):
    assert about_text(seconds, bucket_s) == told
