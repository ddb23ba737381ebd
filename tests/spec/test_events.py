"""Promised bodies of events and events-meta: names as typed, added fields, order, pages, nulls."""

from __future__ import annotations

from typing import Any

import pytest

from groundswell.errors import NotFound, UserError
from groundswell.stats.statistics import Statistics
from groundswell.store.engine import Engine
from tests.asking import Asker, clock
from tests.rows import insert, new_project
from tests.scopes import scope_of

META = {"isMetricsData": False, "isMetricsExtractedData": False, "datasetReason": "unchanged"}


async def test_grouped_rows(web: Asker) -> None:
    body = await web.events(
        dataset="errors", field=["title", "count()", "last_seen()"], sort=["-count()", "title"]
    )

    assert body == {
        "data": [
            {"title": "Boom", "count()": 3, "last_seen()": clock("12:10").isoformat()},
            {"title": "Other", "count()": 1, "last_seen()": clock("11:15").isoformat()},
            {"title": "Third", "count()": 1, "last_seen()": clock("12:20").isoformat()},
        ],
        "meta": {
            "fields": {"title": "string", "count()": "integer", "last_seen()": "date"},
            "units": {"title": None, "count()": None, "last_seen()": None},
            "tips": {"query": None, "columns": None},
            "dataset": "errors",
            **META,
        },
    }


async def test_raw_rows_have_their_id_and_project(web: Asker) -> None:
    body = await web.events(dataset="errors", field="title", query="title:Third")

    (row,) = body["data"]
    assert set(row) == {"title", "id", "project.name"}
    assert row["project.name"] == "web"
    assert len(row["id"]) == 32


async def test_weighted_answers_say_so(web: Asker) -> None:
    for extrapolate, said in (("0", {}), ("1", {"isExtrapolated": True})):
        body = await web.events(dataset="errors", field="count()", extrapolate=extrapolate)
        assert {name: body["meta"][name] for name in body["meta"] if "Extrapol" in name} == said
        series = await web.events_stats(extrapolate=extrapolate)
        assert {name: series["meta"][name] for name in series["meta"] if "Extrapol" in name} == said


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (["count()"], {"count()"}),
        (["title", "count()"], {"title", "count()"}),
        (["id", "count()"], {"id", "count()", "project.name"}),
        (["id", "project", "count()"], {"id", "project", "count()"}),
        (["title", "project.id"], {"title", "project.id", "id"}),
        (["title", "project"], {"title", "project", "id"}),
        (["issue", "count()"], {"issue", "issue.id", "count()"}),
    ],
)
async def test_added_fields(web: Asker, fields: list[str], names: set[str]) -> None:
    body = await web.events(dataset="errors", field=fields)

    assert set(body["data"][0]) == names
    assert set(body["meta"]["fields"]) == set(body["meta"]["units"]) == names


async def test_units_and_types(web: Asker) -> None:
    body = await web.events(
        dataset="transactions",
        field=["transaction", "p95()", "epm()", "eps()", "failure_rate()", "count()"],
        sort="transaction",
    )

    assert body["meta"]["fields"] == {
        "transaction": "string",
        "p95()": "duration",
        "epm()": "rate",
        "eps()": "rate",
        "failure_rate()": "percentage",
        "count()": "integer",
    }
    assert body["meta"]["units"] == {
        "transaction": None,
        "p95()": "millisecond",
        "epm()": "1/minute",
        "eps()": "1/second",
        "failure_rate()": None,
        "count()": None,
    }
    assert body["data"][1] == {
        "transaction": "/checkout",
        "p95()": pytest.approx(385.0),
        "epm()": pytest.approx(4 / 240),
        "eps()": pytest.approx(4 / 14_400),
        "failure_rate()": 0.25,
        "count()": 4,
    }


async def test_absent_values_are_null(web: Asker) -> None:
    body = await web.events(
        dataset="transactions",
        field=["transaction", "measurements.lcp", "transaction.duration"],
        sort="-transaction.duration",
    )

    assert [(row["measurements.lcp"], row["transaction.duration"]) for row in body["data"]] == [
        (None, 400),
        (None, 300),
        (None, 200),
        (2000.0, 100),
        (None, 50),
    ]


