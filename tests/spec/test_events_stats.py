"""Promised bodies of events-stats: plain, several axes, compared, top events, placeholders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from groundswell.errors import NotFound, UserError
from tests.asking import MIDNIGHT, Asker, counts, unix

GRID = [unix("10:00"), unix("11:00"), unix("12:00"), unix("13:00")]
FLAGS = {
    "isMetricsData": False,
    "isMetricsExtractedData": False,
    "tips": {},
    "datasetReason": "unchanged",
}


def points(*values: float | None, grid: list[int] = GRID) -> list[Any]:
    return [[at, [{"count": value}]] for at, value in zip(grid, values, strict=True)]


def series(
    data: list[Any], fields: dict[str, str], units: dict[str, str | None], dataset: str, **more: Any
) -> dict[str, Any]:
    return {
        "data": data,
        "isMetricsData": False,
        "start": unix("10:00"),
        "end": unix("14:00"),
        "meta": {
            "fields": {"time": "date", **fields},
            "units": {"time": None, **units},
            "dataset": dataset,
            **FLAGS,
        },
        **more,
    }


async def test_plain(web: Asker) -> None:
    assert await web.events_stats() == series(
        points(5, 1, 3, 1), {"count": "integer"}, {"count": None}, "discover"
    )


@pytest.mark.parametrize(
    ("dataset", "values"),
    [
        ("discover", [5, 1, 3, 1]),
        ("errors", [2, 1, 2, 0]),
        ("transactions", [3, 0, 1, 1]),
        ("metricsEnhanced", [3, 0, 1, 1]),
        ("metrics", [3, 0, 1, 1]),
    ],
)
async def test_datasets(web: Asker, dataset: str, values: list[int]) -> None:
    body = await web.events_stats(dataset=dataset)

    assert counts(body) == values
    assert body["meta"]["dataset"] == dataset
    assert body["isMetricsData"] is body["meta"]["isMetricsData"] is False


async def test_several_axes_are_keyed_as_typed(web: Asker) -> None:
    body = await web.events_stats(
        dataset="transactions", yAxis=["count()", "p95(transaction.duration)"]
    )

    assert body == {
        "count()": series(
            points(3, 0, 1, 1),
            {"count": "integer"},
            {"count": None},
            "transactions",
            order=0,
        ),
        "p95(transaction.duration)": series(
            points(290.0, 0, 400.0, 50.0),
            {"p95_transaction_duration": "duration"},
            {"p95_transaction_duration": "millisecond"},
            "transactions",
            order=1,
        ),
    }


async def test_legacy_axes_keep_their_name(web: Asker) -> None:
    body = await web.events_stats(yAxis=["user_count", "event_count"], dataset="errors")

    assert list(body) == ["user_count", "event_count"]
    assert counts(body["user_count"]) == [2, 1, 1, 0]
    assert body["user_count"]["meta"]["fields"] == {"time": "date", "count_unique_user": "integer"}


async def test_names_as_typed(web: Asker) -> None:
    body = await web.events_stats(
        yAxis="epm()", dataset="transactions", transformAliasToInputFormat="1"
    )

    assert body["meta"]["fields"] == {"time": "date", "epm()": "rate"}
    assert body["meta"]["units"] == {"time": None, "epm()": "1/minute"}
    assert counts(body) == [3 / 60, 0, 1 / 60, 1 / 60]


async def test_an_absent_measurement_is_null_where_there_are_rows(web: Asker) -> None:
    body = await web.events_stats(yAxis="p75(measurements.lcp)", dataset="transactions")

    assert counts(body) == [2000.0, 0, None, None]


async def test_equations(web: Asker) -> None:
    body = await web.events_stats(yAxis=["equation|count() * 2", "count()"], dataset="transactions")

    assert counts(body["equation|count() * 2"]) == [6, 0, 2, 2]
    assert body["equation|count() * 2"]["meta"]["fields"] == {
        "time": "date",
        "equation[0]": "number",
    }


async def test_comparison_is_paired_by_position(web: Asker) -> None:
    body = await web.between("12:00", "14:00").events_stats(
        dataset="errors", comparisonDelta="7200"
    )

    assert body["data"] == [
        [unix("12:00"), [{"count": 2, "comparisonCount": 2}]],
        [unix("13:00"), [{"count": 0, "comparisonCount": 1}]],
    ]


async def test_comparison_by_a_shift_that_is_no_multiple_of_the_width(web: Asker) -> None:
    # The window 12:30 to 14:30 is compared with 10:05 to 12:05: buckets from 10:00 on.
    body = await web.between("12:30", "14:30").events_stats(
        dataset="discover", comparisonDelta=str(145 * 60)
    )

    assert body["data"] == [
        [unix("12:00"), [{"count": 0, "comparisonCount": 5}]],
        [unix("13:00"), [{"count": 1, "comparisonCount": 1}]],
    ]


async def test_comparison_without_rows_now(web: Asker) -> None:
    body = await web.between("14:00", "18:00").events_stats(
        yAxis="p50()", dataset="transactions", comparisonDelta="14400"
    )

    assert [values[0] for _, values in body["data"]] == [
        {"count": 0, "comparisonCount": 200.0},
        {"count": 0, "comparisonCount": 0},
        {"count": 0, "comparisonCount": 400.0},
        {"count": 0, "comparisonCount": 50.0},
    ]


@pytest.mark.parametrize(
    ("start", "end", "partial", "hours", "values", "reported"),
    [
        ("10:20", "13:40", "0", ("10", "11", "12"), [3, 1, 3], ("10:00", "13:00")),
        ("10:20", "13:40", "1", ("10", "11", "12", "13"), [3, 1, 3, 1], ("10:00", "13:00")),
        ("10:00", "11:00", "0", ("10", "11"), [5, 0], ("10:00", "11:00:01")),
        ("10:30", "11:30", "0", ("10", "11"), [2, 1], ("10:00", "11:00:01")),
    ],
)
async def test_grid(
    web: Asker,
    start: str,
    end: str,
    partial: str,
    hours: tuple[str, ...],
    values: list[int],
    reported: tuple[str, str],
) -> None:
    body = await web.between(start, end).events_stats(partial=partial)

    assert body["data"] == points(*values, grid=[unix(f"{hour}:00") for hour in hours])
    assert (body["start"], body["end"]) == (unix(reported[0]), unix(reported[1]))


@pytest.mark.parametrize(("partial", "data"), [("0", []), ("1", [[unix("10:00"), 2]])])
async def test_one_bucket(web: Asker, partial: str, data: list[list[int]]) -> None:
    # Ten minutes have a default width of a quarter of an hour.
    body = await web.between("10:03", "10:13").events_stats(interval="1h", partial=partial)

    assert body["data"] == [[at, [{"count": value}]] for at, value in data]
    assert body["start"] == body["end"] == unix("10:00")


async def test_empty_buckets_left_out(web: Asker) -> None:
    body = await web.events_stats(dataset="transactions", withoutZerofill="1")

    assert body["data"] == points(3, 1, 1, grid=[GRID[0], GRID[2], GRID[3]])
    assert (body["start"], body["end"]) == (unix("10:00"), unix("14:00"))


async def test_conditions_on_aggregates_do_not_count_in_a_series(web: Asker) -> None:
    body = await web.events_stats(query="count():>100", dataset="errors")

    assert counts(body) == [2, 1, 2, 0]
    assert body["meta"]["warnings"]


async def test_top_events_with_the_rest(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", topEvents="1", field=["title", "count()"], sort="-count()"
    )
    meta = {"title": "string", "count": "integer"}

    assert body == {
        "Boom": series(points(2, 0, 1, 0), meta, dict.fromkeys(meta), "errors", order=0),
        "Other": series(points(0, 1, 1, 0), meta, dict.fromkeys(meta), "errors", order=1),
    }


async def test_a_group_called_other_says_of_what(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", topEvents="5", field=["title", "count()"], sort=["-count()", "title"]
    )

    assert {key: group["order"] for key, group in body.items()} == {
        "Boom": 0,
        "Other (title)": 1,
        "Third": 2,
    }, "a list shorter than the limit has no rest"


async def test_without_the_rest(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", topEvents="1", field=["title", "count()"], sort="-count()",
        excludeOther="1",
    )  # fmt: skip

    assert list(body) == ["Boom"]


async def test_no_rest_where_it_has_no_rows(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", topEvents="3", field=["title", "count()"], sort="-count()"
    )

    assert set(body) == {"Boom", "Other (title)", "Third"}


async def test_top_events_in_several_axes(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors",
        topEvents="2",
        field=["title", "count()"],
        sort=["-count()", "-title"],
        yAxis=["count()", "count_unique(user)"],
    )

    assert {key: group["order"] for key, group in body.items()} == {
        "Boom": 0,
        "Third": 1,
        "Other": 2,
    }
    assert {axis: body["Boom"][axis]["order"] for axis in ("count()", "count_unique(user)")} == {
        "count()": 0,
        "count_unique(user)": 1,
    }
    assert counts(body["Boom"]["count()"]) == [2, 0, 1, 0]
    assert counts(body["Boom"]["count_unique(user)"]) == [2, 0, 0, 0]
    assert counts(body["Other"]["count_unique(user)"]) == [0, 1, 0, 0]
    assert body["Boom"]["count_unique(user)"]["meta"]["fields"] == {
        "time": "date",
        "title": "string",
        "count_unique_user": "integer",
    }


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        (["title", "project"], ["web,Boom", "api,Boom", "web,Other", "web,Third"]),
        (["environment"], ["prod", "None"]),
        (["customer"], ["None", "acme", "zeta"]),
        (["level", "title"], ["error,Boom", "error,Other", "fatal,Boom", "warning,Third"]),
        (["issue"], ["unknown"]),
        (["issue.id"], ["unknown"]),
        (['to_other(title,"Boom",other,boom)'], ["boom", "other"]),
        (["timestamp.to_day"], [MIDNIGHT.isoformat()]),
    ],
)
async def test_keys(shop: Asker, fields: list[str], keys: list[str]) -> None:
    body = await shop.events_stats(
        dataset="errors", topEvents="10", field=[*fields, "count()"], sort="-count()"
    )

    assert set(body) == set(keys)
    assert sum(sum(counts(group)) for group in body.values()) == 6


async def test_a_tag_is_sorted_as_a_tag(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", query="has:customer", topEvents="5",
        field=["customer", "message", "count()"], sort="-count()",
    )  # fmt: skip

    assert set(body) == {"Boom,acme", "Boom,zeta"}


async def test_numbers_in_keys_have_no_point(web: Asker) -> None:
    body = await web.events_stats(
        dataset="transactions",
        topEvents="5",
        field=["transaction", "transaction.duration", "count()"],
        sort="-transaction.duration",
    )

    assert list(body) == [
        "/checkout,400", "/checkout,300", "/checkout,200", "/checkout,100", "/cart,50"
    ]  # fmt: skip


async def test_status_names_in_keys(web: Asker) -> None:
    body = await web.events_stats(
        dataset="transactions", topEvents="5", field=["transaction.status", "count()"],
        sort="-count()",
    )  # fmt: skip

    assert list(body) == ["ok", "internal_error"]
    assert body["ok"]["meta"]["fields"]["transaction.status"] == "string"


async def test_aggregates_alone_have_the_empty_key(web: Asker) -> None:
    body = await web.events_stats(dataset="errors", topEvents="1", field="count()")

    assert list(body) == [""]
    assert counts(body[""]) == [2, 1, 2, 0]
    assert body[""]["order"] == 0


async def test_aggregates_alone_in_several_axes(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors",
        topEvents="10",
        field=["count()", "count_unique(user)"],
        yAxis=["count()", "count_unique(user)"],
    )

    assert list(body) == [""]
    assert counts(body[""]["count_unique(user)"]) == [2, 1, 1, 0]


@pytest.mark.parametrize("fields", [["title", "count()"], ["count()"]])
async def test_nothing_found_gives_a_plain_placeholder(web: Asker, fields: list[str]) -> None:
    body = await web.events_stats(
        dataset="errors", query="title:Nothing", topEvents="5", field=fields
    )

    assert counts(body) == [0, 0, 0, 0]
    assert body["meta"]["fields"]["count"] == "integer"


async def test_nothing_found_in_several_axes(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", query="title:Nothing", topEvents="5", field=["title", "count()"],
        yAxis=["count()", "epm()"],
    )  # fmt: skip

    assert list(body) == [""]
    assert counts(body[""]["count()"]) == counts(body[""]["epm()"]) == [0, 0, 0, 0]


async def test_conditions_on_aggregates_choose_the_top_events(web: Asker) -> None:
    body = await web.events_stats(
        dataset="errors", query="count():>1", topEvents="5", field=["title", "count()"]
    )

    assert list(body) == ["Boom"]


async def test_groups_without_an_order_come_by_size(web: Asker) -> None:
    body = await web.events_stats(dataset="errors", topEvents="1", field="title")

    assert list(body) == ["Boom", "Other"]


async def test_sorted_by_the_axis(web: Asker) -> None:
    body = await web.events_stats(
        dataset="transactions", topEvents="1", field="transaction", yAxis="p95()", sort="p95"
    )

    assert list(body) == ["/cart", "Other"]


async def test_group_without_rows_on_the_grid_keeps_its_place(web: Asker) -> None:
    # /cart has its only row at 13:30, in the bucket of the end, which is cut.
    body = await web.between("10:00", "13:45").events_stats(
        dataset="transactions", topEvents="5", field=["transaction", "count()"], sort="-count()"
    )

    assert counts(body["/cart"]) == [0, 0, 0]
    assert body["/cart"]["order"] == 1


@pytest.mark.parametrize(
    ("environments", "values"),
    [(["prod"], [2, 0, 2, 0]), ([""], [0, 1, 0, 0]), (["prod", ""], [2, 1, 2, 0])],
)
async def test_environments(web: Asker, environments: list[str], values: list[int]) -> None:
    assert counts(await web.events_stats(dataset="errors", environment=environments)) == values


async def test_unknown_environment_is_not_found(web: Asker) -> None:
    with pytest.raises(NotFound):
        await web.events_stats(environment=["prod", "nope"])


async def test_an_environment_of_transactions_is_known_to_errors(web: Asker) -> None:
    assert counts(await web.events_stats(dataset="errors", environment="dev")) == [0, 0, 0, 0]


async def test_an_environment_is_known_from_any_time(web: Asker) -> None:
    assert counts(await web.between("01:00", "03:00").events_stats(environment="dev")) == [0, 0]


async def test_projects(shop: Asker, shop_projects: dict[int, str]) -> None:
    ids = {slug: str(id) for id, slug in shop_projects.items()}

    assert counts(await shop.events_stats(dataset="errors")) == [3, 1, 2, 0]
    assert counts(await shop.events_stats(dataset="errors", project=ids["api"])) == [1, 0, 0, 0]
    assert counts(await shop.events_stats(dataset="errors", query="project:api")) == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"yAxis": "nope()"}, "nope"),
        ({"yAxis": "title"}, "title"),
        ({"yAxis": "last_seen()"}, "last_seen()"),
        ({"query": "(level:error"}, "parenthes"),
        ({"topEvents": "5", "field": ["title", "count()"], "sort": "-p95()"}, "sort"),
    ],
)
async def test_refused(web: Asker, params: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError) as refused:
        await web.events_stats(**params)

    assert refused.value.status == 400
    assert word in refused.value.message


async def test_without_projects_there_is_nothing(web: Asker) -> None:
    nobody = replace(web, scope=replace(web.scope, member_projects=()))

    assert await nobody.events_stats(yAxis="nope()") == {"data": []}
    assert (await nobody.events_timeseries(yAxis="nope()"))["timeSeries"] == []
    assert (await nobody.events())["data"] == []
