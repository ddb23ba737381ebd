"""Promised bodies of events-timeseries: milliseconds, one element per group and axis."""

from __future__ import annotations

from datetime import UTC, datetime

from groundswell.model.series import Series, SeriesAnswer
from groundswell.stats.serialize_timeseries import events_timeseries
from groundswell.timeframe import TimeRange
from tests.asking import Asker, unix


def values(*numbers: float | None, first: str = "10:00") -> list[dict[str, object]]:
    return [
        {"timestamp": (unix(first) + n * 3600) * 1000, "value": value, "incomplete": False}
        for n, value in enumerate(numbers)
    ]


async def test_plain(web: Asker) -> None:
    body = await web.between("10:00", "13:30").events_timeseries(
        dataset="transactions", yAxis=["count()", "p95(transaction.duration)"]
    )

    assert body == {
        "meta": {
            "dataset": "transactions",
            "start": unix("10:00") * 1000.0,
            "end": unix("13:30") * 1000.0,
        },
        "timeSeries": [
            {
                "yAxis": "count()",
                "groupBy": [],
                "values": values(3, 0, 1, 0),
                "meta": {
                    "valueType": "integer",
                    "valueUnit": None,
                    "interval": 3_600_000,
                    "order": 0,
                    "isOther": False,
                },
            },
            {
                "yAxis": "p95(transaction.duration)",
                "groupBy": [],
                "values": values(290.0, 0, 400.0, 0),
                "meta": {
                    "valueType": "duration",
                    "valueUnit": "millisecond",
                    "interval": 3_600_000,
                    "order": 1,
                    "isOther": False,
                },
            },
        ],
    }


async def test_groups(web: Asker) -> None:
    body = await web.between("10:00", "12:30").events_timeseries(
        dataset="errors", topEvents="1", groupBy=["title", "project"], sort="-count()"
    )

    assert [
        (series["groupBy"], series["meta"]["order"], series["meta"]["isOther"], series["values"])
        for series in body["timeSeries"]
    ] == [
        (
            [{"key": "title", "value": "Boom"}, {"key": "project", "value": "web"}],
            0,
            False,
            values(2, 0, 1),
        ),
        ([], 1, True, values(0, 1, 1)),
    ]


async def test_comparison(web: Asker) -> None:
    body = await web.between("12:00", "12:30").events_timeseries(
        dataset="errors", comparisonDelta="7200", interval="15m"
    )

    (series,) = body["timeSeries"]
    assert [(v["value"], v["comparisonValue"]) for v in series["values"]] == [
        (1, 1),
        (1, 0),
        (0, 0),
    ]


def test_buckets_that_may_still_grow_are_incomplete() -> None:
    answer = SeriesAnswer(
        series=(Series(axis="count()", timestamps=(0, 60, 120), values=(1, 2, None)),),
        start=0,
        end=120,
        interval_s=60,
        dataset="discover",
    )
    epoch = datetime.fromtimestamp(0, UTC)
    body = events_timeseries(answer, TimeRange(epoch, epoch), datetime.fromtimestamp(200, UTC))

    assert body["timeSeries"][0]["values"] == [
        {"timestamp": 0, "value": 1, "incomplete": False},
        {
            "timestamp": 60_000,
            "value": 2,
            "incomplete": True,
            "incompleteReason": "INCOMPLETE_BUCKET",
        },
        {
            "timestamp": 120_000,
            "value": None,
            "incomplete": True,
            "incompleteReason": "INCOMPLETE_BUCKET",
        },
    ]
