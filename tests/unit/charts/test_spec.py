"""What a chart becomes as a specification: layers, colours, ticks, and no user text as code."""

from __future__ import annotations

import json

import pytest

from groundswell.charts.spec import Band, Chart, Kind, Line, Marker, Threshold, vega_lite
from groundswell.charts.theme import THEMES
from groundswell.charts.ticks import MAX_TICKS, time_ticks
from groundswell.charts.units import measure
from groundswell.charts.words import clean, distinct

DAY = 1_732_147_200
HOURS = tuple(DAY + i * 3600 for i in range(48))


def line(name="count()", values=None, role="normal"):
    return Line(name, HOURS, tuple(values or range(48)), role)


def colours(spec):
    for layer in spec["layer"]:
        if scale := layer["encoding"].get("color", {}).get("scale"):
            return dict(zip(scale["domain"], scale["range"], strict=True))
    return {}


def test_single_area_is_a_faint_area_under_a_line_in_the_single_colour():
    spec = vega_lite(Chart("count()", (line(),), Kind.AREA))
    assert [layer["mark"]["type"] for layer in spec["layer"]] == ["area", "line"]
    assert {layer["mark"]["color"] for layer in spec["layer"]} == {THEMES["light"].single}


def test_stack_puts_other_last_and_grey_and_adds_heights_up():
    chart = Chart(
        "x", (line("a", [1] * 48), line("b", [2] * 48), line("Other", [4] * 48, "other")),
        Kind.STACKED_AREA,
    )  # fmt: skip
    spec = vega_lite(chart)
    assert list(colours(spec).items())[-1] == ("Other", THEMES["light"].other)
    tops = {row["s"]: (row["y0"], row["y1"]) for row in spec["layer"][0]["data"]["values"]}
    assert tops == {"a": (0, 1), "b": (1, 3), "Other": (3, 7)}


def test_missing_values_leave_a_gap_in_lines_and_nothing_in_stacks():
    gap = vega_lite(Chart("x", (line(values=[1, None, 3] * 16),), Kind.LINE))
    assert gap["layer"][0]["data"]["values"][1]["v"] is None
    stack = vega_lite(Chart("x", (line(values=[1, None, 3] * 16),), Kind.STACKED_BAR))
    assert stack["layer"][0]["data"]["values"][1]["y1"] == 0


def test_lonely_points_are_drawn_as_dots():
    spec = vega_lite(Chart("x", (line(values=[None, 5, None] * 16),), Kind.LINE))
    dots = spec["layer"][-1]
    assert dots["mark"]["type"] == "point"
    assert len(dots["data"]["values"]) == 16


def test_bars_have_a_base_and_a_width():
    rows = vega_lite(Chart("x", (line(),), Kind.BAR, interval_s=3600))["layer"][0]["data"]["values"]
    assert rows[3] == {"t": HOURS[3] * 1000, "s": "count()", "v": 3, "y0": 0, "y1": 3,
                       "t2": HOURS[3] * 1000 + 3_024_000}  # fmt: skip


def test_previous_period_is_dashed_grey():
    chart = Chart("x", (line("This period"), line("Previous period", role="previous")), Kind.AREA)
    spec = vega_lite(chart)
    assert colours(spec)["Previous period"] == THEMES["light"].previous
    drawn = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    assert drawn["encoding"]["strokeDash"]["scale"]["range"] == [[1, 0], [5, 4]]


def test_markers_thresholds_and_bands_are_layers_and_outside_ones_are_left_out():
    chart = Chart(
        "x",
        (line(),),
        markers=(Marker(HOURS[9], "v1.2"), Marker(HOURS[0] - 9999, "too early")),
        thresholds=(Threshold(40, "Warning 40", "warning"), Threshold(60, "Critical 60")),
        bands=(Band(HOURS[2], HOURS[4], "warning"), Band(HOURS[-1] + 1, HOURS[-1] + 9)),
    )
    kinds = [layer["mark"]["type"] for layer in vega_lite(chart)["layer"]]
    assert kinds == ["rect", "line", "rule", "text", "rule", "text", "rule", "text"]
    assert "too early" not in json.dumps(vega_lite(chart))


