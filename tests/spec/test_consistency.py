"""The same question gives the same numbers: parts and whole, series and table, page and count."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.asking import Asker, counts

COLUMNS = (
    "title",
    "project",
    "environment",
    "customer",
    "user",
    "transaction",
    "transaction.status",
    "transaction.duration",
    "measurements.lcp",
    "error.type",
    "error.handled",
    "issue",
    "release",
    "timestamp.to_hour",
    "timestamp",
    "id",
    "event.type",
    "trace",
)
SPLITS = [
    *((column,) for column in COLUMNS),
    *itertools.combinations(("title", "project", "environment", "customer", "user"), 2),
    ("error.type", "customer", "environment"),
]


def total(body: Any) -> list[float]:
    groups = [body] if "data" in body else body.values()
    return [sum(values) for values in zip(*(counts(group) for group in groups), strict=True)]


# A column of one kind of event alone makes `discover` a question about that kind.
ONE_KIND = {"error.type", "transaction.status", "transaction.duration", "measurements.lcp"}


@pytest.mark.parametrize("dataset", ["discover", "errors", "transactions"])
@pytest.mark.parametrize("columns", SPLITS, ids="+".join)
async def test_the_groups_and_the_rest_are_the_whole(
    shop: Asker, columns: tuple[str, ...], dataset: str
) -> None:
    kind = dataset
    if dataset == "discover" and ONE_KIND & set(columns):
        kind = "errors" if "error.type" in columns else "transactions"
    whole = counts(await shop.events_stats(dataset=kind))
    for limit in ("1", "2"):
        body = await shop.events_stats(
            dataset=dataset, topEvents=limit, field=[*columns, "count()"], sort="-count()"
        )

        assert total(body) == whole


@pytest.mark.parametrize("function", ["count()", "failure_count()", "sum(transaction.duration)"])
@pytest.mark.parametrize("dataset", ["discover", "errors", "transactions"])
@pytest.mark.parametrize("query", ["", "customer:acme", "!customer:acme", "!environment:prod"])
async def test_a_series_sums_up_to_the_table(
    shop: Asker, function: str, dataset: str, query: str
) -> None:
    series = await shop.events_stats(dataset=dataset, yAxis=function, query=query)
    table = await shop.events(dataset=dataset, field=function, query=query)

    assert sum(value or 0 for value in counts(series)) == (table["data"][0][function] or 0)


@pytest.mark.parametrize("query", ["customer:acme", "user:id*", "has:release", "level:error"])
async def test_a_condition_and_its_opposite_are_everything(shop: Asker, query: str) -> None:
    assert await shop.count(query=query) + await shop.count(query=f"!{query}") == 11


async def test_rows_of_a_group_are_its_count(shop: Asker) -> None:
    groups = await shop.events(dataset="errors", field=["title", "count()"])
    for row in groups["data"]:
        found = await shop.events(dataset="errors", field="id", query=f"title:{row['title']}")

        assert len(found["data"]) == row["count()"]


async def test_another_access_shows_less(web: Asker, shop: Asker) -> None:
    assert await web.count() == 10
    assert await shop.count() == 11
    assert await web.count(query="project.id:[1,2] OR !project.id:1") == 10
