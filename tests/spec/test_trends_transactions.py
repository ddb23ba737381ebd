"""Promised answers of events-trends-statsv2: which transactions changed, in order, with series."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from groundswell.errors import UserError
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.trends.transactions import find_trends, parse_trends, trends_body
from tests.asking import MIDNIGHT
from tests.rows import insert, new_project
from tests.scopes import scope_of

NOW = MIDNIGHT + timedelta(hours=2)
HOURS = 96
START = NOW - timedelta(hours=HOURS)
AWKWARD = 'GET "/a*b\\c", v2 {x}'
# name: (usual milliseconds, hours before the end at which it changes, ratio)
STORY: dict[str, tuple[float, int, float]] = {
    "/slower": (100.0, 20, 2.0),
    "/worst": (100.0, 30, 3.0),
    "/faster": (300.0, 25, 0.4),
    "/same": (200.0, 10, 1.0),
    "/long-ago": (100.0, 70, 2.0),
    AWKWARD: (50.0, 22, 1.6),
}


def _rows(names: dict[str, tuple[float, int, float]], seed: int) -> list[dict[str, Any]]:
    noise = np.random.default_rng(seed)
    rows = []
    for name, (usual, change, ratio) in names.items():
        for hour in range(HOURS):
            level = usual * (ratio if hour >= HOURS - change else 1.0)
            for i, duration in enumerate(level * np.exp(noise.normal(0, 0.2, 12))):
                at = START + timedelta(hours=hour, minutes=5 * i, seconds=1)
                rows.append(
                    {
                        "timestamp": at,
                        "start_timestamp": at,
                        "transaction": name,
                        "duration": int(duration),
                    }
                )
    return rows


@pytest.fixture(scope="module")
def projects(engine: Engine) -> dict[int, str]:
    web, api = new_project(), new_project()
    insert(engine, "transactions", web, _rows(STORY, 1))
    insert(engine, "transactions", api, _rows({"/slower": (100.0, 15, 0.3)}, 2))
    return {web: "web", api: "api"}


@pytest.fixture
def ask(statistics: Statistics, projects: dict[int, str]) -> Any:
    async def answer(**params: str | list[str]) -> Any:
        given = {name: [v] if isinstance(v, str) else v for name, v in params.items()}
        given = {
            "start": [(NOW - timedelta(hours=48)).isoformat()],
            "end": [NOW.isoformat()],
            **given,
        }
        asked = parse_trends(given, scope_of(projects), NOW, statistics.retention)
        assert asked is not None
        return msgspec.json.decode(
            msgspec.json.encode(trends_body(await find_trends(statistics, asked)))
        )

    return answer


def names(body: Any) -> list[tuple[str, str]]:
    return [(row["transaction"], row["change"]) for row in body["events"]["data"]]


async def test_regressions_worst_first(ask: Any, projects: dict[int, str]) -> None:
    body = await ask(trendType="regression", sort="-trend_percentage()", trendFunction="p50()")

    assert names(body) == [
        ("/worst", "regression"),
        ("/slower", "regression"),
        (AWKWARD, "regression"),
    ]
    worst = body["events"]["data"][0]
    web = str(next(iter(projects)))
    assert worst["project"] == web
    assert worst["breakpoint"] == int((NOW - timedelta(hours=30)).timestamp())
    assert worst["aggregate_range_1"] == pytest.approx(100, rel=0.1)
    assert worst["aggregate_range_2"] == pytest.approx(300, rel=0.1)
    assert worst["trend_percentage"] == pytest.approx(
        worst["aggregate_range_2"] / worst["aggregate_range_1"]
    )
    assert worst["unweighted_t_value"] < 0
    assert set(body["stats"]) == {f"{web},/worst", f"{web},/slower", f"{web},{AWKWARD}"}


async def test_improvements_of_two_projects_with_the_same_name(
    ask: Any, projects: dict[int, str]
) -> None:
    body = await ask(trendType="improved", sort="trend_percentage()", withTimeseries="1")

    api = str(list(projects)[1])
    found = [(row["project"], row["transaction"]) for row in body["events"]["data"]]
    assert found[0] == (api, "/slower")
    assert [name for _, name in found] == ["/slower", "/faster"]
    assert {f"{project},/slower" for project in projects} <= set(body["stats"])
    assert len(body["stats"]) == len(STORY) + 1


async def test_any_comes_by_strength(ask: Any) -> None:
    body = await ask(trendType="any", sort="trend_percentage()")

    assert [name for name, _ in names(body)] == ["/slower", "/worst", "/faster", "/slower", AWKWARD]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("trend_percentage():>150%", ["/worst"]),
        ("trend_percentage():>65%", ["/slower", "/worst", "/slower"]),
        ("tpm():>0.01 trend_difference():>90ms", ["/worst", "/faster", "/slower"]),
        ("confidence():>6 transaction:/faster", ["/faster"]),
        ("confidence():>10000", []),
    ],
)
async def test_filters_on_the_change(ask: Any, query: str, kept: list[str]) -> None:
    assert [name for name, _ in names(await ask(trendType="any", query=query))] == kept


async def test_pages_of_five_at_most(ask: Any) -> None:
    body = await ask(trendType="any", per_page="2", cursor="0:2:0")

    assert [name for name, _ in names(body)] == ["/faster", "/slower"]
    assert len(body["stats"]) == 2


async def test_series_begin_at_the_request_and_history_is_named(ask: Any) -> None:
    body = await ask(interval="1h")

    (series, *_) = body["stats"].values()
    start = int((NOW - timedelta(hours=48)).timestamp())
    assert [series["data"][0][0], len(series["data"])] == [start, 48]
    assert series["request_start"] == start
    assert series["data_start"] < start
    assert series["request_end"] == series["data_end"] == int(NOW.timestamp())
    assert series["isMetricsData"] is True


async def test_nothing_found_is_an_empty_answer(ask: Any) -> None:
    body = await ask(query="transaction:/nowhere")

    assert (body["events"]["data"], body["stats"]) == ([], {})


async def test_rates_count_as_counts(ask: Any) -> None:
    assert names(await ask(trendFunction="tpm()", trendType="any")) == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"trendType": "worse"}, "worse is not a supported trend type"),
        ({"trendType": "improvement"}, "regression, improved, any"),
        ({"topEvents": "many"}, "topEvents"),
        ({"topEvents": "0"}, "topEvents"),
        ({"per_page": "6"}, "per_page"),
        ({"trendFunction": "p51q()"}, "p51q"),
        ({"trendFunction": "transaction"}, "trendFunction"),
        ({"trendFunction": "any(transaction)"}, "trendFunction"),
    ],
)
async def test_refusals_name_what_was_wrong(ask: Any, params: dict[str, str], words: str) -> None:
    with pytest.raises(UserError) as refused:
        await ask(**params)

    assert words in refused.value.message


async def test_what_lies_ahead_is_no_fall_of_a_count(ask: Any) -> None:
    body = await ask(
        trendFunction="count()", trendType="any", end=(NOW + timedelta(hours=24)).isoformat()
    )

    assert body["events"]["data"] == []


async def test_groups_of_lists(ask: Any, engine: Engine, projects: dict[int, str]) -> None:
    web = next(iter(projects))
    insert(engine, "errors", web, [{"timestamp": NOW, "exception_types": ["KeyError", "OSError"]}])
    body = await ask(field="error.type", dataset="errors", trendFunction="count()", end=str(NOW))

    assert body["events"]["data"] == []


async def test_other_groupings_and_datasets(ask: Any) -> None:
    body = await ask(field=["transaction.op"], trendFunction="avg(transaction.duration)")

    assert all(row["transaction"] == "http.server" for row in body["events"]["data"])
