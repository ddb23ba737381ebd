"""The chart of a trend: levels before and after, a labelled breakpoint, quieter releases."""

from __future__ import annotations

import pytest

from groundswell.charts.render import Renderer
from groundswell.charts.spec import vega_lite
from groundswell.charts.trends import Change, change_text, chart_of_trend
from groundswell.config import load

HOUR, START = 3600, 1_772_409_600
STAMPS = tuple(START + i * HOUR for i in range(48))
VALUES = (*(100.0,) * 24, *(250.0,) * 24)
AT = START + 24 * HOUR


def drawn(**changes):
    asked = {
        "name": "GET /",
        "function": "p95()",
        "timestamps": STAMPS,
        "values": VALUES,
        "interval_s": HOUR,
        "type": "duration",
        "unit": "millisecond",
        "change": Change(AT, 100.0, 250.0),
        "releases": ((AT - 600, "shop@2"), (START + HOUR, "shop@1")),
    }
    return chart_of_trend(**asked | changes)


def texts(spec):
    return [
        row["l"]
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text"
        for row in layer["data"]["values"]
    ]


def test_levels_meet_at_the_breakpoint_and_reach_over_the_window():
    before, after = drawn().plateaus
    assert (before.start, before.end, before.value) == (START, AT, 100.0)
    assert (after.start, after.end, after.value) == (AT, START + 48 * HOUR, 250.0)


def test_every_mark_is_labelled():
    assert set(texts(vega_lite(drawn()))) == {
        "shop@1", "shop@2", "Mar 03, 00:00 UTC", "100 ms", "250 ms",
    }  # fmt: skip


def test_release_stands_a_row_above_the_breakpoint():
    spec = vega_lite(drawn(releases=((AT - 600, "shop@2"),)))
    heights = {
        layer["data"]["values"][0]["l"]: layer["mark"].get("y")
        for layer in spec["layer"]
        if layer["mark"]["type"] == "text"
    }
    assert heights["shop@2"] < heights["Mar 03, 00:00 UTC"] < 0


def test_series_without_a_change_has_no_levels():
    chart = drawn(change=None, releases=())
    assert (chart.plateaus, chart.markers) == ((), ())
    assert texts(vega_lite(chart)) == []


def test_group_without_data_is_drawn_as_nothing():
    assert "layer" not in vega_lite(drawn(timestamps=(), values=(), change=None, releases=()))


async def test_is_drawn_as_an_image():
    renderer = Renderer(load({}, {}))
    try:
        assert (await renderer.png(vega_lite(drawn()))).startswith(b"\x89PNG")
    finally:
        await renderer.close()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (100.0, 185.0, "+85%"),
        (200.0, 100.0, "-50%"),
        (10.0, 45.0, "×4.5"),
        (0.0, 3.0, "from nothing"),
        (None, 3.0, ""),
    ],
)
def test_change_is_told(before, after, told):
    assert change_text(before, after) == told
