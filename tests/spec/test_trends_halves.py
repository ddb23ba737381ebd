"""Promised answers of events-trends: each transaction before and after the middle."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from groundswell.errors import UserError
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.trends.halves import compare_halves, parse_halves, series_of_halves
from tests.asking import MIDNIGHT
from tests.rows import insert, new_project
from tests.scopes import scope_of

START = MIDNIGHT
END = MIDNIGHT + timedelta(hours=10)
SAME = '/same\\1 "x"*'
STORY = {"/slower": (100, 180), "/faster": (300, 120), SAME: (50, 50), "/new": (None, 70)}


@pytest.fixture(scope="module")
def project(engine: Engine) -> int:
    id = new_project()
    rows = []
    for name, levels in STORY.items():
        for half, level in enumerate(levels):
            for i in range(10) if level is not None else ():
                at = START + timedelta(hours=5 * half, minutes=20 * i + 1)
                rows.append(
                    {
                        "timestamp": at,
                        "start_timestamp": at,
                        "transaction": name,
                        "duration": level + i - 5,
                    }
                )
    insert(engine, "transactions", id, rows)
    return id


@pytest.fixture
def ask(statistics: Statistics, project: int) -> Any:
    async def answer(*, series: bool = False, **params: str | list[str]) -> Any:
        given = {"start": [START.isoformat()], "end": [END.isoformat()], "interval": ["1h"]}
        given |= {name: [v] if isinstance(v, str) else v for name, v in params.items()}
        asked = parse_halves(given, scope_of({project: "web"}), END, statistics.retention)
        assert asked is not None
        found = await compare_halves(statistics, asked)
        if series:
            return await series_of_halves(statistics, asked, found)

        return found.rows

    return answer


async def test_worst_regression_first(ask: Any) -> None:
    first, *rest = await ask(trendFunction="avg()")
    variance = float(np.var(np.arange(10), ddof=1))

    assert first == {
        "transaction": "/slower",
        "project": "web",
        "aggregate_range_1": pytest.approx(99.5),
        "aggregate_range_2": pytest.approx(179.5),
        "count_range_1": 10,
        "count_range_2": 10,
        "t_test": pytest.approx(-80 / (2 * variance / 10) ** 0.5),
        "trend_percentage": pytest.approx(179.5 / 99.5),
        "trend_difference": pytest.approx(80),
        "count_percentage": 1,
    }
    assert [row["transaction"] for row in rest] == [SAME, "/faster", "/new"]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"query": "trend_percentage():>10%"}, ["/slower"]),
        ({"query": "trend_percentage():>10% transaction:/same*"}, []),
        ({"query": "trend_difference():>50"}, ["/slower"]),
        ({"query": "confidence():>6"}, ["/slower"]),
        ({"query": "trend_percentage():>10%", "trendType": "improved"}, ["/faster"]),
        ({"query": "trend_difference():>50", "trendType": "improved"}, ["/faster"]),
        ({"query": "confidence():>6", "trendType": "improved"}, ["/faster"]),
        ({"sort": "trend_percentage()", "per_page": "2"}, ["/faster", SAME]),
        ({"sort": "confidence()", "per_page": "1"}, ["/slower"]),
        ({"sort": "-count_range_2", "query": "transaction:/new"}, ["/new"]),
    ],
)
async def test_filters_and_order(ask: Any, params: dict[str, str], names: list[str]) -> None:
    assert [row["transaction"] for row in await ask(**params)] == names


async def test_the_middle_can_be_moved(ask: Any) -> None:
    early = await ask(middle=(START + timedelta(hours=1)).isoformat(), query="transaction:/slower")

    assert (early[0]["count_range_1"], early[0]["count_range_2"]) == (3, 17)


async def test_series_of_the_groups(ask: Any) -> None:
    series = await ask(series=True, query="transaction:/s*")

    assert {frozenset(key.split(",")) for key in series} == {
        frozenset({"web", SAME}),
        frozenset({"web", "/slower"}),
    }
    assert all(len(one["data"]) == 10 for one in series.values())


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"middle": "noon"}, "middle"),
        ({"middle": END.isoformat()}, "middle"),
        ({"trendType": "any"}, "trendType"),
        ({"trendFunction": "max(transaction.duration)"}, "trendFunction"),
        ({"sort": "title"}, "sort"),
        ({"field": [f"tag{i}" for i in range(21)]}, "field"),
        ({"query": "trend_percentage():much"}, "query"),
        ({"query": "transaction:/new OR trend_percentage():>10%"}, "query"),
    ],
)
async def test_refusals_name_the_parameter(ask: Any, params: dict[str, Any], field: str) -> None:
    with pytest.raises(UserError) as refused:
        await ask(**params)

    assert refused.value.field == field
