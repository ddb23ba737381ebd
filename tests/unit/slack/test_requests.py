"""The one statistics request that a link stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from groundswell.slack.links import parse
from groundswell.slack.requests import ChartRequest, Display, from_link

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BASE = "https://gs.example.com"


def ask(
    query: str, saved: dict[str, Any] | None = None, page: str = "discover/results"
) -> ChartRequest:
    link = parse(f"{BASE}/organizations/acme/{page}/?{query}", BASE)
    assert link is not None
    return from_link(link, saved, now=NOW, retention=timedelta(days=400))


DISPLAYS: list[tuple[str, Display, dict[str, list[str]]]] = [
    ("", Display.AREA, {"yAxis": ["count()"], "interval": ["1d"]}),
    ("display=default&statsPeriod=14d", Display.AREA, {"interval": ["1h"]}),
    ("display=bar&statsPeriod=24h", Display.BAR, {"interval": ["5m"]}),
    ("display=line&statsPeriod=1h", Display.LINE, {"interval": ["15m"]}),
    ("display=nonsense&statsPeriod=30d", Display.AREA, {"interval": ["4h"]}),
    ("display=daily&statsPeriod=14d&interval=5m", Display.DAILY, {"interval": ["1d"]}),
    ("display=top5&statsPeriod=14d", Display.TOP_AREA, {"topEvents": ["5"]}),
    ("display=top5&yAxis=p95()&statsPeriod=14d", Display.TOP_LINE, {"topEvents": ["5"]}),
    ("display=top5&yAxis=equation|count()*2", Display.TOP_LINE, {}),
    ("display=top5line&yAxis=count()&topEvents=3", Display.TOP_AREA, {"topEvents": ["3"]}),
    ("display=dailytop5&yAxis=p95()", Display.TOP_BAR, {"interval": ["1d"], "topEvents": ["5"]}),
    (
        "display=previous",
        Display.PREVIOUS,
        {"statsPeriod": ["14d"], "comparisonDelta": ["1209600"]},
    ),
    ("display=previous&statsPeriod=60d", Display.PREVIOUS, {"comparisonDelta": ["5184000"]}),
    (
        "display=previous&start=2026-02-01T00:00:00&end=2026-02-02T12:00:00",
        Display.PREVIOUS,
        {"comparisonDelta": ["129600"]},
    ),
    ("display=previous&yAxis=count()&yAxis=p95()", Display.PREVIOUS, {"yAxis": ["count()"]}),
]


@pytest.mark.parametrize(("query", "display", "expected"), DISPLAYS)
def test_displays(query: str, display: Display, expected: dict[str, list[str]]) -> None:
    asked = ask(query)
    assert asked.display is display
    assert {name: asked.params[name] for name in expected} == expected
    assert ("topEvents" in asked.params) == ("top5" in query)
    assert ("comparisonDelta" in asked.params) == ("previous" in query)


INTERVALS = [
    ("statsPeriod=14d&interval=30m", "30m"),
    ("statsPeriod=90d&interval=1s", "1d"),
    ("statsPeriod=1h&interval=1d", "15m"),
    ("statsPeriod=14d&interval=0", "1h"),
    ("statsPeriod=14d&interval=soon", "1h"),
    ("statsPeriod=7d&interval=1m&display=top5", "1h"),
    ("statsPeriod=7d&interval=1m", "1h"),
    ("statsPeriod=6d&interval=1m", "1m"),
]


@pytest.mark.parametrize(("query", "interval"), INTERVALS)
def test_the_interval_of_the_address_counts_where_it_fits(query: str, interval: str) -> None:
    assert ask(query).params["interval"] == [interval]


def test_a_saved_query_fills_what_the_address_leaves_out() -> None:
    saved = {
        "name": "By release",
        "yAxis": "p95()",
        "fields": ["release", "count()"],
        "orderby": "-count",
        "query": "level:error",
        "queryDataset": "error-events",
        "display": "top5",
        "topEvents": 3,
        "projects": [7],
        "interval": "2h",
        "range": "7d",
    }
    asked = ask("id=5", saved)
    assert asked.name == "By release"
    assert asked.display is Display.TOP_LINE
    assert asked.params == {
        "referrer": ["discover.slack.unfurl"],
        "statsPeriod": ["7d"],
        "yAxis": ["p95()"],
        "field": ["release", "count()"],
        "sort": ["-count"],
        "query": ["level:error"],
        "dataset": ["errors"],
        "topEvents": ["3"],
        "project": ["7"],
        "interval": ["2h"],
    }
    mine = "id=5&query=&yAxis=count()&sort=-x&field=title&project=9&name=Mine&dataset=discover"
    over = ask(f"{mine}&statsPeriod=24h&display=bar&environment=prod&widths=1", saved)
    assert (over.name, over.display) == ("Mine", Display.BAR)
    assert over.params["query"] == [""]
    assert over.params["project"] == ["9"]
    assert over.params["environment"] == ["prod"]
    assert "widths" not in over.params
    assert "topEvents" not in over.params


def test_the_first_aggregate_among_the_fields_is_the_axis() -> None:
    assert ask("field=title&field=p75()&field=count()").axes == ["p75()"]
    assert ask("field=title").axes == ["count()"]
    assert ask("", {"yAxis": ["count()", "p95()"]}).axes == ["count()", "p95()"]


def test_explore_forms() -> None:
    shown = quote('{"yAxes":["p95(span.duration)"],"chartType":1}')
    group = quote('{"groupBy":"span.op"}')
    asked = ask(f"visualize={shown}&aggregateField={group}&sort=-nothing", page="explore/traces")
    assert asked.display is Display.TOP_LINE
    assert asked.params["dataset"] == ["spans"]
    assert asked.params["field"] == ["span.op", "p95(span.duration)"]
    assert asked.params["sort"] == ["-p95(span.duration)"]
    assert asked.params["statsPeriod"] == ["14d"]
    assert asked.params["interval"] == ["1h"]
    assert asked.name == "Explore Traces - p95(span.duration)"
    plain = ask("statsPeriod=1h", page="explore/traces")
    assert (plain.display, plain.axes) == (Display.BAR, ["count(span.duration)"])
    assert plain.params["interval"] == ["1m"]
