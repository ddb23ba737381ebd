"""Spans, profile functions, releases and custom measurements through the same endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from tests.asking import Asker, clock, counts
from tests.rows import insert, new_project
from tests.scopes import scope_of


@pytest.fixture(scope="module")
def lab_project(engine: Engine) -> int:
    project = new_project()
    insert(
        engine,
        "spans",
        project,
        [
            {
                "timestamp": clock(at),
                "start_timestamp": clock(at),
                "span_id": number + 1,
                "op": op,
                "duration": duration,
                "exclusive_time": duration / 2,
                "transaction": "/checkout",
                "environment": "spans-only",
            }
            for number, (at, op, duration) in enumerate(
                [("10:05", "db", 10.0), ("10:10", "db", 30.0), ("12:00", "http", 100.0)]
            )
        ],
    )
    insert(
        engine,
        "functions",
        project,
        [
            {
                "timestamp": clock("10:05"),
                "name": "render",
                "package": "app",
                "fingerprint": 42,
                "is_application": 1,
                "self_times": [1_000_000, 3_000_000],
                "total_times": [1_000_000, 3_000_000],
                "sample_count": 2,
            }
        ],
    )
    insert(
        engine,
        "transactions",
        project,
        [
            {
                "timestamp": clock(at),
                "start_timestamp": clock(at),
                "transaction": "/upload",
                "duration": 100,
                "release": release,
                "measurements": {"upload": size},
                "measurement_units": {"upload": "kilobyte"},
            }
            for at, release, size in [
                ("10:05", "app@1.9.0", 1.0),
                ("11:05", "app@1.10.0", 2.0),
                ("12:05", "app@1.10.0", 4.0),
            ]
        ],
    )
    return project


@pytest.fixture
def lab(statistics: Statistics, lab_project: int) -> Asker:
    return Asker(statistics, scope_of({lab_project: "lab"}))


@pytest.mark.parametrize("dataset", ["spans", "spansIndexed", "spansMetrics"])
async def test_spans(lab: Asker, dataset: str) -> None:
    body = await lab.events_stats(dataset=dataset, yAxis=["count()", "avg(span.duration)"])

    assert counts(body["count()"]) == [2, 0, 1, 0]
    assert counts(body["avg(span.duration)"]) == [20.0, 0, 100.0, 0]
    assert body["count()"]["meta"]["dataset"] == dataset
    assert body["avg(span.duration)"]["meta"]["units"]["avg_span_duration"] == "millisecond"


@pytest.mark.parametrize(
    ("dataset", "mean"), [("spans", 20.0), ("spansIndexed", 20.0), ("spansMetrics", 10.0)]
)
async def test_the_column_of_spans_where_none_is_given(
    lab: Asker, dataset: str, mean: float
) -> None:
    body = await lab.events_stats(dataset=dataset, yAxis="avg()")

    assert counts(body)[0] == mean


async def test_spans_by_group(lab: Asker) -> None:
    body = await lab.events_stats(
        dataset="spans", topEvents="1", field=["span.op", "count()"], sort="-count()",
        environment="spans-only",
    )  # fmt: skip

    assert {key: counts(group) for key, group in body.items()} == {
        "db": [2, 0, 0, 0],
        "Other": [0, 0, 1, 0],
    }


async def test_the_id_of_a_span(lab: Asker) -> None:
    body = await lab.events(dataset="spans", field=["id", "span.op"], query="span.op:http")

    assert body["data"] == [{"id": "0000000000000003", "span.op": "http", "project.name": "lab"}]


async def test_functions(lab: Asker) -> None:
    body = await lab.events(
        dataset="profileFunctions", field=["function", "package", "count()", "p50()"]
    )

    assert body["data"] == [
        {"function": "render", "package": "app", "count()": 2, "p50()": 2_000_000.0}
    ]
    assert body["meta"]["fields"]["p50()"] == "duration"
    assert body["meta"]["units"]["p50()"] == "nanosecond"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("release:latest", 2),
        ("release:[latest, app@1.9.0]", 3),
        ("!release:latest", 1),
        ("release.version:>=1.10", 2),
    ],
)
async def test_releases(lab: Asker, query: str, count: int) -> None:
    assert await lab.count(dataset="transactions", query=query) == count


async def test_custom_measurements_have_their_unit(lab: Asker) -> None:
    body = await lab.events(dataset="transactions", field=["sum(measurements.upload)", "count()"])
    sized: dict[str, Any] = await lab.events(
        dataset="transactions", field="count()", query="measurements.upload:>1.5kb"
    )

    assert body["data"] == [{"sum(measurements.upload)": 7.0, "count()": 3}]
    assert body["meta"]["fields"]["sum(measurements.upload)"] == "size"
    assert body["meta"]["units"]["sum(measurements.upload)"] == "kilobyte"
    assert sized["data"] == [{"count()": 2}]