async def test_aggregates_alone_always_have_one_row(web: Asker) -> None:
    body = await web.events(
        dataset="transactions",
        query="transaction:/nothing",
        field=[
            *("count()", "count_unique(user)", "failure_rate()", "apdex(300)", "epm()", "p95()"),
            *(f"{name}(transaction.duration)" for name in ("avg", "max", "sum")),
        ],
    )

    assert body["data"] == [
        {
            "count()": 0,
            "failure_rate()": 0,
            "apdex(300)": 0,
            "epm()": 0,
            "p95()": None,
            "avg(transaction.duration)": None,
            "max(transaction.duration)": None,
            "sum(transaction.duration)": None,
            "count_unique(user)": 0,
        }
    ]


async def test_condition_on_an_aggregate(web: Asker) -> None:
    body = await web.events(dataset="errors", field=["title", "count()"], query="count():>1")

    assert [row["title"] for row in body["data"]] == ["Boom"]


async def test_equation(web: Asker) -> None:
    body = await web.events(
        dataset="transactions",
        field=["transaction", "equation|failure_count() / count()"],
        sort="-equation[0]",
    )

    assert [
        (row["transaction"], row["equation|failure_count() / count()"]) for row in body["data"]
    ] == [("/checkout", 0.25), ("/cart", 0)]
    assert body["meta"]["fields"]["equation|failure_count() / count()"] == "number"


async def test_pages_hold_every_row_once(web: Asker) -> None:
    seen: list[str] = []
    for offset in (0, 2, 4):
        body = await web.events(
            dataset="errors", field=["title", "timestamp"], sort="-timestamp", per_page="2",
            cursor=f"0:{offset}:0",
        )  # fmt: skip
        seen += [row["id"] for row in body["data"]]

    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(("per_page", "has_more"), [("4", True), ("5", False), ("100", False)])
async def test_one_more_row_tells_of_a_next_page(web: Asker, per_page: str, has_more: bool) -> None:
    from groundswell.stats.request import parse_table
    from tests.asking import NOW

    params = {
        "dataset": ["errors"],
        "field": ["title"],
        "per_page": [per_page],
        "start": [clock("10:00").isoformat()],
        "end": [clock("14:00").isoformat()],
    }
    asked = parse_table(params, web.scope, NOW, web.statistics.retention)
    answer = await web.statistics.table(asked)

    assert answer.has_more is has_more
    assert len(answer.rows) == min(5, int(per_page))


async def test_handled_is_a_number(web: Asker) -> None:
    body = await web.events(dataset="errors", field=["error.handled", "count()"])

    assert body["data"] == [{"error.handled": 1, "count()": 5}]


async def test_status_by_name(web: Asker) -> None:
    body = await web.events(
        dataset="transactions", field=["transaction.status", "count()"], sort="-count()"
    )

    assert body["data"] == [
        {"transaction.status": "ok", "count()": 4},
        {"transaction.status": "internal_error", "count()": 1},
    ]


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({}, 10),
        ({"dataset": "errors"}, 5),
        ({"query": "event.type:transaction"}, 5),
        ({"query": "customer:acme"}, 2),
        ({"query": "title:Nothing"}, 0),
    ],
)
async def test_count(web: Asker, params: dict[str, str], count: int) -> None:
    assert await web.count(**params) == count


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"field": "nope(title)"}, "nope"),
        ({"field": "title", "sort": "count()"}, "sort"),
        ({"field": "title", "query": "transaction.duration:fast"}, "transaction.duration"),
        ({"field": "title", "query": "project:nope"}, "nope"),
        ({"field": "equation|count()"}, "equation"),
        ({"field": "p95(title)"}, "title"),
    ],
)
async def test_refused(web: Asker, params: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError) as refused:
        await web.events(**params)

    assert refused.value.status == 400
    assert word in refused.value.message


async def test_unknown_environment_is_not_found(web: Asker) -> None:
    with pytest.raises(NotFound):
        await web.events(field="title", environment="nope")


async def test_stored_codes_are_words(engine: Engine, statistics: Statistics) -> None:
    project = new_project()
    told = {"contexts": {"device.charging": "1"}, "tags": {"device.class": "3"}}
    insert(engine, "errors", project, [{"timestamp": clock("10:05"), **told}])
    asker = Asker(statistics, scope_of({project: "phones"}))
    fields = ["device.class", "device.charging", "count_if(device.charging,equals,true)"]

    body = await asker.events(dataset="errors", field=fields, query="device.class:high")

    assert body["data"] == [dict(zip(fields, ["high", "True", 1], strict=True))]