def test_crowded_markers_keep_their_rules_but_not_every_label():
    markers = tuple(Marker(HOURS[i], f"release {i}") for i in range(20))
    *_, rules, left = vega_lite(Chart("x", (line(),), markers=markers))["layer"]
    assert len(rules["data"]["values"]) == 20
    assert 2 <= len(left["data"]["values"]) <= 4


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("lines", [(), (Line("a", (), ()),), (line(values=[None] * 48),)])
def test_nothing_to_draw_says_so(kind, lines):
    assert "No data in this period" in json.dumps(vega_lite(Chart("x", lines, kind)))


def test_user_text_is_data_and_never_an_expression():
    evil = "'];alert(1)//{{x}}"
    chart = Chart(evil, (line(evil), line(evil)), subtitle=evil, markers=(Marker(HOURS[1], evil),))

    def expressions(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in {"labelExpr", "expr", "signal", "calculate", "filter", "test"}:
                    yield value
                yield from expressions(value)
        elif isinstance(node, list):
            for value in node:
                yield from expressions(value)

    found = list(expressions(vega_lite(chart)))
    assert found
    assert not [text for text in found if "alert" in text]


def test_dark_changes_colours_only():
    light, dark = (vega_lite(Chart("x", (line(),)), theme=name) for name in ("light", "dark"))
    assert dark["config"]["background"] == "#1B1E24"
    assert light["layer"][0]["data"] == dark["layer"][0]["data"]


@pytest.mark.parametrize(
    ("span_s", "step_s"),
    [(3600, 600), (86_400, 14_400), (14 * 86_400, 2 * 86_400), (90 * 86_400, 14 * 86_400), (30, 5)],
)
def test_ticks_are_round_and_at_most_seven(span_s, step_s):
    ticks = time_ticks(DAY + 17, DAY + 17 + span_s)
    assert len(ticks) <= MAX_TICKS
    assert {t % min(step_s, 86_400) for t in ticks} == {0}
    assert ticks[1] - ticks[0] == step_s


@pytest.mark.parametrize(
    ("kind", "unit", "value", "told"),
    [
        ("integer", None, 12, "12"),
        ("integer", None, 9_999, "9,999"),
        ("integer", None, 15_234, "15.23k"),
        ("number", None, 0.5, "0.5"),
        ("duration", "millisecond", 412.34, "412.3 ms"),
        ("duration", "millisecond", 1500, "1.5 s"),
        ("duration", "second", 90, "1.5 min"),
        ("duration", "nanosecond", 2_000_000, "2 ms"),
        ("percentage", None, 0.0312, "3.12%"),
        ("rate", "1/minute", 4.25, "4.25/min"),
        ("rate", "1/second", 4.25, "4.25/s"),
        ("size", "byte", 1536, "1.5 KiB"),
        ("size", "megabyte", 1, "976.56 KiB"),
        ("number", None, None, "no value"),
        ("number", None, float("nan"), "no value"),
    ],
)
def test_values_are_told_in_their_unit(kind, unit, value, told):
    assert measure(kind, unit).text(value) == told


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("checkout 🔥🔥 failed", "checkout failed"),
        ("flag 🇩🇪 and family 👨‍👩‍👧", "flag and family"),
        ("line\nbreak\x00and\u202ebidi", "line break and bidi"),
        ("x" * 60, "x" * 39 + "…"),
        ("Ünïcödé Ж", "Ünïcödé Ж"),
    ],
)
def test_text_is_cleaned(text, cleaned):
    assert clean(text) == cleaned


def test_names_that_become_equal_are_kept_apart():
    assert distinct(["a", "a🔥", "", "a (2)"]) == ["a", "a (2)", "(empty)", "a (2) (2)"]
