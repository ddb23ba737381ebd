"""Promised answers of profiling/function-trends: which functions changed, with their profiles."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from groundswell.timeframe import TimeRange
from groundswell.trends.functions import (
    bucket_width,
    find_function_trends,
    parse_function_trends,
    refusals,
)
from tests.asking import MIDNIGHT
from tests.rows import insert, new_project
from tests.scopes import scope_of

NOW = MIDNIGHT + timedelta(hours=2)
HOURS = 72
START = NOW - timedelta(hours=HOURS)
MS = 1_000_000
# fingerprint: (function, milliseconds, hours before the end, ratio)
STORY = {
    11: ("render", 40.0, 20, 2.5),
    12: ("load", 90.0, 24, 0.4),
    13: ("steady", 50.0, 24, 1.0),
    14: ("tiny", 1.0, 24, 3.0),
    15: ("early", 40.0, 66, 3.0),
}


@pytest.fixture(scope="module")
def project(engine: Engine) -> int:
    noise = np.random.default_rng(5)
    id = new_project()
    rows = []
    for fingerprint, (function, usual, change, ratio) in STORY.items():
        for hour in range(HOURS):
            level = usual * (ratio if hour >= HOURS - change else 1.0)
            for i in range(8):
                took = int(level * MS * np.exp(noise.normal(0, 0.15)))
                rows.append(
                    {
                        "timestamp": START + timedelta(hours=hour, minutes=7 * i, seconds=1),
                        "profile_id": str(uuid.UUID(int=int(noise.integers(1, 2**62)))),
                        "fingerprint": fingerprint,
                        "name": function,
                        "package": "app",
                        "is_application": 1,
                        "self_times": [took],
                        "total_times": [took],
                    }
                )
    insert(engine, "functions", id, rows)
    return id


@pytest.fixture
def ask(statistics: Statistics, project: int) -> Any:
    async def answer(**params: str) -> Any:
        given = {
            "start": [START.isoformat()],
            "end": [NOW.isoformat()],
            **{name: [value] for name, value in params.items()},
        }
        scope = scope_of({project: "web"})
        asked = parse_function_trends(given, scope, NOW, statistics.retention)
        assert asked is not None
        found = await find_function_trends(statistics, asked)
        return msgspec.json.decode(msgspec.json.encode(found.rows))

    return answer


async def test_a_regression_with_its_series_and_profiles(ask: Any, project: int) -> None:
    (row,) = await ask(function="p95()", trend="regression")

    assert (row["project"], row["fingerprint"], row["function"]) == (str(project), 11, "render")
    assert (row["package"], row["count()"], row["change"]) == ("app", 8 * HOURS, "regression")
    assert row["breakpoint"] == int((NOW - timedelta(hours=20)).timestamp())
    assert row["trend_percentage"] == pytest.approx(2.5, rel=0.15)
    assert [at for at, _ in row["worst"]] == [at for at, _ in row["stats"]["data"]]
    assert all(len(profile) == 32 for _, profile in row["examples"])
    assert row["stats"]["start"] == int(START.timestamp())


async def test_improvements_and_the_threshold(ask: Any) -> None:
    assert [row["function"] for row in await ask(function="p50()", trend="improvement")] == ["load"]
    assert await ask(function="p50()", trend="improvement", threshold="60") == []
    small = await ask(function="p50()", trend="regression", threshold="0")
    assert [row["function"] for row in small] == ["tiny", "render"]


@pytest.mark.parametrize(
    ("params", "at_fault", "words"),
    [
        ({}, {"function", "trend"}, "required"),
        ({"function": "p95()"}, {"trend"}, "regression or improvement"),
        ({"function": "p95()", "trend": "improved"}, {"trend"}, "regression, improvement"),
        ({"function": "p95(function)", "trend": "regression"}, {"function"}, "10"),
        ({"function": "p95()", "trend": "regression", "threshold": "x"}, {"threshold"}, "1000"),
        ({"function": "p95()", "trend": "regression", "threshold": "1001"}, {"threshold"}, "1000"),
        ({"function": "p95()", "trend": "regression", "threshold": "0"}, set(), ""),
    ],
)
def test_refusals_by_parameter(params: dict[str, str], at_fault: set[str], words: str) -> None:
    found = refusals({name: [value] for name, value in params.items()})

    assert set(found) == at_fault
    assert all(any(words in text for text in texts) for texts in list(found.values())[-1:])


@pytest.mark.parametrize(
    ("days", "hours"), [(1, 1), (7, 1), (8, 2), (14, 2), (15, 4), (30, 4), (31, 8), (61, 12)]
)
def test_bucket_width(days: int, hours: int) -> None:
    assert bucket_width(TimeRange(NOW - timedelta(days=days), NOW)) == hours * 3600
    # The ends of a period are rounded outwards.
    assert bucket_width(TimeRange(NOW - timedelta(days=days, minutes=1), NOW)) == hours * 3600
